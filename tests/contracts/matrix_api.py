"""The API's part of the access matrix: every operation."""

from collections.abc import Callable
from datetime import timedelta

from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from registry.submissions.services import filing
from tests.contracts.matrix import NEW_CLIENT, STAFF, Route, Write, public_key
from tests.contracts.matrix import PARTIES as PEOPLE
from tests.contracts.matrix_filing import ANY_FILERS, CONFIRMERS, DECIDERS, FILERS, REVEAL, SUBMITTERS, of
from tests.contracts.scene import MACHINES, OPERATORS, OVERSEERS, OWN, SIGNED_IN, UTILITY, Scene, who

CALLERS = SIGNED_IN | MACHINES
MACHINE = who("machine")
PARTIES, FILING = PEOPLE | MACHINE, FILERS | MACHINE
PERSONAL = FILING | DECIDERS
OF_UTILITY = UTILITY | OVERSEERS
HELD = who(OWN) | OPERATORS  # what is one's own is seen by the operator too
API = "api/v1/registry/"
DERS, SUBMISSIONS, REVIEWS, DECISIONS = (f"{API}{name}/" for name in ("ders", "submissions", "reviews", "decisions"))
ID = "<uuid:uuid>/"
CLIENT, ADMINISTRATOR = f"api/v1/machine-clients/{ID}", who("edc:administrator")


def attested(scene: Scene) -> dict:
    return {"attestation_version": filing.attestation()[0]}


def study(scene: Scene) -> dict:
    return {"file": SimpleUploadedFile("study.pdf", b"%PDF-1.7 study", "application/pdf")}


def table(scene: Scene) -> dict:
    return {"file": SimpleUploadedFile("decisions.csv", b"row_number,decision\n2,approve", "text/csv")}


def let_in(scene: Scene) -> dict:
    return {"organization": "edc", "operator": "operator", "reason": "Case 2"}


def tenure_over(scene: Scene) -> dict:
    later = timezone.localdate() + timedelta(days=2)
    return {"verb": "end", "ders": [str(scene.der.uuid)], "on": str(later), "reason": "Left"}


def first_pk(name: str) -> Callable[[Scene], dict]:
    """Of the utility's feeders or service points."""
    return lambda scene: {"pk": getattr(scene.world, name)["edc"][0].pk}


FILED = {"rows": [{"external_id": "D-9", "der_type": "photovoltaic"}]}

ADMISSION = f"api/v1/admissions/{ID}"
ADMITTERS = who("rerra:administrator", "operator:administrator", "operator2:administrator")

ROUTES = (
    # admissions
    Route("api/v1/admissions/", CALLERS),
    Route(ADMISSION, ADMITTERS | who("nobody"), of("admission")),
    Route(f"{ADMISSION}transitions/<slug:name>/", None, of("admission", name="admit"), (Write(ADMITTERS, {}),)),
    # the record
    Route(DERS, CALLERS),
    Route(f"{DERS}{ID}", PARTIES, of("der")),
    Route(f"{DERS}{ID}owner/", PERSONAL, of("der")),
    Route(f"{DERS}{ID}owner/reveal/", None, of("der"), (Write(PERSONAL, REVEAL),)),
    Route(f"{DERS}{ID}owner/erase/", None, of("der"), (Write(who("edc:administrator"), {"reason": "asked for it"}),)),
    Route(f"{DERS}{ID}owner/invite/", None, of("der"), (Write(PERSONAL),)),
    Route(f"{DERS}{ID}letter/", PARTIES, of("der")),
    Route(f"{DERS}tenures/", None, writes=(Write(who("edc:approver|administrator"), tenure_over),)),
    Route(f"{DERS}{ID}versions/", PARTIES, of("der")),
    # filing
    Route(SUBMISSIONS, CALLERS, writes=(Write(ANY_FILERS | MACHINES, FILED),)),
    Route(f"{SUBMISSIONS}{ID}", PARTIES, of("submission")),
    Route(f"{SUBMISSIONS}{ID}findings/", PARTIES, of("submission")),
    Route(f"{SUBMISSIONS}{ID}rows/", PARTIES, of("submission"), (Write(FILING, FILED, of("draft")),)),
    Route(
        f"{SUBMISSIONS}{ID}rows/<int:row>/",
        PARTIES,
        of("submission", row=2),
        (
            Write(FILING, {"model": "another"}, of("draft", row=1), method="patch", name="mend"),
            Write(FILING, None, of("draft", row=1), method="delete", name="remove"),
        ),
    ),
    Route(f"{SUBMISSIONS}{ID}rows/<int:row>/owner/reveal/", None, of("submission", row=2), (Write(PERSONAL, REVEAL),)),
    Route(
        f"{SUBMISSIONS}{ID}transitions/<slug:name>/",
        None,
        of("draft", name="submit"),
        (
            Write(SUBMITTERS, attested, name="submit"),
            Write(FILING, {"reason": "a mistake"}, of("draft", name="withdraw"), name="withdraw"),
        ),
    ),
    Route(f"{API}attestation/", CALLERS),
    # reviewing
    Route(REVIEWS, CALLERS),
    Route(f"{REVIEWS}{ID}", PARTIES, of("review")),
    Route(f"{REVIEWS}{ID}rows/", PARTIES, of("review")),
    Route(f"{REVIEWS}{ID}decisions/", PARTIES, of("review"), (Write(DECIDERS, {"kind": "approve", "rows": [2]}),)),
    Route(
        f"{REVIEWS}{ID}decision-file/",
        None,
        of("review"),
        (Write(DECIDERS, table),),
    ),
    Route(f"{REVIEWS}{ID}documents/", None, of("review"), (Write(DECIDERS, study),)),
    Route(DECISIONS, CALLERS),
    Route(f"{DECISIONS}{ID}", PARTIES, of("decision")),
    Route(f"{DECISIONS}{ID}letter/", PARTIES, of("decision")),
    Route(
        f"{DECISIONS}{ID}transitions/<slug:name>/",
        None,
        of("denial", name="confirm"),
        (
            Write(CONFIRMERS, {}, name="confirm"),
            Write(CONFIRMERS, {"reason": "not shown"}, of("denial", name="reject"), name="reject"),
            Write(FILING, {"text": "The one on the roof."}, of("decision", name="answer"), name="answer"),
        ),
    ),
    # participants and grid
    Route(f"{API}organizations/", CALLERS),
    Route(f"{API}organizations/<slug:slug>/", OF_UTILITY | OPERATORS, lambda scene: {"slug": "edc"}),
    Route(f"{API}counties/", CALLERS),
    Route(f"{API}counties/<slug:fips>/", CALLERS, lambda scene: {"fips": "34025"}),
    Route(f"{API}feeders/", CALLERS),
    Route(f"{API}feeders/<int:pk>/", OF_UTILITY, first_pk("feeders")),
    Route(f"{API}service-points/", CALLERS),
    Route(f"{API}service-points/<int:pk>/", OF_UTILITY, first_pk("service_points")),
    # the platform
    Route("api/v1/rulesets/", CALLERS),
    Route("api/v1/rulesets/<int:pk>/", CALLERS, lambda scene: {"pk": scene.ruleset.pk}),
    Route("api/v1/documents/", CALLERS),
    Route(f"api/v1/documents/{ID}", PARTIES, of("document")),
    Route(f"api/v1/documents/{ID}file/", PARTIES, of("document")),
    Route(f"api/v1/documents/{ID}versions/", PARTIES, of("document"), (Write(DECIDERS, study),)),
    Route("api/v1/notices/", CALLERS),
    Route("api/v1/notices/<uuid:uuid>/", who(OWN), lambda scene: {"uuid": scene.notice.uuid}, held=True),
    Route("api/v1/notices/<uuid:uuid>/read/", None, lambda scene: {"uuid": scene.notice.uuid}, (Write(who(OWN), held=True),)),
    Route("api/v1/jobs/", CALLERS),
    Route("api/v1/jobs/<uuid:uuid>/", HELD, lambda scene: {"uuid": scene.job.uuid}, held=True),
    Route(
        "api/v1/jobs/<uuid:uuid>/cancel/",
        None,
        lambda scene: {"uuid": scene.job.uuid},
        (Write(who(OWN, "operator:administrator", "operator2:administrator"), held=True),),
    ),
    Route("api/v1/machine-clients/", CALLERS, writes=(Write(ADMINISTRATOR, {**NEW_CLIENT, "organization": "edc"}),)),
    Route(f"{CLIENT}", ADMINISTRATOR, of("client")),
    Route(f"{CLIENT}credentials/", ADMINISTRATOR, of("client")),
    Route(f"{CLIENT}secrets/", None, of("client"), (Write(ADMINISTRATOR),)),
    Route(f"{CLIENT}keys/", None, of("client"), (Write(ADMINISTRATOR, public_key),)),
    Route(
        f"{CLIENT}credentials/<uuid:credential>/revoke/",
        None,
        lambda scene: {"uuid": scene.client.uuid, "credential": scene.credential.uuid},
        (Write(ADMINISTRATOR),),
    ),
    Route(f"{CLIENT}end/", None, of("client"), (Write(ADMINISTRATOR),)),
    Route("api/v1/support-grants/", CALLERS, writes=(Write(who("edc:administrator"), let_in, people=True),)),
    Route(f"api/v1/support-grants/{ID}", OF_UTILITY | STAFF, of("support")),
    Route(f"api/v1/support-grants/{ID}acts/", OF_UTILITY | STAFF, of("support")),
    Route(f"api/v1/support-grants/{ID}revoke/", None, of("support"), (Write(who("edc:administrator")),)),
    Route("api/v1/queues/", CALLERS),
    Route("api/v1/schema/", CALLERS),
    Route("api/v1/docs/", SIGNED_IN),
)
