"""The beat's look at answers whose outage is over."""

from celery import shared_task

from operations.responses import services


@shared_task
def end_over() -> int:
    """Answers end with their outage."""
    return services.end_over()
