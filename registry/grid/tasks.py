"""Background work of grid records; the task takes a job's id and is idempotent."""

from celery import shared_task

from moc.jobs.models import Job
from moc.jobs.services import running
from registry.grid.models import GridLoad
from registry.grid.services import loads, reading


@shared_task
def load(pk: int) -> None:
    """Load a file of grid records."""
    with running(pk, put_back=_unread) as (job, progress):
        if job is None:
            return
        found = GridLoad.objects.select_related("document", "created_by", "edc__utility").get(pk=job.arguments["load"])
        if found.status == GridLoad.Status.READING:  # else a worker died after its commit
            job.outcome = reading.carry_out(found, progress)


def _unread(job: Job, reason: str) -> None:
    loads.failed(load=GridLoad.objects.get(pk=job.arguments["load"]), reason=reason)


@shared_task
def end_abandoned() -> int:
    """The beat's look at loads whose worker died each time."""
    return loads.end_abandoned()
