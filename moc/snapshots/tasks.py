"""Background work of snapshots."""

from celery import shared_task

from moc import sight
from moc.jobs.services import running
from moc.snapshots import services
from moc.snapshots.models import Snapshot


@shared_task
def write(pk: int) -> None:
    """Write a snapshot; one that is written is not written again, however often its worker dies."""
    with running(pk) as (job, progress):
        if job is None:
            return
        with sight.engine():
            snapshot = Snapshot.objects.select_related("organization", "seal").get(pk=job.arguments["snapshot"])
        if snapshot.document_id is None:
            job.outcome = services.write(snapshot, job.actor, progress)


@shared_task
def expire() -> int:
    """Remove archives whose days are over."""
    return services.expire()
