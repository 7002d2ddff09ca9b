"""The part of the access matrix for reports: everybody with a seat builds them, each for the own organisation."""

from tests.contracts.matrix import Route, Write
from tests.contracts.matrix_api import CALLERS, ID
from tests.contracts.matrix_filing import of
from tests.contracts.scene import MEMBERS, UTILITY, Scene, who
from tests.contracts.scene_reports import SPEC

REPORTS, API, RUNS = "reports/", "api/v1/reports/", "api/v1/report-runs/"
KEPT = {"name": "Counties", "source": "ders", "spec": SPEC, "format": "csv"}
READY = {"organization": "edc", "source": "participation-by-utility", "format": "csv"}


def built(scene: Scene) -> dict:
    form = {"group_1": "county__name", "measure_1": "count", "name": "Counties", "format": "csv", "is_shared": "on"}
    return {**form, "organization": scene.world.edc.pk}


def run(scene: Scene) -> dict:
    return {"organization": scene.world.edc.pk, "format": "csv"}


KEEPERS = who("operator:administrator", "operator2:administrator")


def affiliate(scene: Scene) -> dict:
    return {"aggregator": "aggregator2", "edc": "edc", "valid_from": "2026-01-01", "source": "A filing"}


def code(name: str):
    return lambda scene: {"code": name}


RETIRE = (Write(UTILITY, {}, of("report", name="retire"), name="retire"),)
ROUTES = (
    Route(REPORTS, MEMBERS),
    Route(f"{REPORTS}ready-made/", MEMBERS),
    Route(f"{REPORTS}ready-made/<slug:code>/", MEMBERS, code("participation-by-utility"), (Write(UTILITY, run),)),
    Route(f"{REPORTS}new/", MEMBERS),
    Route(f"{REPORTS}new/<slug:code>/", MEMBERS, code("ders"), (Write(UTILITY, built),)),
    Route(f"{REPORTS}runs/", MEMBERS),
    Route(f"{REPORTS}runs/{ID}", UTILITY, of("report_run")),
    Route(f"{REPORTS}{ID}", UTILITY, of("report")),
    Route(f"{REPORTS}{ID}change/", UTILITY, of("report"), (Write(UTILITY, built),)),
    Route(f"{REPORTS}{ID}run/", None, of("report"), (Write(UTILITY, {"format": "csv"}),)),
    Route(f"{REPORTS}{ID}transitions/<slug:name>/", None, of("report", name="retire"), RETIRE),
    # the API
    Route(API, CALLERS, writes=(Write(UTILITY, {**KEPT, "organization": "edc"}),)),
    Route(f"{API}{ID}", UTILITY, of("report"), (Write(UTILITY, KEPT, method="put"),)),
    Route(f"{API}{ID}run/", None, of("report"), (Write(UTILITY, {"format": "csv"}),)),
    Route(f"{API}{ID}transitions/<slug:name>/", None, of("report", name="retire"), RETIRE),
    Route(RUNS, CALLERS, writes=(Write(UTILITY, READY),)),
    Route(f"{RUNS}{ID}", UTILITY, of("report_run")),
    # ¶292: who is whose affiliate is for everybody
    Route("api/v1/registry/affiliations/", CALLERS, writes=(Write(KEEPERS, affiliate),)),
    Route(
        "api/v1/registry/affiliations/<int:pk>/end/",
        None,
        lambda scene: {"pk": scene.affiliation.pk},
        (Write(KEEPERS, {"on": "2030-01-01"}),),
    ),
    Route("api/v1/registry/affiliations/<int:pk>/", CALLERS, lambda scene: {"pk": scene.affiliation.pk}),
)
