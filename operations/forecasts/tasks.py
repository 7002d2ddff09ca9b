"""Background work of forecasts."""

from celery import shared_task

from operations.forecasts.services import publishing


@shared_task
def due() -> None:
    """Forecast today and tomorrow where meter data came."""
    publishing.due()
