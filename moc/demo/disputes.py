"""A dispute of the demonstration state: a denial that its aggregator took to the regulator, with statements and a question."""

from django.core.files.base import ContentFile

from moc.access import policy
from moc.access.models import Organization, User
from moc.documents.models import Document
from moc.documents.services import store
from registry.submissions.models import Decision, StagedDer, UtilityReview
from registry.submissions.services import reviewing
from settlement.disputes.models import HEAR, PURSUE, Dispute, DisputePart
from settlement.disputes.services import levels, opening, pleading

STUDY = b"Screening study (generated): the feeder's hosting capacity is used up by the charger of the house beside it.\n"


def dispute(review: UtilityReview) -> None:
    """Deny a row of an open review by two people, and dispute it up to the regulator. Idempotent, step by step."""
    if Dispute.objects.filter(row__submission=review.submission).exists():
        return
    row = _denied(review)
    aggregator, utility = _first(PURSUE, review.aggregator), _first(PURSUE, review.edc)
    claim = "The study counts a charger next door that was taken out in spring. Please approve this one as filed."
    made = opening.open_dispute(actor=aggregator, row=row, claim=claim)
    text = "Our record still holds that charger. We would look again with a photograph of the panel."
    pleading.file(actor=utility, dispute=made, kind=DisputePart.Kind.STATEMENT, text=text)
    reason = "The photograph was sent twice and not answered; it is the state's interconnection rule that is at issue."
    levels.move(actor=aggregator, dispute=made, name="escalate_to_rerra", reason=reason)
    made.refresh_from_db()
    question = "When was the charger's service disconnected, by your meter's record?"
    pleading.file(actor=_first(HEAR, made.rerra), dispute=made, kind=DisputePart.Kind.QUESTION, text=question, asked="edc")


def _denied(review: UtilityReview) -> StagedDer:
    """The sixth row of the review, denied."""
    row = StagedDer.objects.of_review(review).order_by("row_number").select_related("decision", "aggregator")[5]
    reviewer, approver = _first("review_ders", review.edc), _first("confirm_denials", review.edc)
    if row.status == StagedDer.Status.PENDING:
        upload = ContentFile(STUDY, name="feeder-study.txt")
        evidence = store(actor=reviewer, owner=review.edc, kind=Document.Kind.EVIDENCE, upload=upload, counterparty=review.aggregator)
        terms = {"reason_code": Decision.Reason.R2, "statement": "The feeder's hosting capacity is used up.", "evidence": evidence}
        reviewing.decide(actor=reviewer, review=review, rows=StagedDer.objects.filter(pk=row.pk), kind=Decision.Kind.DENY, **terms)
        row.refresh_from_db()
    if row.status == StagedDer.Status.DENIAL_PROPOSED:
        reviewing.confirm_denial(actor=approver, decision=row.decision)
        row.refresh_from_db()
    return row


def _first(permission: str, organization: Organization) -> User:
    """A person of an organisation who may."""
    return policy.holders(permission, organization).order_by("pk").first()
