"""The utility's verbs: decide one row or a hundred thousand, confirm denials, close (¶292, ¶296, ¶297)."""

from collections.abc import Iterable
from decimal import Decimal

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from moc.access import policy
from moc.documents.models import Document
from moc.errors import Conflict, UserError
from moc.history import acting
from moc.lifecycle import TransitionRefused
from moc.notices.services import tell
from moc.units import counted
from registry.ders import inverters
from registry.ders.services.tenures import hold
from registry.submissions.kinds import Kind as SubmissionKind
from registry.submissions.models import Decision, StagedDer, Submission, UtilityReview
from registry.submissions.rules import tenure_over
from registry.submissions.services import effects, locks, members, overtaken, regulators, switches
from registry.utilities.models import LetterTemplate

Kind, Status = Decision.Kind, Decision.Status
MOVES = {
    Kind.APPROVE: "approve",
    Kind.APPROVE_LIMITED: "approve_limited",
    Kind.REQUEST_INFO: "request_info",
    Kind.DENY: "deny",
    Kind.DEEMED: "deem",
    Kind.NOTICE: "note",
}
MERGING = (Kind.APPROVE, Kind.APPROVE_LIMITED, Kind.DEEMED, Kind.NOTICE)


def decide(
    *,
    actor,
    review: UtilityReview,
    rows: QuerySet[StagedDer],
    kind: str,
    statement: str = "",
    reason_code: str = "",
    evidence: Document | None = None,
    export_limit_kw: Decimal | None = None,
    import_limit_kw: Decimal | None = None,
    temporal_limits: list | None = None,
    inverter_settings: dict | None = None,
) -> Decision:
    """Decide rows of a review in one transaction: the decision, the rows, the master records and their history, the notices.

    Approvals take effect at once; a denial is only proposed (`confirm_denial`). Raises UserError for what the decision lacks, and
    Conflict when any of the rows was decided meanwhile, or is overtaken; then nothing is changed.
    """
    limits = {"export_limit_kw": export_limit_kw, "import_limit_kw": import_limit_kw, "temporal_limits": temporal_limits}
    said = {"kind": kind, "statement": statement, "reason_code": reason_code, "evidence": evidence}
    terms = said | limits | {"inverter_settings": inverter_settings}
    return decide_all(actor=actor, review=review, wishes=[(rows, terms)])[0]


def decide_all(*, actor, review: UtilityReview, wishes: Iterable[tuple[QuerySet[StagedDer], dict]]) -> list[Decision]:
    """Several decisions on one review as one: `wishes` are rows and the terms of `decide`, taken in their order, all or none."""
    with transaction.atomic():
        policy.require(actor, "review_ders", review.edc)
        review = locks.review_of(review)
        decisions = [_decide(actor, review, rows, **terms) for rows, terms in wishes]
        overtaken.refuse([decision for decision in decisions if decision.kind in MERGING])
        close_if_decided(review)
    return decisions


def _decide(actor, review: UtilityReview, rows: QuerySet[StagedDer], *, kind: str, statement: str = "", **terms) -> Decision:
    """One decision under the lock of its review."""
    _require_right(actor, kind)
    limits = tuple(terms.get(name) for name in ("export_limit_kw", "import_limit_kw", "temporal_limits"))
    require_complete(kind, statement, terms.get("reason_code", ""), terms.get("evidence"), limits)
    terms["inverter_settings"] = checked_settings(terms.get("inverter_settings"))
    with acting(actor, f"{Kind(kind).label}: {statement or review}"[:300]):
        if kind in MERGING:
            regulators.require_answered(review)
        if kind in MERGING and review.submission.kind == SubmissionKind.SWITCH:
            switches.require_heard(review, statement)
        elif kind in MERGING:
            require_tenure(review, rows.of_review(review))
        decision = Decision.objects.create(
            review=review,
            kind=kind,
            status=Status.PROPOSED if kind == Kind.DENY else Status.EFFECTIVE,
            statement=statement,
            decided_by=actor,
            letter_template=LetterTemplate.objects.of(review.edc_id, LetterTemplate.Kind.DECISION),
            **terms,
        )
        _take(decision, rows.of_review(review), actor)
        if kind in MERGING:
            effects.carry_out(decision)
        _after(review, decision)
    return decision


def checked_settings(said: dict | None) -> dict | None:
    """Inverter settings as a decision keeps them, None where there are none. Raises UserError (DECISION-SETTINGS)."""
    try:
        return None if said is None else inverters.checked(said) or None
    except inverters.WrongSettings as wrong:
        raise UserError(f"These are no inverter settings: {wrong}", "Correct them, or leave them empty.", "DECISION-SETTINGS") from wrong


def take_note(review: UtilityReview) -> None:
    """Of a review that has just begun, the rows of which the utility only takes note are effective at once; inside acting()."""
    rows = StagedDer.objects.of_review(review).filter(change=StagedDer.Change.NOTICE)
    if not rows.exists():
        return
    decision = Decision.objects.create(review=review, kind=Kind.NOTICE, statement="Effective without a review: the rule set says so")
    _take(decision, rows, None)
    effects.carry_out(decision)
    overtaken.refuse([decision])
    close_if_decided(review)


def _require_right(actor, kind: str) -> None:
    if kind in Kind.values and kind not in Decision.BY_PEOPLE and actor is not None:
        raise UserError(
            "Only the clock deems a DER approved, and nobody decides a notice.", "Approve it, if that is what you decide.", "DECISION-KIND"
        )


def require_complete(kind: str, statement: str, reason_code: str, evidence, limits: tuple) -> None:
    """Raise UserError for what a decision of this kind lacks."""
    if kind not in Kind.values:
        raise UserError("Unknown kind of decision.", f"Choose one of {', '.join(Kind.values)}.", "DECISION-KIND")
    if kind == Kind.DENY and reason_code not in Decision.Reason.values:
        raise Conflict(
            "A denial needs a reason of the closed list.", f"Choose one of {', '.join(Decision.Reason.values)}.", "DECISION-REASON"
        )
    if kind == Kind.DENY and evidence is None:
        raise UserError("A denial needs evidence (¶297).", "Attach the study or the record that shows the grounds.", "DECISION-EVIDENCE")
    if kind == Kind.APPROVE_LIMITED and all(limit is None for limit in limits):
        raise UserError("An approval with limits needs a limit.", "Give an import, an export or a temporal limit.", "DECISION-LIMITS")
    if kind == Kind.REQUEST_INFO and not statement.strip():
        raise UserError("A request for information needs a question.", "Write what the aggregator shall answer.", "DECISION-QUESTION")
    if any(limit is not None and limit < 0 for limit in limits[:2]):
        raise UserError("Limits are magnitudes.", "Give limits of zero or more.", "DECISION-LIMITS")


def require_tenure(review: UtilityReview, rows: QuerySet[StagedDer]) -> None:
    """A tenure that ended before the decision: the aggregator's filing changes nothing any more. One that is ending now waits."""
    hold([review.aggregator_id])
    lost = tenure_over(rows).count()
    if lost:
        raise Conflict(
            f"{review.aggregator} no longer holds {lost} of these DERs; nothing was changed.",
            "Decide the other rows; those are withdrawn within minutes.",
            "TENURE-ENDED",
        )


def _take(decision: Decision, rows: QuerySet[StagedDer], actor) -> None:
    """Move the rows' status and tie them to the decision."""
    if not rows.order_by().exists():
        raise UserError("No rows are selected.", "Select rows, or change the filter.", "DECISION-EMPTY")
    try:
        decision.row_count = StagedDer.lifecycle.move(rows, MOVES[decision.kind], actor=actor, reason=str(decision), decision=decision)
    except TransitionRefused as refused:
        raise Conflict(
            f"{refused.refused} of {refused.expected} rows were decided meanwhile; nothing was changed.", "Reload, and decide what is left."
        ) from refused
    decision.save(update_fields=["row_count"])


def decided_rows(decision: Decision) -> QuerySet[StagedDer]:
    """The rows that a decision stands over."""
    return StagedDer.objects.of_review(decision.review).filter(decision=decision)


def _after(review: UtilityReview, decision: Decision) -> None:
    """Clock, closing and notices that follow a decision."""
    if decision.kind == Kind.REQUEST_INFO and review.status == UtilityReview.Status.OPEN:
        values = {"paused_at": timezone.now()} if review.pauses_clock else {}
        UtilityReview.lifecycle.move(_only(review), "request_info", actor=decision.decided_by, reason=decision.statement, **values)
    if decision.kind == Kind.REQUEST_INFO or decision.status == Status.EFFECTIVE:
        tell(
            review.aggregator,
            "file_ders",
            event="decision",
            author=decision.decided_by,
            subject=f"{decision.title} by {review.edc}: {counted(decision.row_count, 'DERs')}",
            url=f"/registry/submissions/{review.submission.uuid}/",
            review=review,
            decision=decision,
        )
    if decision.status == Status.PROPOSED:
        tell(
            review.edc,
            "confirm_denials",
            event="denial_proposed",
            author=decision.decided_by,
            colleagues=True,
            subject=f"Denial of {counted(decision.row_count, 'DERs')} awaits confirmation",
            url=f"/registry/reviews/{review.uuid}/",
            review=review,
            decision=decision,
        )


def close_if_decided(review: UtilityReview) -> bool:
    """Close a review without open rows, and complete a submission without open reviews."""
    if StagedDer.objects.of_review(review).filter(status__in=StagedDer.OPEN).exists():
        return False
    UtilityReview.lifecycle.move(_only(review), "close", actor=None, reason="system: all rows are decided", closed_at=timezone.now())
    # under its lock: of two utilities that decide their last rows at once, the second sees that the first has closed
    submission = locks.submission_of(review.submission)
    reviews = UtilityReview.objects.undecided().filter(submission=submission)
    if submission.status == Submission.Status.IN_REVIEW and not reviews.exists():
        only = Submission.objects.filter(pk=submission.pk)
        Submission.lifecycle.move(only, "complete", actor=None, reason="system: all reviews are closed")
        with acting(None, "system: all reviews are closed"):
            members.reviews_closed(submission)
    return True


def _only(review: UtilityReview) -> QuerySet[UtilityReview]:
    return UtilityReview.objects.filter(pk=review.pk)


def _proposed(decision: Decision) -> Decision:
    found = locks.decision_of(decision)
    if found.status != Status.PROPOSED:
        raise Conflict("This denial is no longer proposed.", "Reload the page.")
    return found


@transaction.atomic
def confirm_denial(*, actor, decision: Decision) -> Decision:
    """A second person makes a proposed denial effective; the one who proposed it may not (four eyes)."""
    policy.require(actor, "confirm_denials", decision.review.edc)
    if actor == decision.decided_by:
        raise UserError("A denial is confirmed by another person than the one who proposed it.", "Ask a colleague.", "FOUR-EYES")
    with acting(actor, f"Confirmed the denial: {decision.get_reason_code_display()}"):
        decision = _proposed(decision)
        review = decision.review
        Decision.lifecycle.move(
            Decision.objects.filter(pk=decision.pk), "confirm", actor=actor, confirmed_by=actor, confirmed_at=timezone.now()
        )
        StagedDer.lifecycle.move(decided_rows(decision), "confirm_denial", actor=actor)
        decision.refresh_from_db()
        decision.review = review
        _after(review, decision)
        close_if_decided(review)
    return decision


@transaction.atomic
def reject_denial(*, actor, decision: Decision, reason: str) -> Decision:
    """A second person does not confirm a proposed denial; its rows are open again."""
    policy.require(actor, "confirm_denials", decision.review.edc)
    if not reason.strip():
        raise UserError("A denial is not confirmed for a reason.", "Write the reason.", "REASON")
    with acting(actor, reason):
        decision = _proposed(decision)
        Decision.lifecycle.move(Decision.objects.filter(pk=decision.pk), "reject", actor=actor, reason=reason, answer=reason)
        StagedDer.lifecycle.move(decided_rows(decision), "reject_denial", actor=actor, reason=reason)
    decision.refresh_from_db()
    return decision
