"""The beat's outgoing e-mail."""

from celery import shared_task

from moc.notices import services


@shared_task
def deliver() -> int:
    """Send waiting e-mails."""
    return services.deliver()
