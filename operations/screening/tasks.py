"""Background work of screens; a task takes a job's id and is idempotent."""

from celery import shared_task

from moc.jobs.models import Job
from moc.jobs.services import running
from operations.screening.models import ReviewScreen
from operations.screening.services import computing, ordering


@shared_task
def screen(pk: int) -> None:
    """Compute one screen."""
    with running(pk, put_back=_not_screened) as (job, _):
        if job is None:
            return
        found = ReviewScreen.objects.select_related("network__feeder", "feeder", "review__submission").get(pk=job.arguments["screen"])
        if found.status == ReviewScreen.Status.COMPUTING:  # else a worker died after its commit
            job.outcome = computing.carry_out(found)


def _not_screened(job: Job, reason: str) -> None:
    computing.failed(screen=ReviewScreen.objects.get(pk=job.arguments["screen"]), reason=reason)


@shared_task
def due() -> int:
    """Orders a screen of each review that reached a utility with a model of its feeder. Returns how many were ordered."""
    return len(ordering.due())
