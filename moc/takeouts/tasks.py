"""Background work of take-outs."""

from celery import shared_task

from moc.jobs.services import running
from moc.takeouts import services
from moc.takeouts.models import Takeout


@shared_task
def write(pk: int) -> None:
    """Write a take-out; one that is written is not written again."""
    with running(pk) as (job, progress):
        if job is None:
            return
        takeout = Takeout.objects.select_related("organization", "requested_by").get(pk=job.arguments["takeout"])
        if takeout.document_id is None:
            job.outcome = services.write(takeout, progress)


@shared_task
def expire() -> int:
    """Remove archives whose days are over."""
    return services.expire()
