"""Which workers take a job, and before which others: those that keep in memory what jobs of its place need, else all of them.

A place is whatever a job names so in its arguments (the operational model's feeders); each has one of settings.MOC_PLACE_QUEUES queues, by
rendezvous hashing: a queue more takes its even share of the places from all others, and moves none between them. What nobody waits for
(jobs.later) stands in a queue of its own: a worker takes from its queues in turn, so that nobody waits behind a night's feeders."""

import hashlib

from django.conf import settings

from moc import sight
from moc.jobs.models import Job


def queue_of(place: object, count: int) -> str:
    """The queue of a place among `count`."""
    weight = lambda number: hashlib.sha256(f"{number}/{place}".encode()).digest()  # noqa: E731
    return f"place-{max(range(count), key=weight)}"


@sight.engine()
def options(pk: int) -> dict[str, str]:
    """How a job's message is sent: to the queue of its place, where there are several and it has one; else to that of what nobody waits
    for, or to the common one."""
    place, later = Job.objects.filter(pk=pk).values_list("arguments__place", "arguments__later").first() or (None, None)
    if place is not None and settings.MOC_PLACE_QUEUES > 1:
        return {"queue": queue_of(place, settings.MOC_PLACE_QUEUES)}
    return {"queue": settings.MOC_LATER_QUEUE} if later else {}
