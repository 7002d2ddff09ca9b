"""Background work of the demonstration: its invented devices and meters go on reporting."""

from celery import shared_task
from django.conf import settings

from moc.demo import meters, readings


@shared_task
def report() -> None:
    """One reading of each DER that the demonstration generates readings for; nothing where there is no demonstration."""
    if settings.MOC_DEMONSTRATION:
        readings.go_on()


@shared_task
def measure() -> None:
    """The hours that the demonstration's meters measured since the last look, of which forecasts are made."""
    if settings.MOC_DEMONSTRATION:
        meters.go_on()
