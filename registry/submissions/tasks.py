"""Background work of submissions; each task takes a job's id and is idempotent."""

from celery import shared_task

from moc.documents.models import Document
from moc.jobs.services import Cancelled, running
from moc.readers import FileRefused
from registry.submissions.filters import selected_rows
from registry.submissions.models import Submission, UtilityReview
from registry.submissions.services import bulk_decisions, deadlines, staging


@shared_task
def stage(pk: int) -> None:
    """Read a submission's file into typed, checked rows."""
    with running(pk) as (job, progress):
        if job is None:
            return
        submission = Submission.objects.select_related("document", "created_by", "aggregator").get(pk=job.arguments["submission"])
        if submission.status != Submission.Status.STAGING:
            return  # a worker died after its commit: the work is done
        try:
            job.outcome = staging.stage_file(submission, progress)
        except Cancelled:
            staging.staging_failed(submission=submission, reason="cancelled by the user")
            raise
        except FileRefused as refused:
            staging.staging_failed(submission=submission, reason=str(refused))
            raise


@shared_task
def decide(pk: int) -> None:
    """Take the decisions of a job, all or none; a job that was carried out already is not carried out again."""
    with running(pk) as (job, progress):
        if job is None:
            return
        given = job.arguments
        review = UtilityReview.objects.select_related("submission", "edc", "aggregator").get(pk=given["review"])
        bulk_decisions.take(
            actor=job.user,
            review=review,
            plans=[bulk_decisions.Plan.from_json(plan) for plan in given["plans"]],
            rows_of=lambda selection: selected_rows(review, job.user, selection),
            evidence=Document.objects.filter(pk=given["evidence"]).first(),
            job=job,
            progress=progress,
        )


@shared_task
def check_deadlines() -> dict[str, int]:
    """The beat's look at all clocks."""
    return deadlines.check_deadlines()
