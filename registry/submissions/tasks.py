"""Background work of submissions; each task takes a job's id and is idempotent."""

from celery import shared_task

from moc.documents.models import Document
from moc.jobs.models import Job
from moc.jobs.services import running
from registry.ders.services import apply_due
from registry.submissions.filters import selected_rows
from registry.submissions.kinds import MEMBERSHIP
from registry.submissions.models import Submission, UtilityReview
from registry.submissions.services import bulk_decisions, deadlines, members, regulators, staging, switches, validating


@shared_task
def stage(pk: int) -> None:
    """Read a submission's file, of DERs or of members, into checked rows."""
    with running(pk, put_back=_unread) as (job, progress):
        if job is None:
            return
        submission = Submission.objects.select_related("document", "created_by", "aggregator").get(pk=job.arguments["submission"])
        if submission.job_id == job.pk and submission.status == Submission.Status.STAGING:  # else a worker died after its commit
            read = members.stage_file if submission.kind in MEMBERSHIP else staging.stage_file
            job.outcome = read(submission, progress)


def _unread(job: Job, reason: str) -> None:
    submission = Submission.objects.get(pk=job.arguments["submission"])
    if submission.job_id == job.pk:
        staging.staging_failed(submission=submission, reason=reason)


@shared_task
def decide(pk: int) -> None:
    """Take the decisions of a job, all or none; a job that was carried out already is not carried out again."""
    with running(pk) as (job, progress):
        if job is None:
            return
        given = job.arguments
        review = UtilityReview.objects.select_related("submission", "edc", "aggregator").get(pk=given["review"])
        bulk_decisions.take(
            actor=job.actor,
            review=review,
            plans=[bulk_decisions.Plan.from_json(plan) for plan in given["plans"]],
            rows_of=lambda selection: selected_rows(review, job.actor, selection),
            evidence=Document.objects.filter(pk=given["evidence"]).first(),
            job=job,
            progress=progress,
        )


@shared_task
def check_deadlines() -> dict[str, int]:
    """The beat's look at all clocks."""
    return deadlines.check_deadlines() | {
        "validations": validating.check_clocks(),
        "windows": switches.close_windows(),
        "regulators": regulators.close_windows(),
    }


@shared_task
def apply_tenures() -> dict[str, int]:
    """The beat's look at the tenures whose day has come, and at the filings that they leave without an aggregator."""
    return {"moved": apply_due(), "withdrawn": deadlines.withdraw_lost()}
