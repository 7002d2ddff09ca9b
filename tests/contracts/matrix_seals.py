"""The part of the access matrix for seals: what was signed is everybody's, verification the regulator's and the operator's,
snapshots each auditor's."""

from tests.contracts.matrix import Route, Write
from tests.contracts.matrix_admin import OPERATOR_ADMINISTRATORS
from tests.contracts.matrix_api import CALLERS, ID
from tests.contracts.matrix_filing import of
from tests.contracts.scene import EVERYBODY, Scene, who
from tests.contracts.scene_seals import TABLE

AUDITORS = who("*:auditor|administrator", *(f"{kind}2:administrator" for kind in ("aggregator", "edc", "tso", "rerra", "operator")))
VERIFIERS = who("rerra:auditor|administrator", "rerra2:administrator", "operator:auditor|administrator", "operator2:administrator")
OF_VERSION = who("edc:auditor|administrator", "tso:auditor|administrator", "rerra:auditor|administrator") | who(
    "operator:auditor|administrator", "operator2:administrator"
)
REGULATORS = who("rerra:auditor|administrator")


def number(scene: Scene) -> dict:
    return {"number": scene.sealed_seal.pk}


def version(scene: Scene) -> dict:
    return {"table": TABLE, "row": scene.world.edc.history.order_by("history_id").first().history_id}


PORTAL = (
    Route("seals/", EVERYBODY),
    Route("seals/seals.ndjson", EVERYBODY),
    Route("seals/check_proof.py", EVERYBODY),
    Route("seals/<int:number>/", EVERYBODY, number),
    Route("seals/<int:number>/seal.json", EVERYBODY, number),
    Route("seals/new/", None, writes=(Write(OPERATOR_ADMINISTRATORS),)),
    Route("seals/verify/", None, writes=(Write(VERIFIERS),)),
    Route("seals/verifications/", AUDITORS),
    Route("seals/verifications/<uuid:uuid>/", AUDITORS, of("verification")),
    Route("seals/proofs/<slug:table>/<int:row>/", OF_VERSION, version),
    Route("snapshots/", AUDITORS, writes=(Write(AUDITORS, {"format": "parquet"}),)),
)

PROGRAMS = (
    Route("api/v1/seals/", CALLERS),
    Route("api/v1/seals/<int:number>/", CALLERS, number),
    Route("api/v1/seals/proofs/<slug:table>/<int:row>/", OF_VERSION, version),
    Route("api/v1/verifications/", AUDITORS, writes=(Write(VERIFIERS),)),
    Route(f"api/v1/verifications/{ID}", AUDITORS, of("verification")),
    Route("api/v1/snapshots/", AUDITORS, writes=(Write(AUDITORS, {"format": "csv"}),)),
    Route(f"api/v1/snapshots/{ID}", REGULATORS, of("snapshot")),
)

ROUTES = (*PORTAL, *PROGRAMS)
