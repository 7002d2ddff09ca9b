"""A regulator's voluntary part in reviews (¶322): off unless its own rule set says otherwise, on the record, and never a hidden veto."""

from datetime import datetime

from django.conf import settings
from django.utils import timezone

from moc.access import policy
from moc.access.models import Organization, Oversight
from moc.errors import Conflict, UserError
from moc.history import acting
from moc.intervals import end_of_day_after
from moc.notices.services import tell
from moc.rulesets.models import RuleSet
from moc.units import counted
from registry.submissions.involvement import RegulatorPart
from registry.submissions.kinds import TERMS
from registry.submissions.models import UtilityReview
from registry.submissions.reports import last_day

KEY, DAYS, QUESTIONS = "rerra_involvement", "rerra_comment_days", "rerra_questions"
NONE, NOTIFIED, COMMENTS, DECIDES = "none", "notified", "comments", "decides"
EXIT = "exit_review_days"  # a review of what only leaves asks nothing of a regulator
PERMISSION = "override_qualification"
Status = RegulatorPart.Status


def tell_of(review: UtilityReview) -> int:
    """Tell the regulators of the review's utility that take part, and open what they may say; returns how many. Inside acting()."""
    told, today = 0, timezone.localdate()
    for oversight in Oversight.objects.filter(overseen=review.edc, overseer__kind="rerra").select_related("overseer"):
        regulator = oversight.overseer
        involved = RuleSet.objects.value_of(KEY, today, regulator.slug)
        if involved == NONE:
            continue
        parts = [] if TERMS[review.submission.kind].clock == EXIT else _open(review, regulator, involved)
        until = f", {counted(len(parts), 'answers')} until {last_day(parts[0].due_at)}" if parts else ""
        subject = f"{review.edc} reviews {counted(review.row_count, 'DERs')} of {review.aggregator}{until}"
        for permission in ("audit", PERMISSION) if parts else ("audit",):
            _tell(regulator, permission, "review_of_overseen", subject, review)
        told += 1
    return told


def _open(review: UtilityReview, regulator: Organization, involved: str) -> list[RegulatorPart]:
    """What the regulator may say of the review, by its rule set of today."""
    today = timezone.localdate()
    asked = {}
    if involved == COMMENTS:
        asked = {"": "A comment on this review"}
    elif involved == DECIDES:
        asked = RuleSet.objects.value_of(QUESTIONS, today, regulator.slug)
    due = end_of_day_after(timezone.now(), RuleSet.objects.value_of(DAYS, today, regulator.slug), settings.TIME_ZONE)
    parties = {"rerra": regulator, "edc": review.edc, "aggregator": review.aggregator}
    made = [RegulatorPart(review=review, question=code, text=text[:300], due_at=due, **parties) for code, text in asked.items()]
    return RegulatorPart.objects.bulk_create(made)


def answer(*, actor, part: RegulatorPart, statement: str, allows: bool | None = None) -> RegulatorPart:
    """The regulator comments, or decides its question with yes or no, until its day; always with a statement that both parties read."""
    policy.require(actor, PERMISSION, part.rerra)
    if not statement.strip() or (part.question and allows is None):
        raise UserError("The answer is not complete.", "Say why and, to a question, yes or no.", "REGULATOR-ANSWER")
    with acting(actor, statement.strip()[:300]):
        held = RegulatorPart.objects.select_for_update(of=("self",)).select_related("review__edc", "review__aggregator").get(pk=part.pk)
        if not held.is_running or held.review.status == UtilityReview.Status.CLOSED:
            raise Conflict("The days for an answer are over, or the review is closed.", "Write to the utility.", "REGULATOR-LATE")
        said = {"statement": statement.strip(), "allows": allows if held.question else None}
        rows = RegulatorPart.objects.filter(pk=held.pk)
        RegulatorPart.lifecycle.move(
            rows, "answer", actor=actor, reason=statement.strip(), answered_by=actor, answered_at=timezone.now(), **said
        )
        held.refresh_from_db()
        for party, permission in ((held.edc, "review_ders"), (held.aggregator, "file_ders")):
            _tell(party, permission, "regulator_answered", f"{held.rerra} answered: {held.text}", held.review, part=held)
    return held


def require_answered(review: UtilityReview) -> None:
    """Raise Conflict for an approval while a question runs, at most until its day, or against the regulator's answer to one."""
    for part in RegulatorPart.objects.filter(review=review).exclude(question="").select_related("rerra"):
        if part.is_running:
            raise Conflict(
                f"{part.rerra} decides until {last_day(part.due_at)}: {part.text}",
                "Wait for the answer, or for the day.",
                "REGULATOR-WINDOW",
            )
        if part.allows is False:
            raise Conflict(
                f"{part.rerra} has decided against it: {part.statement}", "Deny by the ground that it names.", "REGULATOR-DECIDED"
            )


def close_windows(now: datetime | None = None) -> int:
    """End the parts whose day is over without an answer, and tell the utility; returns how many. Idempotent."""
    now, closed = now or timezone.now(), 0
    late = RegulatorPart.objects.filter(status=Status.OPEN, due_at__lte=now)
    for pk in list(late.values_list("pk", flat=True)):
        with acting(None, "system: the regulator's days are over"):
            rows = late.select_for_update(of=("self",), skip_locked=True).select_related("rerra", "edc", "review")
            for part in rows.filter(pk=pk):
                only = RegulatorPart.objects.filter(pk=pk)
                closed += RegulatorPart.lifecycle.move(only, "lapse", actor=None, reason="system: the regulator's days are over")
                _tell(part.edc, "review_ders", "regulator_silent", f"{part.rerra} has not answered: {part.text}", part.review)
    return closed


def _tell(party: Organization, permission: str, event: str, subject: str, review: UtilityReview, **context) -> None:
    tell(party, permission, event=event, subject=subject, url=f"/registry/reviews/{review.uuid}/", review=review, **context)
