"""The beat's monthly publication."""

from celery import shared_task

from moc.public import services


@shared_task
def publish() -> int:
    """Publish; returns how many cells were renewed."""
    return services.publish().renewed
