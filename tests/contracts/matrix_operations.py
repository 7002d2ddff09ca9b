"""The part of the access matrix about operations: networks, envelopes and what aggregators receive of them."""

from django.core.files.uploadedfile import SimpleUploadedFile

from tests.contracts.matrix import MEMBERS, Route, Write
from tests.contracts.matrix_api import CALLERS, ID, OF_UTILITY
from tests.contracts.matrix_filing import FILERS, of
from tests.contracts.scene import AGGREGATOR, SIGNED_IN, Scene, who
from tests.factories.networks import midnight, rows
from tests.factories.readings import moment, reading

NETWORKS, ENVELOPES, API = "operations/networks/", "operations/envelopes/", "api/v1/operations/"
RUN, RECEIPT, MOVE = f"{ENVELOPES}runs/<uuid:uuid>/", f"{ENVELOPES}receipts/<uuid:uuid>/", "transitions/<slug:name>/"
GRID = who("edc:administrator")
ANY_GRID = GRID | who("edc2:administrator")  # each on its own feeder F1
PEOPLE_OF_UTILITY = OF_UTILITY - who("machine")
OF_BOTH = OF_UTILITY | AGGREGATOR


def file() -> SimpleUploadedFile:
    return SimpleUploadedFile("network.csv", rows(["edc-up-01"]), "text/csv")


def loaded(scene: Scene) -> dict:
    return {"feeder": "F1", "source": "table", "file": file()}


def sent(scene: Scene) -> dict:
    return {"file": file()}


def window(scene: Scene) -> dict:
    return {"feeder": "F1", "starts_at": midnight(3).isoformat(), "hours": 1, "step_minutes": 30}


def asked(scene: Scene) -> dict:
    return window(scene) | {"starts_at": f"{midnight(3):%Y-%m-%d %H:%M}"}


def limited(scene: Scene) -> dict:
    return {"der": str(scene.limited.uuid), "least_kw": "-1", "most_kw": "1", "reason": "Repair"}


def state(scene: Scene) -> dict:
    return {"pk": scene.der_state.pk}


def readings(scene: Scene) -> list:
    return [reading(scene.limited, at=moment(3).isoformat())]


def envelope(scene: Scene) -> dict:
    return {"pk": scene.envelope.pk}


ROUTES = (
    Route(NETWORKS, SIGNED_IN),
    Route(f"{NETWORKS}new/", ANY_GRID, writes=(Write(ANY_GRID, loaded),)),
    Route(f"{NETWORKS}<uuid:uuid>/", PEOPLE_OF_UTILITY, of("network")),
    Route(f"{NETWORKS}<uuid:uuid>/{MOVE}", None, of("network", name="approve"), (Write(GRID),)),
    Route(ENVELOPES, SIGNED_IN),
    Route(f"{ENVELOPES}export.csv", MEMBERS),
    Route(f"{ENVELOPES}<int:pk>/", OF_BOTH - who("machine"), envelope),
    Route(f"{ENVELOPES}runs/", SIGNED_IN),
    Route(f"{ENVELOPES}runs/new/", ANY_GRID, writes=(Write(GRID, asked),)),
    Route(RUN, PEOPLE_OF_UTILITY, of("envelope_run")),
    Route(f"{RUN}edit/", GRID, of("envelope_run"), (Write(GRID, limited),)),
    Route(f"{RUN}{MOVE}", None, of("envelope_run", name="publish"), (Write(GRID),)),
    Route(f"{ENVELOPES}receipts/", SIGNED_IN),
    Route(RECEIPT, OF_BOTH - who("machine"), of("envelope_receipt")),
    Route(f"{RECEIPT}{MOVE}", None, of("envelope_receipt", name="acknowledge"), (Write(FILERS - who("machine")),)),
    Route("operations/readiness/", SIGNED_IN),
    Route("operations/readiness/aggregations/", SIGNED_IN),
    Route("operations/readiness/<int:pk>/", OF_BOTH - who("machine"), state),
    # the API
    Route(f"{API}states/", CALLERS),
    Route(f"{API}states/<int:pk>/", OF_BOTH, state),
    Route(f"{API}states/<int:pk>/readings/", OF_BOTH, state),
    Route(f"{API}telemetry/", None, writes=(Write(GRID | FILERS | who("machine"), readings),)),
    Route(f"{API}networks/", CALLERS, writes=(Write(ANY_GRID, sent, query="?feeder=F1&source=table"),)),
    Route(f"{API}networks/{ID}", OF_UTILITY, of("network")),
    *(Route(f"{API}networks/{ID}{below}/", OF_UTILITY, of("network")) for below in ("findings", "elements", "points")),
    Route(f"{API}networks/{ID}{MOVE}", None, of("network", name="approve"), (Write(GRID, {}),)),
    Route(f"{API}envelopes/", CALLERS),
    Route(f"{API}envelopes/<int:pk>/", OF_BOTH, envelope),
    Route(f"{API}envelope-runs/", CALLERS, writes=(Write(GRID, window),)),
    Route(f"{API}envelope-runs/{ID}", OF_UTILITY, of("envelope_run")),
    Route(f"{API}envelope-runs/{ID}edit/", None, of("envelope_run"), (Write(GRID, limited),)),
    Route(f"{API}envelope-runs/{ID}{MOVE}", None, of("envelope_run", name="publish"), (Write(GRID, {}),)),
    Route(f"{API}envelope-receipts/", CALLERS),
    Route(f"{API}envelope-receipts/{ID}", OF_BOTH, of("envelope_receipt")),
    Route(f"{API}envelope-receipts/{ID}{MOVE}", None, of("envelope_receipt", name="acknowledge"), (Write(FILERS | who("machine"), {}),)),
)
