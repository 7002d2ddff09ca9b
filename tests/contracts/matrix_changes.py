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


ROUTES = (
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
