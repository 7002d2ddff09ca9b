"""The beat's look at forecasts of transformers."""

from celery import shared_task

from operations.deferral import services


@shared_task
def look() -> int:
    """Raise what is new; returns how many."""
    return services.look()
