"""Disputes in tests: rows that a utility denied or limited, and a dispute over them as far as a test wants it."""

from django.core.files.uploadedfile import SimpleUploadedFile

from moc.documents.models import Document
from moc.documents.services import store
from registry.submissions.models import Decision, StagedDer, UtilityReview
from registry.submissions.services import reviewing
from settlement.disputes.models import Dispute
from settlement.disputes.services import levels, opening
from tests.factories.filings import reviewed, row
from tests.factories.world import World

STUDY = b"%PDF-1.7 a study"


def pdf(name: str = "study.pdf", content: bytes = STUDY) -> SimpleUploadedFile:
    """Evidence as a form hands it over."""
    return SimpleUploadedFile(name, content, "application/pdf")


def denied(world: World, count: int = 2) -> UtilityReview:
    """A closed review of `count` rows whose first is denied, by two people and with evidence; the others are approved."""
    review = reviewed(world, [row(n) for n in range(1, count + 1)])
    reviewer, approver = world.user("edc", "reviewer"), world.user("edc", "approver")
    rows = StagedDer.objects.filter(submission=review.submission)
    if count > 1:
        reviewing.decide(actor=reviewer, review=review, rows=rows.exclude(external_id="A-1"), kind=Decision.Kind.APPROVE)
    study = store(actor=reviewer, owner=world.edc, kind=Document.Kind.EVIDENCE, upload=pdf(), counterparty=world.aggregator)
    terms = {"statement": "Another inverter stands there.", "reason_code": Decision.Reason.R6, "evidence": study}
    proposed = reviewing.decide(actor=reviewer, review=review, rows=rows.filter(external_id="A-1"), kind=Decision.Kind.DENY, **terms)
    reviewing.confirm_denial(actor=approver, decision=proposed)
    review.refresh_from_db()
    return review


def denied_review(world: World) -> UtilityReview:
    """A review with a denied row: the one that stands for all tests of a file, or a new one."""
    rows = StagedDer.objects.filter(external_id="A-1", status=StagedDer.Status.DENIED, submission__aggregator=world.aggregator)
    return UtilityReview.objects.filter(submission__in=rows.values("submission"), edc=world.edc).first() or denied(world)


def denied_row(world: World) -> StagedDer:
    """The denied row of such a review."""
    return denied_review(world).submission.rows.select_related("aggregator").get(external_id="A-1")


def disputed(world: World, level: str = "") -> Dispute:
    """A dispute over a denied row, between the parties or taken to a level ("rto", "rerra") by the aggregator."""
    made = opening.open_dispute(
        actor=world.user("aggregator", "approver"), row=denied_row(world), claim="The inverter was replaced: approve it."
    )
    if level:
        made = levels.escalate(
            actor=world.user("aggregator", "approver"), dispute=made, name=f"escalate_to_{level}", reason="No answer came."
        )
    made.refresh_from_db()
    return made
