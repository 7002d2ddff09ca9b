"""Background work of screens; a task takes a job's id and is idempotent."""

from celery import shared_task

from moc.jobs.services import later
from operations.computed import services as computed
from operations.screening.models import ReviewScreen
from operations.screening.services import computing, ordering


@shared_task
def screen(pk: int) -> None:
    """Compute one screen."""
    computed.carry(pk, ReviewScreen, computing.carry_out, "network__feeder", "feeder", "review__submission")


@shared_task
def due() -> int:
    """Orders a screen of each review that reached a utility with a model of its feeder. Returns how many were ordered."""
    with later():
        return len(ordering.due())
