"""The beat's sweep of what retention no longer keeps."""

from celery import shared_task

from registry.administration.services import retention


@shared_task
def enforce_retention() -> int:
    """Remove what the utilities' periods let go."""
    return retention.enforce()
