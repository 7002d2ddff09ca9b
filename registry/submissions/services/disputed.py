"""What ends a dispute is carried out here: denied, limited or undecided rows are approved, by two people's word (Order 2222 ¶299)."""

from decimal import Decimal

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from moc.access import policy
from moc.access.models import Organization, User
from moc.errors import Conflict, UserError
from moc.history import acting
from moc.lifecycle import TransitionRefused
from registry.submissions.kinds import Kind as SubmissionKind
from registry.submissions.models import Decision, StagedDer, UtilityReview
from registry.submissions.services import effects, overtaken, reviewing, switches

Kind, Basis = Decision.Kind, Decision.Basis
MOVES = {Kind.APPROVE: "overturn", Kind.APPROVE_LIMITED: "vary"}
LIMITS = ("export_limit_kw", "import_limit_kw")
DETERMINE, PURSUE = "determine_disputes", "pursue_disputes"


def end_dispute(
    *,
    actor,
    review: UtilityReview,
    rows: QuerySet[StagedDer],
    kind: str,
    statement: str,
    decided_by: User,
    authority: Organization | None = None,
    inverter_settings: dict | None = None,
    **limits: Decimal | None,
) -> Decision:
    """Approve disputed rows of a review, closed or open: the decision with its `limits` and settings, rows, master records, their history.

    With an `authority` it is that RTO's or regulator's determination, drafted by `decided_by` and confirmed by `actor`; without one it is
    the agreement of the two parties, proposed by `decided_by` of one and accepted by `actor` of the other. Raises UserError for one
    person's word or for what the decision lacks, and Conflict where the rows are overtaken or not disputed any more.
    """
    policy.require(actor, DETERMINE if authority else PURSUE, authority or review)
    if actor == decided_by:
        raise UserError("What ends a dispute is the word of two people.", "Ask the other.", "FOUR-EYES")
    reviewing.require_complete(kind, statement, "", None, tuple(limits.get(name) for name in LIMITS))
    settings = reviewing.checked_settings(inverter_settings)
    with transaction.atomic(), acting(actor, f"{Kind(kind).label} at the end of a dispute: {statement}"[:300]):
        locked = UtilityReview.objects.select_for_update(of=("self",)).select_related("submission", "edc", "aggregator").get(pk=review.pk)
        chosen = rows.of_review(locked)
        _require_possible(locked, chosen, statement)
        basis = Basis.DETERMINATION if authority else Basis.SETTLEMENT
        words = {"kind": kind, "statement": statement, "basis": basis, "authority": authority}
        confirmed = {"decided_by": decided_by, "confirmed_by": actor, "confirmed_at": timezone.now()}
        decision = Decision.objects.create(review=locked, inverter_settings=settings, **words, **confirmed, **limits)
        _take(decision, chosen, actor)
        effects.carry_out(decision)
        overtaken.refuse([decision])
        if locked.status != UtilityReview.Status.CLOSED:
            reviewing.close_if_decided(locked)
    return decision


def _require_possible(review: UtilityReview, rows: QuerySet[StagedDer], statement: str) -> None:
    """What every approval must meet: who holds the DERs was heard, or holds them still."""
    if review.submission.kind == SubmissionKind.SWITCH:
        switches.require_heard(review, statement)
    else:
        reviewing.require_tenure(review, rows)


def _take(decision: Decision, rows: QuerySet[StagedDer], actor) -> None:
    """Tie the rows to the decision and move them."""
    if not rows.order_by().exists():
        raise Conflict("None of these DERs is denied, limited or undecided any more.", "Dismiss the dispute, or withdraw it.")
    try:
        decision.row_count = StagedDer.lifecycle.move(rows, MOVES[decision.kind], actor=actor, reason=str(decision), decision=decision)
    except TransitionRefused as refused:
        raise Conflict(
            f"{refused.refused} of {refused.expected} rows were decided meanwhile; nothing was changed.", "Reload the dispute."
        ) from refused
    decision.save(update_fields=["row_count"])
