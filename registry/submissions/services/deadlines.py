"""The clocks: reviews that expire, completeness, returned submissions that were not mended (¶295; RuleSet rows)."""

from datetime import timedelta

from django.conf import settings
from django.db.models import F, Q
from django.utils import timezone

from moc.errors import Conflict
from moc.history import acting
from moc.intervals import end_of_day_after
from moc.jobs.models import Job
from moc.notices.services import tell
from moc.rulesets.models import RuleSet
from registry.ders.models import DerTenure
from registry.submissions.kinds import TERMS
from registry.submissions.models import Decision, StagedDer, Submission, UtilityReview
from registry.submissions.rules import tenure_over
from registry.submissions.services import reviewing, staging, withdrawing

REASON = "system: deadlines"
LOOK_BACK = timedelta(days=7)


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
            withdrawing.take_back(submission=submission, actor=None, reason=f"{REASON}: not mended in time")
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
        policy_ = RuleSet.objects.value_of(TERMS[review.submission.kind].expiry, timezone.localdate(now), market)
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


def withdraw_lost() -> int:
    """Withdraw the undecided rows of aggregators whose tenure has ended meanwhile, and close reviews that are left without rows.

    Proposed denials are for the utility's second person to end. Returns how many rows. Idempotent.
    """
    recent = DerTenure.objects.filter(status=DerTenure.Status.ENDED, valid_during__endswith__gte=timezone.localdate() - LOOK_BACK)
    losers = list(recent.order_by().values_list("aggregator_id", flat=True).distinct())
    return sum(_withdraw_lost(pk) for pk in UtilityReview.objects.undecided().filter(aggregator__in=losers).values_list("pk", flat=True))


def _withdraw_lost(pk: int) -> int:
    """One review, one transaction, in turn with the decisions on it."""
    with acting(None, "system: the tenure has ended"):
        review = UtilityReview.objects.select_for_update(of=("self",)).select_related("edc", "aggregator", "submission").get(pk=pk)
        waiting = StagedDer.objects.of_review(review).filter(status__in=[StagedDer.Status.PENDING, StagedDer.Status.INFO_REQUESTED])
        lost = StagedDer.objects.filter(pk__in=list(tenure_over(waiting).values_list("pk", flat=True)))
        number = StagedDer.lifecycle.move(lost, "withdraw", actor=None, reason="system: the tenure has ended")
        if number:
            for organization, permission in ((review.edc, "review_ders"), (review.aggregator, "file_ders")):
                tell(
                    organization,
                    permission,
                    event="rows_withdrawn",
                    subject=f"{number:,} rows of {review.submission.title} were withdrawn: the tenure has ended",
                    url=f"/registry/submissions/{review.submission.uuid}/",
                    number=number,
                    review=review,
                )
            if not reviewing.close_if_decided(review) and review.status == UtilityReview.Status.INFO_REQUESTED:
                _resume_if_answered(review)
    return number


def _resume_if_answered(review: UtilityReview) -> None:
    """Nothing is being asked any more when the rows that were asked about are gone."""
    if not StagedDer.objects.of_review(review).filter(status=StagedDer.Status.INFO_REQUESTED).exists():
        resume(review)


def resume(review: UtilityReview) -> None:
    """Nothing is being asked any more: the review is open again, its clock later by the time it was paused."""
    waiting = UtilityReview.objects.filter(pk=review.pk, status=UtilityReview.Status.INFO_REQUESTED)
    now = timezone.now()
    waiting.filter(paused_at__isnull=False).update(due_at=F("due_at") + (now - F("paused_at")), paused_at=None)
    UtilityReview.lifecycle.move(waiting, "resume", actor=None, reason="system: the information was given")
