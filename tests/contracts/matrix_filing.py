"""The part of the access matrix for filing and reviewing: the aggregator's pages and the utility's."""

from collections.abc import Callable

from django.core.files.uploadedfile import SimpleUploadedFile

from registry.submissions.forms.rows import STEPS
from registry.submissions.services import filing
from tests.contracts.matrix import PARTIES, Route, Write
from tests.contracts.scene import SIGNED_IN, Scene, who

FILERS = who("aggregator:filer|approver|administrator")
ANY_FILERS = FILERS | who("aggregator2:administrator")
SUBMITTERS = who("aggregator:approver|administrator")
DECIDERS = who("edc:reviewer|approver|administrator")
CONFIRMERS = who("edc:approver|administrator")
PERSONAL = FILERS | DECIDERS
REVEAL = {"purpose": "account"}


def of(thing: str, /, **further) -> Callable[[Scene], dict]:
    """The address of one of the scene's objects."""
    return lambda scene: {"uuid": getattr(scene, thing).uuid, **further}


def table(text: str) -> Callable[[Scene], dict]:
    """A form with a file."""
    return lambda scene: {"file": SimpleUploadedFile("table.csv", text.encode(), "text/csv"), "title": "A table"}


def attested(scene: Scene) -> dict:
    """The attestation in force, accepted."""
    return {"rows": "all", "attestation_version": filing.attestation()[0], "accepted": "on"}


def decision(name: str) -> Callable[[Scene], dict]:
    return lambda scene: {"uuid": scene.review.uuid, "decision": getattr(scene, name).uuid}


ROW = "external_id,der_type\nD-9,photovoltaic\n"
SUBMISSIONS, REVIEWS = "registry/submissions/", "registry/reviews/"
ONE, REVIEW = f"{SUBMISSIONS}<uuid:uuid>/", f"{REVIEWS}<uuid:uuid>/"

FILING = (
    Route(SUBMISSIONS, SIGNED_IN),
    Route(f"{SUBMISSIONS}new/", ANY_FILERS),
    Route(f"{SUBMISSIONS}new/form/", ANY_FILERS, writes=(Write(ANY_FILERS, {"title": "By form"}),)),
    Route(f"{SUBMISSIONS}new/file/", ANY_FILERS, writes=(Write(ANY_FILERS, table(ROW)),)),
    Route(f"{SUBMISSIONS}template.csv", SIGNED_IN),
    Route(f"{SUBMISSIONS}template.xlsx", SIGNED_IN),
    Route(ONE, PARTIES, of("submission")),
    Route(f"{ONE}progress/", PARTIES, of("submission")),
    Route(f"{ONE}cancel/", None, of("reading"), (Write(FILERS),)),
    Route(f"{ONE}correct/", FILERS, of("draft"), (Write(FILERS, table(ROW)),)),
    Route(f"{ONE}submit/", SUBMITTERS, of("draft"), (Write(SUBMITTERS, attested),)),
    Route(f"{ONE}findings.csv", FILERS, of("submission")),
    Route(f"{ONE}transitions/<slug:name>/", None, of("draft", name="withdraw"), (Write(FILERS, {"reason": "a mistake"}),)),
    Route(
        f"{ONE}answers/<uuid:decision>/",
        None,
        lambda scene: {"uuid": scene.submission.uuid, "decision": scene.decision.uuid},
        (Write(FILERS, lambda scene: {f"answer-{scene.decision.uuid}-text": "The one on the roof."}),),
    ),
    Route(f"{ONE}rows/", PARTIES, of("submission")),
    Route(f"{ONE}rows/new/", FILERS, of("draft"), (Write(FILERS, {"external_id": "D-9"}),)),
    Route(f"{ONE}rows/<int:number>/", PARTIES, of("submission", number=2)),
    Route(f"{ONE}rows/<int:number>/remove/", None, of("draft", number=1), (Write(FILERS),)),
    Route(f"{ONE}rows/<int:number>/reveal/", PERSONAL, of("submission", number=2), (Write(PERSONAL, REVEAL),)),
    Route("registry/ders/<uuid:uuid>/owner/", PERSONAL, of("der"), (Write(PERSONAL, REVEAL),)),
    Route(
        "registry/ders/<uuid:uuid>/owner/erase/",
        who("edc:administrator"),
        of("der"),
        (Write(who("edc:administrator"), {"reason": "asked for it", "sure": "on"}),),
    ),
    Route(
        f"{ONE}rows/<int:number>/<slug:step>/",
        FILERS,
        of("draft", number=1, step=STEPS[0].slug),
        (Write(FILERS, {"external_id": "D-3", "der_type": "photovoltaic", "model": "another"}),),
    ),
)

REVIEWING = (
    Route(REVIEWS, SIGNED_IN),
    Route(
        REVIEW,
        PARTIES,
        of("review"),
        (Write(DECIDERS, lambda scene: {"kind": "approve", "selected": [scene.row.row_number]}),),
    ),
    Route(f"{REVIEW}rows.csv", PARTIES, of("review")),
    Route(f"{REVIEW}rows.xlsx", PARTIES, of("review"), (Write(PARTIES),)),
    Route(f"{REVIEW}decision-file/", DECIDERS, of("review"), (Write(DECIDERS, table("row_number,decision\n2,approve\n")),)),
    Route(f"{REVIEW}decisions/<uuid:decision>/confirm/", None, decision("denial"), (Write(CONFIRMERS),)),
    Route(f"{REVIEW}decisions/<uuid:decision>/reject/", CONFIRMERS, decision("denial"), (Write(CONFIRMERS, {"reason": "not shown"}),)),
    Route(f"{REVIEW}decisions/<uuid:decision>/letter.pdf", PARTIES, decision("decision")),
)

ROUTES = (*FILING, *REVIEWING)
