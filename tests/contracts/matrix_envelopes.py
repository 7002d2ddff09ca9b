"""The part of the access matrix about envelope policies and envelopes of groups: pages and API."""

from tests.contracts.matrix import Route, Write
from tests.contracts.matrix_api import CALLERS, OF_UTILITY
from tests.contracts.scene import AGGREGATOR, SIGNED_IN, Scene, who

POLICIES, REST = "operations/envelopes/policies/", "api/v1/operations/envelope-policies/"
GRID = who("edc:administrator")
ANY_GRID = GRID | who("edc2:administrator")
GROUP = "operations/envelopes/groups/<slug:kind>/<str:key>/"
OF_MEMBERS = OF_UTILITY | AGGREGATOR  # of the feeder on which the aggregator has a DER
SAID = {"method": "equal", "v_min_pu": "0.95", "v_max_pu": "1.05", "loading_percent": "90"} | {
    f"{when}_{way}_kw": "1" for when in ("default", "outage") for way in ("import", "export")
}


def policy(scene: Scene) -> dict:
    return {"pk": scene.envelope_policy.pk}


def added(scene: Scene) -> dict:
    return SAID | {"edc": scene.world.edc.pk, "feeder": ""}


def group(scene: Scene) -> dict:
    return {"kind": "feeder", "key": scene.limited.feeder_id}


ROUTES = (
    Route(GROUP, OF_MEMBERS - who("machine"), group),
    Route(f"{GROUP}export.csv", OF_MEMBERS - who("machine"), group),
    Route("api/v1/operations/envelope-groups/", OF_MEMBERS, query="?feeder=F1&edc=edc"),
    Route(POLICIES, SIGNED_IN),
    Route(f"{POLICIES}new/", ANY_GRID, writes=(Write(GRID, added),)),
    Route(f"{POLICIES}<int:pk>/", OF_UTILITY - who("machine"), policy),
    Route(f"{POLICIES}<int:pk>/change/", GRID, policy, (Write(GRID, SAID | {"reason": "Fairer"}),)),
    Route(REST, CALLERS, writes=(Write(GRID, {"edc": "edc", "method": "equal"}),)),
    Route(f"{REST}<int:pk>/", OF_UTILITY, policy, (Write(GRID, {"method": "equal"}, method="patch"),)),
    Route(f"{REST}<int:pk>/versions/", OF_UTILITY, policy),
)
