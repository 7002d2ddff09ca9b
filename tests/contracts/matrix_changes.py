"""The part of the access matrix about changes of registered DERs: pages and API."""

from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from tests.contracts.matrix import PARTIES, Route, Write
from tests.contracts.matrix_api import API, CALLERS, ID, REVIEWS, SUBMISSIONS
from tests.contracts.matrix_filing import ANY_FILERS, DECIDERS, FILERS, of
from tests.contracts.matrix_filing import REVIEW as REVIEW_PAGE
from tests.contracts.scene import MACHINES, SIGNED_IN, Scene, who

PAGES = "registry/submissions/"
WIDER = {"reason": "The feeder is full"}
NEXT_OWNER = {"edc_account_no": "A-77", "owner_name": "Next", "consent_reference": "C-77", "reason": "Sold"}


def retired(scene: Scene) -> dict:
    return {"kind": "retire", "reason": "Dismantled", "number": 1}


def changed(scene: Scene) -> dict:
    return {"kind": "retire", "reason": "Dismantled", "ders": [str(scene.der.uuid)]}


NEW_HOLDERS = who("aggregator2:administrator")
ASKERS = NEW_HOLDERS | who("machine2")
SWITCHERS = PARTIES | ASKERS - who("machine2")


def facts(scene: Scene) -> dict:
    return {"edc": scene.world.edc.pk, "usage_point_id": "edc-up-01", "fact": "account", "value": "A-1"}


def sent_facts(scene: Scene) -> dict:
    return facts(scene) | {"edc": "edc"}


def paper() -> SimpleUploadedFile:
    return SimpleUploadedFile("authorisation.txt", b"I authorise it.", "text/plain")


def authorised(scene: Scene) -> dict:
    return {"starts_on": str(timezone.localdate()), "authorisation": "AU-1", "evidence": paper()}


def sent_switch(scene: Scene) -> dict:
    return authorised(scene) | {"look_ups": [str(scene.look_up.uuid)]}


RTO = who("tso:administrator")
REGULATOR = who("rerra:administrator")
SELLERS = who("aggregator:*", "tso:*")
MEMBERS_TABLE = {"act": "add", "rows": "all", "reason": "Sold"}


def joining(scene: Scene) -> dict:
    return {"how": "list", "ders": "D-1", "services": ["capacity"], "reason": "Sold"}


def leaving(scene: Scene) -> dict:
    return {"how": "list", "ders": "D-8", "reason": "Sold"}


def sent_members(scene: Scene) -> dict:
    return {"aggregation": str(scene.aggregation_filed.uuid), "kind": "add", "reason": "Sold", "ders": ["D-1"], "services": ["capacity"]}


def members_table(scene: Scene) -> dict:
    return MEMBERS_TABLE | {
        "aggregation": str(scene.aggregation_filed.uuid),
        "file": SimpleUploadedFile("members.csv", b"der\nD-1\n", "text/csv"),
    }


AGGREGATION = "registry/aggregations/<uuid:uuid>/members/"
VALIDATION = "registry/member-validations/<uuid:uuid>/"
ROUTES = (
    Route(f"{AGGREGATION}join/", FILERS, of("aggregation_filed"), (Write(FILERS, joining),)),
    Route(f"{AGGREGATION}leave/", FILERS, of("aggregation_filed"), (Write(FILERS, leaving),)),
    Route(f"{AGGREGATION}filed/", FILERS, of("aggregation_filed"), (Write(FILERS, members_table),)),
    Route("registry/member-validations/", SIGNED_IN),
    Route(VALIDATION, SELLERS, of("joining")),
    Route(f"{VALIDATION}validate/", RTO, of("joining"), (Write(RTO, {}),)),
    Route(f"{VALIDATION}deny/", RTO, of("failing_to_join"), (Write(RTO, {"rule": "PQ-AGG-UNSTATED"}),)),
    Route(f"{SUBMISSIONS}members/", None, writes=(Write(FILERS | who("machine"), sent_members),)),
    Route(f"{SUBMISSIONS}members/file/", None, writes=(Write(FILERS | who("machine"), members_table),)),
    Route("registry/regulator-parts/<uuid:uuid>/answer/", REGULATOR, of("regulator_part"), (Write(REGULATOR, {"statement": "Noted"}),)),
    Route(f"{API}regulator-parts/", CALLERS),
    Route(f"{API}regulator-parts/{ID}", PARTIES | who("machine"), of("regulator_part")),
    Route(
        f"{API}regulator-parts/{ID}transitions/<slug:name>/",
        None,
        of("regulator_part", name="answer"),
        (Write(REGULATOR, {"statement": "Noted"}, name="answer"),),
    ),
    Route(f"{API}member-validations/", CALLERS),
    Route(f"{API}member-validations/{ID}", SELLERS | who("machine"), of("joining")),
    Route(
        f"{API}member-validations/{ID}transitions/<slug:name>/",
        None,
        of("joining", name="validate"),
        (
            Write(RTO, {}, name="validate"),
            Write(RTO, {"rule": "PQ-AGG-UNSTATED"}, of("failing_to_join", name="deny"), name="deny"),
        ),
    ),
    Route(f"{PAGES}approvals/", SIGNED_IN),
    Route("registry/look-up/", ANY_FILERS, writes=(Write(ANY_FILERS, facts),)),
    Route("registry/look-up/<uuid:uuid>/switch/", NEW_HOLDERS, of("look_up"), (Write(NEW_HOLDERS, authorised),)),
    Route("registry/switches/", SIGNED_IN),
    Route("registry/switches/<uuid:uuid>/", SWITCHERS - who("machine"), of("switch")),
    Route("registry/switches/<uuid:uuid>/answer/", FILERS, of("switch"), (Write(FILERS, {"answer": "agree"}),)),
    Route(f"{API}look-ups/", CALLERS, writes=(Write(ANY_FILERS | MACHINES, sent_facts),)),
    Route(f"{API}look-ups/{ID}", ASKERS, of("look_up")),
    Route(f"{API}switches/", CALLERS, writes=(Write(NEW_HOLDERS | who("machine2"), sent_switch),)),
    Route(f"{API}switches/{ID}", SWITCHERS | ASKERS | who("machine"), of("switch")),
    Route(
        f"{API}switches/{ID}transitions/<slug:name>/",
        None,
        of("switch", name="agree"),
        (
            Write(FILERS | who("machine"), {}, name="agree"),
            Write(
                FILERS | who("machine"),
                {"ground": "wrong_der", "statement": "Another house"},
                of("switch", name="object"),
                name="object",
            ),
        ),
    ),
    Route(f"{PAGES}new/change/", ANY_FILERS, writes=(Write(FILERS, retired, query="?q=D-8"),)),
    Route("registry/ders/<uuid:uuid>/sold/", FILERS, of("der"), (Write(FILERS, NEXT_OWNER),)),
    Route(f"{REVIEW_PAGE}scope/", DECIDERS, of("review"), (Write(DECIDERS, WIDER),)),
    Route(f"{SUBMISSIONS}changes/", None, writes=(Write(FILERS | who("machine"), changed),)),
    Route(f"{REVIEWS}{ID}scope/", None, of("review"), (Write(DECIDERS, WIDER),)),
)
