"""The part of the access matrix about reconfigurations: pages and API."""

from tests.contracts.matrix import Route, Write
from tests.contracts.matrix_api import API, CALLERS, ID, OF_UTILITY
from tests.contracts.matrix_filing import of
from tests.contracts.scene import SIGNED_IN, Scene, who

BASE, REST = "registry/reconfigurations/", f"{API}reconfigurations/"
GRID = who("edc:administrator")
ANY_GRID = GRID | who("edc2:administrator")


def drawn(scene: Scene) -> dict:
    first, second = scene.world.feeders["edc"][:2]
    said = {"source": "feeder", "source_code": first.code, "destination": "feeder", "destination_code": second.code}
    return said | {"starts_on": "2026-01-02", "reason": "Relief"}


def sent(scene: Scene) -> dict:
    first, second = scene.world.feeders["edc"][:2]
    return {"edc": "edc", "from_feeder": first.code, "to_feeder": second.code, "starts_on": "2026-01-02", "reason": "Relief"}


ROUTES = (
    Route(BASE, SIGNED_IN),
    Route(f"{BASE}new/", ANY_GRID, writes=(Write(ANY_GRID, drawn),)),
    Route(f"{BASE}connection/", SIGNED_IN),
    Route(f"{BASE}<uuid:uuid>/", OF_UTILITY - who("machine"), of("reconfiguration")),
    Route(f"{BASE}<uuid:uuid>/transitions/<slug:name>/", None, of("reconfiguration", name="carry_out"), (Write(GRID),)),
    Route(REST, CALLERS, writes=(Write(GRID, sent),)),
    Route(f"{REST}connections/<int:point>/", OF_UTILITY, lambda scene: {"point": scene.world.service_points["edc"][-1].pk}),
    Route(f"{REST}{ID}", OF_UTILITY, of("reconfiguration")),
    Route(f"{REST}{ID}transitions/<slug:name>/", None, of("reconfiguration", name="carry_out"), (Write(GRID, {}),)),
)
