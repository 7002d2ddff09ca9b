"""Background work of the demonstration: its invented devices go on reporting."""

from celery import shared_task
from django.conf import settings

from moc.demo import readings


@shared_task
def report() -> None:
    """One reading of each DER that the demonstration generates readings for; nothing where there is no demonstration."""
    if settings.MOC_DEMONSTRATION:
        readings.go_on()
