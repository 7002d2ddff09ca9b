"""Taking a submission back: by the aggregator, or by the clock when a returned one is not mended."""

from django.utils import timezone

from moc.access import policy
from moc.errors import Conflict, UserError
from moc.history import acting
from moc.jobs.models import Job
from registry.submissions.models import Decision, StagedDer, Submission, UtilityReview
from registry.submissions.services import locks


def withdraw(*, actor, submission: Submission, reason: str) -> Submission:
    """Take a submission back; rows that are not decided yet are withdrawn and open reviews closed. Decided rows stand."""
    policy.require(actor, "file_ders", submission.aggregator)
    if not reason.strip():
        raise UserError("A withdrawal needs a reason.", "Write it for the record.", "REASON")
    with acting(actor, reason):
        take_back(submission=submission, actor=actor, reason=reason)
    submission.refresh_from_db()
    return submission


def take_back(*, submission: Submission, actor, reason: str) -> None:
    """Withdraw a submission with all that depends on it, in the caller's transaction. Raises Conflict when it was just handed in."""
    reviews = UtilityReview.objects.filter(submission=submission)
    found = [review.pk for review in reviews.select_for_update(of=("self",)).order_by("pk")]
    submission = locks.submission_of(submission)
    if reviews.count() != len(found):  # not under lock, and a submission is locked last
        raise Conflict("The filing was submitted meanwhile.", "Reload the page, and withdraw it if you still want to.")
    if submission.status == Submission.Status.STAGING and submission.job:
        Job.objects.open().filter(pk=submission.job_id).update(cancel_requested=True)
    withdrawn = f"system: withdrawn, {reason.removeprefix('system: ')}"
    proposed = Decision.objects.filter(review__in=found, status=Decision.Status.PROPOSED)
    Decision.lifecycle.move(proposed, "reject", actor=None, reason=withdrawn, answer=withdrawn)
    rows = StagedDer.objects.filter(submission=submission, status__in=StagedDer.OPEN)
    StagedDer.lifecycle.move(rows, "withdraw", actor=actor, reason=reason)
    UtilityReview.lifecycle.move(reviews.undecided(), "close", actor=None, reason=withdrawn, closed_at=timezone.now())
    Submission.lifecycle.move(Submission.objects.filter(pk=submission.pk), "withdraw", actor=actor, reason=reason)
