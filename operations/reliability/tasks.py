"""The beat's look at the hour that is over."""

from celery import shared_task

from operations.reliability.services import findings


@shared_task
def look() -> int:
    """Judge the last whole hour; returns how many findings are new."""
    return findings.look()
