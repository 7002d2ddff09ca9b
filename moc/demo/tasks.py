"""Background work of the demonstration: its invented devices and meters go on reporting."""

from time import monotonic

from celery import shared_task
from django.conf import settings

from moc.demo import meters, readings
from moc.jobs.services import later
from operations.envelopes.models import EnvelopeRun

NETWORKS_S = 20  # of each minute, until every feeder has one


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


@shared_task
def draw() -> int:
    """Networks of feeders that have none yet, with their envelopes, as many as some seconds allow; nothing before the demonstration state
    is loaded. Returns how many."""
    from moc.demo.studies import more  # here: its solvers are for workers that draw

    if not (settings.MOC_DEMONSTRATION and EnvelopeRun.objects.exists()):
        return 0
    made, until = [], monotonic() + NETWORKS_S
    with later():
        for version in more():
            made.append(version.pk)
            if monotonic() > until:
                break
    return len(made)
