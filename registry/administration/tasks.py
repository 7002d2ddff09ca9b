"""The beat's sweep of what retention no longer keeps."""

from celery import shared_task

from registry.administration.services import anonymising, retention


@shared_task
def enforce_retention() -> int:
    """Remove what the utilities' periods let go."""
    return retention.enforce()


@shared_task
def anonymise() -> dict[str, int]:
    """Anonymise the personal data whose period is over."""
    return anonymising.enforce()
