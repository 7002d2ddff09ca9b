"""The beat's sweep."""

from celery import shared_task

from moc.jobs import services


@shared_task
def sweep() -> int:
    """Wake jobs whose worker died."""
    return services.sweep()
