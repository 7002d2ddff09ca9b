"""Background work of reports."""

from celery import shared_task

from moc import sight
from moc.jobs.services import running
from moc.reports import services
from moc.reports.models import ReportRun


@shared_task
def write(pk: int) -> None:
    """Write a run; one that is written is not written again, however often its worker dies."""
    with running(pk) as (job, progress):
        if job is None:
            return
        with sight.engine():
            made = ReportRun.objects.select_related("organization", "user", "definition").get(pk=job.arguments["run"])
        if made.document_id is None:
            job.outcome = services.write(made, job.actor, progress)


@shared_task
def run_due() -> int:
    """Run the reports that are due."""
    return services.run_due()
