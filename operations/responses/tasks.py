"""The beat's look at answers whose outage is over."""

from celery import shared_task

from moc.jobs.services import running
from operations.responses import services


@shared_task
def end_over() -> int:
    """Answers end with their outage, and envelopes with the room that they were granted."""
    ended = services.end_over()
    services.follow()
    return ended


@shared_task
def follow(pk: int) -> None:
    """The same at once, after a utility granted room."""
    with running(pk) as (job, _):
        if job is not None:
            job.outcome = {"runs": len(services.follow())}
