"""The beat's watch over certifications."""

from celery import shared_task

from registry.aggregators.services import standing


@shared_task
def warn_of_expiry() -> int:
    """Tell aggregators whose certifications expire."""
    return standing.warn()
