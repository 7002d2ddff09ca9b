"""The beat's look at outages and events to come."""

from celery import shared_task

from operations.outages.services import ders, events, log, registered


@shared_task
def begin_due() -> int:
    """What was planned for now begins; and networks that became current and acts of the registry are written into the log."""
    return ders.begin_due() + events.begin_due() + log.networks() + registered.look()
