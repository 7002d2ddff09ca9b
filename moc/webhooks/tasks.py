"""The beat's deliveries."""

from celery import shared_task

from moc.webhooks import services


@shared_task
def deliver() -> int:
    """Try what is due."""
    return services.deliver()
