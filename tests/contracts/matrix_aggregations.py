"""The part of the access matrix about aggregations: pages and API."""

from django.core.files.uploadedfile import SimpleUploadedFile

from tests.contracts.matrix import PARTIES as PEOPLE
from tests.contracts.matrix import Route, Write
from tests.contracts.matrix_api import API, CALLERS, ID
from tests.contracts.matrix_filing import ANY_FILERS, FILERS, SUBMITTERS, of
from tests.contracts.scene import MACHINES, MEMBERS, OWN, SIGNED_IN, Scene, who

BASE = "registry/aggregations/"
ONE = f"{BASE}<uuid:uuid>/"
BUILDERS = FILERS | who("machine")
PARTIES = PEOPLE | who("machine")
REST = f"{API}aggregations/"
DRAFT = of("aggregation_draft")
SERVICES, LAWGIVERS = f"{API}grid-services/", who("operator:administrator", "operator2:administrator")


def facts(scene: Scene) -> dict:
    return {"name": "New", "purpose": "wholesale", "tso": scene.world.tso.pk, "services": ["energy"]}


def sent(scene: Scene) -> dict:
    return {"name": "New", "tso": "tso", "services": ["energy"]}


def response(scene: Scene) -> dict:
    return {"factors": f"{scene.factor.pnode.name}; 1"}


def file(scene: Scene) -> dict:
    return {"file": SimpleUploadedFile("members.csv", b"der\nD-1\n", "text/csv"), "act": "add", "rows": "all"}


def load(scene: Scene) -> dict:
    return {"uuid": scene.aggregation.uuid, "job": scene.aggregation_load.uuid}


def service(scene: Scene) -> dict:
    return {"pk": scene.service_draft.pk}


ADDED = {"how": "list", "ders": "D-1", "services": ["capacity"]}
ROUTES = (
    Route(BASE, SIGNED_IN),
    Route(f"{BASE}export.csv", MEMBERS),
    Route(f"{BASE}export.xlsx", MEMBERS, writes=(Write(MEMBERS),)),
    Route(f"{BASE}new/", ANY_FILERS, writes=(Write(FILERS | who("aggregator2:administrator"), facts),)),
    Route(ONE, PEOPLE, of("aggregation")),
    Route(f"{ONE}change/", FILERS, DRAFT, (Write(FILERS, facts),)),
    Route(f"{ONE}agents/<slug:role>/end/", FILERS, of("aggregation", role="meter_reader"), (Write(FILERS),)),
    Route(f"{ONE}composition/", PEOPLE, of("aggregation")),
    Route(f"{ONE}factors/", FILERS, DRAFT, (Write(FILERS, response),)),
    Route(f"{ONE}members/", PEOPLE, of("aggregation")),
    Route(f"{ONE}members/export.csv", PEOPLE, of("aggregation")),
    Route(f"{ONE}members/export.xlsx", PEOPLE, of("aggregation"), (Write(PEOPLE),)),
    Route(f"{ONE}members/add/", FILERS, DRAFT, (Write(FILERS, ADDED),)),
    Route(f"{ONE}members/drop/", FILERS, of("aggregation_drops"), (Write(FILERS, {"how": "list", "ders": "D-1"}),)),
    Route(f"{ONE}members/file/", FILERS, DRAFT, (Write(FILERS, file),)),
    Route(f"{ONE}loads/<uuid:job>/", who(OWN), load),
    Route(f"{ONE}loads/<uuid:job>/progress/", who(OWN), load),
    Route(f"{ONE}transitions/<slug:name>/", None, of("aggregation", name="withdraw"), (Write(SUBMITTERS, {}),)),
    Route(REST, CALLERS, writes=(Write(ANY_FILERS | MACHINES, sent),)),
    Route(f"{REST}{ID}", PARTIES, of("aggregation"), (Write(BUILDERS, {"name": "Other"}, DRAFT, method="patch"),)),
    Route(f"{REST}{ID}versions/", PARTIES, of("aggregation")),
    Route(f"{REST}{ID}transitions/<slug:name>/", None, of("aggregation", name="withdraw"), (Write(SUBMITTERS, {}),)),
    Route(f"{REST}{ID}members/", PARTIES, of("aggregation"), (Write(BUILDERS, {"ders": ["D-1"], "services": ["capacity"]}, DRAFT),)),
    Route(f"{REST}{ID}members/drop/", None, of("aggregation_drops"), (Write(BUILDERS, {"ders": ["D-1"]}),)),
    Route(f"{REST}{ID}members/file/", None, DRAFT, (Write(BUILDERS, file),)),
    Route(f"{REST}{ID}agents/", PARTIES, of("aggregation"), (Write(BUILDERS, {"role": "meter_reader"}),)),
    Route(f"{REST}{ID}composition/", PARTIES, of("aggregation")),
    Route(
        f"{REST}{ID}factors/",
        PARTIES,
        of("aggregation"),
        (Write(BUILDERS, lambda scene: {"factors": {scene.factor.pnode.name: "1"}}, DRAFT),),
    ),
    # the catalogue of services
    Route(SERVICES, CALLERS, writes=(Write(LAWGIVERS, {"code": "black_start", "name": "Black start", "level": "wholesale"}),)),
    Route(f"{SERVICES}<slug:pk>/", CALLERS, service),
    Route(f"{SERVICES}<slug:pk>/versions/", CALLERS, service),
    Route(
        f"{SERVICES}<slug:pk>/transitions/<slug:name>/",
        None,
        lambda scene: service(scene) | {"name": "approve"},
        (Write(LAWGIVERS, {}, people=True),),
    ),
)
