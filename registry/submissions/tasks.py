"""Background work of submissions; each task takes a job's id and is idempotent."""

from celery import shared_task

from moc.jobs.services import Cancelled, running
from registry.submissions.models import Submission
from registry.submissions.readers import FileRefused
from registry.submissions.services import deadlines, filing, staging


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
            filing.staging_failed(submission=submission, reason="cancelled by the user")
            raise
        except FileRefused as refused:
            filing.staging_failed(submission=submission, reason=str(refused))
            raise


@shared_task
def check_deadlines() -> dict[str, int]:
    """The beat's look at all clocks."""
    return deadlines.check_deadlines()
