"""Which workers take a job: all of them, or those that keep in memory what jobs of its place need.

A place is whatever a job names so in its arguments (the operational model's feeders); each has one of settings.MOC_PLACE_QUEUES queues, by
rendezvous hashing: a queue more takes its even share of the places from all others, and moves none between them."""

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
    """How a job's message is sent: to the queue of its place, where there are several and it has one; else to the common queue."""
    count = settings.MOC_PLACE_QUEUES
    if count < 2:
        return {}
    place = Job.objects.filter(pk=pk).values_list("arguments__place", flat=True).first()
    return {} if place is None else {"queue": queue_of(place, count)}
