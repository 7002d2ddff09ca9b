"""The beat's look for sets that are over."""

from celery import shared_task

from operations.outcomes.services import making


@shared_task
def make_due() -> int:
    """Make the outcomes that are due; returns of how many sets."""
    return making.make_due()
