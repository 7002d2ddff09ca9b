"""The part of the access matrix for disputes: who sees which side, who pleads, who determines."""

from collections.abc import Callable

from django.core.files.uploadedfile import SimpleUploadedFile

from tests.contracts.matrix import PARTIES as PEOPLE
from tests.contracts.matrix import Route, Write
from tests.contracts.matrix_api import CALLERS, ID
from tests.contracts.matrix_filing import of
from tests.contracts.scene import MEMBERS, SIGNED_IN, Scene, who

HERE, REST = "settlement/", "api/v1/settlement/"
PARTIES = PEOPLE | who("machine")
AGGREGATOR = who("aggregator:approver|administrator")
UTILITY = who("edc:approver|administrator")
PURSUE = AGGREGATOR | UTILITY
RTO, REGULATOR = who("tso:auditor|administrator"), who("rerra:auditor|administrator")
RTO_DECIDES, REGULATOR_DECIDES = who("tso:administrator"), who("rerra:administrator")
NOT_UTILITY = who("aggregator:*", "machine", "tso:*")  # what the aggregator filed in confidence, before the RTO
OF_REGULATOR = who("rerra:*")
REASON = {"reason": "No answer came"}
SETTLED = {"effect": "none", "terms": "Let it stand"}
DRAFT = {"outcome": "upheld", "reasons": "It is so"}
CLAIM = {"claim": "The inverter was replaced"}


def pdf() -> SimpleUploadedFile:
    return SimpleUploadedFile("study.pdf", b"%PDF-1.7 study", "application/pdf")


def filing(**said) -> Callable[[Scene], dict]:
    return lambda scene: {"text": "As we said", **said}


def evidence(scene: Scene) -> dict:
    return {"text": "A study", "upload": pdf()}


def evidence_by_api(scene: Scene) -> dict:
    return {"kind": "evidence", "text": "A study", "file": pdf()}


def undisputed(scene: Scene) -> dict:
    return {"submission": scene.undisputed.submission.uuid, "number": scene.undisputed.row_number}


def opened(scene: Scene) -> dict:
    return {"submission": str(scene.undisputed.submission.uuid), "row": scene.undisputed.row_number, **CLAIM}


def question(scene: Scene) -> dict:
    return {"uuid": scene.dispute_at_rto.uuid, "part": scene.question_part.uuid}


def answered(scene: Scene) -> dict:
    return {"kind": "answer", "text": "These", "answers": str(scene.question_part.uuid)}


def opened_override(scene: Scene) -> dict:
    return {"override": str(scene.barred.uuid), **CLAIM}


def over_review(scene: Scene) -> dict:
    return {"uuid": scene.undisputed.submission.reviews.get().uuid}


ONE = f"{HERE}disputes/<uuid:uuid>/"
PORTAL = (
    Route(f"{HERE}disputes/", SIGNED_IN),
    Route(f"{HERE}disputes/export.csv", MEMBERS),
    Route(f"{HERE}disputes/export.xlsx", MEMBERS, writes=(Write(MEMBERS),)),
    Route(f"{HERE}disputes/figures/", SIGNED_IN),
    Route(f"{HERE}disputes/new/rows/<uuid:submission>/<int:number>/", AGGREGATOR, undisputed, (Write(AGGREGATOR, CLAIM),)),
    Route(f"{HERE}disputes/new/reviews/<uuid:uuid>/", AGGREGATOR, over_review, (Write(AGGREGATOR, CLAIM),)),
    Route(f"{HERE}disputes/new/overrides/<uuid:uuid>/", AGGREGATOR, of("barred"), (Write(AGGREGATOR, CLAIM),)),
    Route(ONE, PEOPLE, of("dispute")),
    Route(
        f"{ONE}transitions/<slug:name>/",
        None,
        of("dispute", name="escalate_to_rto"),
        (
            Write(PURSUE, REASON, name="escalate_to_rto"),
            Write(PURSUE, REASON, of("dispute_at_rto", name="escalate_to_rerra"), name="escalate_to_rerra"),
            Write(RTO, REASON, of("dispute_at_rto", name="refer"), name="refer"),
            Write(AGGREGATOR, REASON, of("dispute", name="withdraw"), name="withdraw"),
        ),
    ),
    Route(
        f"{ONE}file/<slug:kind>/",
        PURSUE,
        of("dispute", kind="statement"),
        (
            Write(AGGREGATOR, filing(), name="statement"),  # it is the aggregator's turn
            Write(PURSUE, evidence, of("dispute", kind="evidence"), name="evidence"),
            Write(RTO | UTILITY, filing(asked="aggregator"), of("dispute_at_rto", kind="question"), name="question"),
            Write(
                PURSUE | REGULATOR,
                filing(held_at="2026-01-05T10:00", attendees="Both"),
                of("dispute_at_rerra", kind="meeting"),
                name="meeting",
            ),
            Write(REGULATOR, filing(), of("dispute_at_rerra", kind="note"), name="note"),
        ),
    ),
    Route(f"{ONE}answers/<uuid:part>/", AGGREGATOR, question, (Write(AGGREGATOR, {"text": "These"}),)),
    Route(f"{ONE}propose/", PURSUE, of("dispute_at_rto"), (Write(PURSUE, SETTLED),)),
    Route(f"{ONE}determine/", REGULATOR, of("dispute_at_rerra"), (Write(REGULATOR, DRAFT),)),
    Route(f"{ONE}bundle/", PEOPLE, of("dispute")),
    Route(f"{ONE}bundle.ndjson", PEOPLE, of("dispute")),
    Route(f"{HERE}parts/<uuid:uuid>/", NOT_UTILITY - who("machine"), of("hidden_part")),
    Route(f"{HERE}parts/<uuid:uuid>/file/", PEOPLE, of("dispute_part")),
    Route(f"{HERE}proposals/<uuid:uuid>/", PEOPLE, of("proposal")),
    Route(
        f"{HERE}proposals/<uuid:uuid>/transitions/<slug:name>/",
        None,
        of("proposal", name="accept"),
        (
            Write(AGGREGATOR, {}, name="accept"),
            Write(AGGREGATOR, REASON, of("proposal", name="decline"), name="decline"),
            Write(UTILITY, {}, of("proposal", name="withdraw"), name="withdraw"),
        ),
    ),
    Route(f"{HERE}determinations/<uuid:uuid>/", OF_REGULATOR, of("drafted_determination")),
    Route(f"{HERE}determinations/<uuid:uuid>/letter.pdf", PEOPLE, of("determination")),
    Route(
        f"{HERE}determinations/<uuid:uuid>/transitions/<slug:name>/",
        None,
        of("drafted_determination", name="confirm"),
        (
            Write(REGULATOR_DECIDES, {}, name="confirm"),
            Write(REGULATOR_DECIDES, REASON, of("drafted_determination", name="reject"), name="reject"),
        ),
    ),
)

API = f"{REST}disputes/{ID}"
PROGRAMS = (
    Route(f"{REST}disputes/", CALLERS, writes=(Write(AGGREGATOR, opened), Write(AGGREGATOR, opened_override, name="over an override"))),
    Route(API, PARTIES, of("dispute")),
    Route(f"{API}versions/", PARTIES, of("dispute")),
    Route(
        f"{API}transitions/<slug:name>/",
        None,
        of("dispute", name="escalate_to_rto"),
        (
            Write(PURSUE, REASON, name="escalate_to_rto"),
            Write(RTO, REASON, of("dispute_at_rto", name="refer"), name="refer"),
            Write(AGGREGATOR, REASON, of("dispute", name="withdraw"), name="withdraw"),
        ),
    ),
    Route(
        f"{API}parts/",
        PARTIES,
        of("dispute"),
        (
            Write(AGGREGATOR, filing(kind="statement"), name="statement"),
            Write(PURSUE, evidence_by_api, name="evidence"),
            Write(AGGREGATOR, answered, of("dispute_at_rto"), name="answer"),
        ),
    ),
    Route(f"{API}proposals/", PARTIES, of("dispute"), (Write(PURSUE, SETTLED, of("dispute_at_rto")),)),
    Route(f"{API}determinations/", PARTIES, of("dispute"), (Write(REGULATOR, DRAFT, of("dispute_at_rerra")),)),
    Route(f"{API}bundle/", PARTIES, of("dispute")),
    Route(f"{REST}parts/", CALLERS),
    Route(f"{REST}parts/{ID}", NOT_UTILITY, of("hidden_part")),
    Route(f"{REST}parts/{ID}file/", NOT_UTILITY, of("hidden_part")),
    Route(f"{REST}proposals/", CALLERS),
    Route(f"{REST}proposals/{ID}", PARTIES, of("proposal")),
    Route(
        f"{REST}proposals/{ID}transitions/<slug:name>/",
        None,
        of("proposal", name="accept"),
        (Write(AGGREGATOR, {}, name="accept"), Write(UTILITY, {}, of("proposal", name="withdraw"), name="withdraw")),
    ),
    Route(f"{REST}determinations/", CALLERS),
    Route(f"{REST}determinations/{ID}", OF_REGULATOR, of("drafted_determination")),
    Route(f"{REST}determinations/{ID}letter/", PARTIES, of("determination")),
    Route(
        f"{REST}determinations/{ID}transitions/<slug:name>/",
        None,
        of("drafted_determination", name="confirm"),
        (
            Write(REGULATOR_DECIDES, {}, name="confirm"),
            Write(REGULATOR_DECIDES, REASON, of("drafted_determination", name="reject"), name="reject"),
        ),
    ),
)

ROUTES = (*PORTAL, *PROGRAMS)
