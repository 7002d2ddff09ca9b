"""Background work of grid records; the task takes a job's id and is idempotent."""

from celery import shared_task

from moc.jobs.services import Cancelled, running
from moc.readers import FileRefused
from registry.grid.models import GridLoad
from registry.grid.services import loads, reading


@shared_task
def load(pk: int) -> None:
    """Load a file of grid records."""
    with running(pk) as (job, progress):
        if job is None:
            return
        found = GridLoad.objects.select_related("document", "created_by", "edc__utility").get(pk=job.arguments["load"])
        if found.status != GridLoad.Status.READING:
            return  # a worker died after its commit: the work is done
        try:
            job.outcome = reading.carry_out(found, progress)
        except Cancelled:
            loads.failed(load=found, reason="cancelled by the user")
            raise
        except FileRefused as refused:
            loads.failed(load=found, reason=str(refused))
            raise


@shared_task
def end_abandoned() -> int:
    """The beat's look at loads whose worker died each time."""
    return loads.end_abandoned()
