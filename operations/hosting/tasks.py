"""Background work of hosting capacity; a task takes a job's id and is idempotent."""

from celery import shared_task

from moc.jobs.services import later
from operations.computed import services as computed
from operations.hosting.models import HostingMap
from operations.hosting.services import computing, ordering


@shared_task
def compute(pk: int) -> None:
    """Compute one map."""
    computed.carry(pk, HostingMap, computing.carry_out, "network__feeder", "feeder")


@shared_task
def due() -> int:
    """Orders the map of every feeder whose current network has none of this month: at night, for each takes minutes. Returns how many."""
    with later():
        return len(ordering.due())
