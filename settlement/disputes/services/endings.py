"""What every end of a dispute shares: it is closed with its outcome, what is still proposed lapses, the effect reaches the record."""

from django.utils import timezone

from moc.errors import Conflict
from registry.prequalification.services.overriding import lift
from registry.submissions.models import Decision
from registry.submissions.services.disputed import end_dispute
from settlement.disputes.endings import Determination, SettlementProposal
from settlement.disputes.models import PARTIES, Dispute
from settlement.disputes.services.opening import disputed_rows, review_of
from settlement.disputes.services.parties import DECIDER, tell_sides

ENDED_BY = "system: the dispute has ended"


def close(dispute: Dispute, move: str, outcome: str, *, actor, reason: str, event: str = "dispute_closed", **context) -> None:
    """Close a held dispute, and tell everybody whom it was before."""
    sides = (*PARTIES, *filter(None, [DECIDER.get(dispute.status)]))
    values = {"outcome": outcome, "closed_at": timezone.now(), "turn": "", "turn_due_at": None}
    Dispute.lifecycle.move(Dispute.objects.filter(pk=dispute.pk), move, actor=actor, reason=reason, **values)
    dispute.refresh_from_db()
    subject = f"{dispute}: {dispute.get_outcome_display().lower()}"
    tell_sides(dispute, *sides, event=event, subject=subject, author=actor, reason=reason, **context)


def lapse(dispute: Dispute, actor) -> None:
    """What somebody proposed and nobody answered ends with the dispute."""
    for model in (Determination, SettlementProposal):
        waiting = model.objects.filter(dispute=dispute, status=model.Status.PROPOSED)
        model.lifecycle.move(waiting, "lapse", actor=actor, reason=ENDED_BY)


def carry_out(dispute: Dispute, kind: str, *, actor, statement: str, decided_by, authority=None, **limits) -> Decision | None:
    """Have the registry's own service approve the disputed rows, or end the override (of which no decision comes).

    Raises Conflict with a remedy of this slice.
    """
    if dispute.override_id:
        _end_override(dispute, kind, actor=actor, statement=statement, decided_by=decided_by, authority=authority)
        return None
    if dispute.row_id and dispute.row is None:
        raise Conflict("The disputed DER's filing is kept no longer.", "Dismiss the dispute, or withdraw it.", "DISPUTE-MOOT")
    review = review_of(dispute.row) if dispute.row_id else dispute.review
    given = {"actor": actor, "statement": statement, "decided_by": decided_by, "authority": authority}
    try:
        return end_dispute(review=review, rows=disputed_rows(dispute), kind=kind, **given, **limits)
    except Conflict as refused:
        remedy = "File it anew, or end the dispute without this effect: dismiss it, settle that the decision stands, or withdraw it."
        raise Conflict(refused.sentence, remedy, refused.code) from refused


def _end_override(dispute: Dispute, kind: str, **said) -> None:
    if kind == Decision.Kind.APPROVE_LIMITED:
        raise Conflict("An override has no limits.", "Let the rules decide, or let the override stand.", "DISPUTE-OVERRIDE")
    try:
        lift(override=dispute.override, **said)
    except Conflict as refused:
        raise Conflict(refused.sentence, "Dismiss the dispute, or withdraw it.", refused.code) from refused
