"""Background work of networks; a task takes a job's id and is idempotent."""

from celery import shared_task

from moc.jobs.models import Job
from moc.jobs.services import running
from operations.network.models import NetworkVersion
from operations.network.services import building, versions


@shared_task
def read(pk: int) -> None:
    """Read and check one file of a network."""
    with running(pk, put_back=_unread) as (job, progress):
        if job is None:
            return
        version = NetworkVersion.objects.select_related("document", "loaded_by").get(pk=job.arguments["version"])
        if version.status == NetworkVersion.Status.READING:  # else a worker died after its commit
            job.outcome = building.carry_out(version, progress)


def _unread(job: Job, reason: str) -> None:
    versions.failed(version=NetworkVersion.objects.get(pk=job.arguments["version"]), reason=reason)
