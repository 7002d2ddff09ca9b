"""Background work of hosting capacity; a task takes a job's id and is idempotent."""

from celery import shared_task

from moc.jobs.models import Job
from moc.jobs.services import running
from operations.hosting.models import HostingMap
from operations.hosting.services import computing, ordering


@shared_task
def compute(pk: int) -> None:
    """Compute one map."""
    with running(pk, put_back=_not_computed) as (job, _):
        if job is None:
            return
        found = HostingMap.objects.select_related("network__feeder", "feeder").get(pk=job.arguments["map"])
        if found.status == HostingMap.Status.COMPUTING:  # else a worker died after its commit
            job.outcome = computing.carry_out(found)


def _not_computed(job: Job, reason: str) -> None:
    computing.failed(found=HostingMap.objects.get(pk=job.arguments["map"]), reason=reason)


@shared_task
def due() -> int:
    """Orders the map of every feeder whose current network has none of this month. Returns how many were ordered."""
    return len(ordering.due())
