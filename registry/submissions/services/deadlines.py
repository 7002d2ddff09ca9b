"""The clocks: reviews that expire, completeness, returned submissions that were not mended (¶295; RuleSet rows)."""

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from moc.errors import Conflict
from moc.history import acting
from moc.intervals import end_of_day_after
from moc.jobs.models import Job
from moc.notices.services import tell
from moc.rulesets.models import RuleSet
from registry.submissions.models import Decision, StagedDer, Submission, UtilityReview
from registry.submissions.services import reviewing, staging, withdrawing

REASON = "system: deadlines"


def check_deadlines(now=None) -> dict[str, int]:
    """Escalate or deem approved each expired review exactly once, and withdraw returned submissions whose time is over. Idempotent."""
    now = now or timezone.now()
    expired = [review for review in UtilityReview.objects.overdue(now).values_list("pk", flat=True)]
    done = {"escalated": 0, "deemed": 0, "withdrawn": 0}
    for pk in expired:
        outcome = _expire(pk, now)
        if outcome:
            done[outcome] += 1
    _end_abandoned_readings()
    late = Submission.objects.filter(status=Submission.Status.RETURNED, resubmit_due_at__lte=now)
    done["withdrawn"] = sum(_withdraw_late(pk) for pk in late.values_list("pk", flat=True))
    return done


def _end_abandoned_readings() -> None:
    """A file whose job was given up, its worker having died each time, is not being read any more."""
    ended = [Job.Status.FAILED, Job.Status.CANCELLED]
    for submission in Submission.objects.filter(status=Submission.Status.STAGING, job__status__in=ended).select_related("job"):
        with acting(None, REASON):
            staging.staging_failed(submission=submission, reason=submission.job.error or "reading was given up")


def _withdraw_late(pk: int) -> int:
    """One returned submission, one transaction; one that is being mended or handed in at this moment is left to the next look."""
    with acting(None, f"{REASON}: not mended in time"):
        returned = Submission.objects.select_for_update(of=("self",), skip_locked=True).filter(pk=pk, status=Submission.Status.RETURNED)
        for submission in returned:
            withdrawing.take_back(submission=submission, actor=None, reason="not mended in time")
        return len(returned)


def _expire(pk: int, now) -> str:
    """One review, one transaction; locked, so that two beats escalate once."""
    with acting(None, f"{REASON}: the review clock expired"):
        review = (
            UtilityReview.objects.select_for_update(of=("self",), skip_locked=True)
            .select_related("edc__utility__tso", "aggregator", "submission")
            .filter(Q(pk=pk), escalated_at__isnull=True)
            .exclude(status=UtilityReview.Status.CLOSED)
            .first()
        )
        if review is None:
            return ""
        market = review.edc.utility.tso.slug if review.edc.utility.tso else ""
        policy_ = RuleSet.objects.value_of("review_expiry_policy", timezone.localdate(now), market)
        UtilityReview.lifecycle.move(
            UtilityReview.objects.filter(pk=pk), "escalate", actor=None, reason=f"{REASON}: the clock expired", escalated_at=now
        )
        if policy_ == "deemed_approval" and _deem(review):
            return "deemed"
        for organization, permission in ((review.edc, "review_ders"), (review.aggregator, "file_ders")):
            tell(
                organization,
                permission,
                event="review_escalated",
                subject=f"The review of {review.submission.title} is past its {review.clock_rule.value} days",
                url=f"/registry/reviews/{review.uuid}/",
                review=review,
            )
        for oversight in review.edc.overseen_by.select_related("overseer").filter(overseer__kind="rerra"):
            tell(
                oversight.overseer,
                "audit",
                event="review_escalated",
                subject=f"{review.edc} has not decided {review.submission.title} in time",
                url=f"/registry/reviews/{review.uuid}/",
                review=review,
            )
        return "escalated"


def _deem(review: UtilityReview) -> bool:
    """Deemed approval, only where a RuleSet row of the market says so; what cannot be approved is escalated to people."""
    rows = StagedDer.objects.filter(status__in=[StagedDer.Status.PENDING, StagedDer.Status.INFO_REQUESTED])
    if rows.of_review(review).exists():
        try:
            reviewing.decide(actor=None, review=review, rows=rows, kind=Decision.Kind.DEEMED, statement="The review clock expired")
        except Conflict:
            return False
    return True


def return_incomplete(*, submission: Submission, reason: str) -> None:
    """Give a submitted filing back as incomplete; it is withdrawn when it is not mended in time."""
    due = end_of_day_after(timezone.now(), RuleSet.objects.value_of("resubmit_days", timezone.localdate()), settings.TIME_ZONE)
    Submission.lifecycle.move(
        Submission.objects.filter(pk=submission.pk),
        "return_incomplete",
        actor=None,
        reason=f"system: {reason}",
        resubmit_due_at=due,
        submitted_at=None,  # its rows are the aggregator's own again
    )
    tell(
        submission.aggregator,
        "file_ders",
        event="returned",
        subject=f"Returned as incomplete: {submission.title}",
        url=f"/registry/submissions/{submission.uuid}/",
        submission=submission,
        reason=reason,
        due=due,
    )
