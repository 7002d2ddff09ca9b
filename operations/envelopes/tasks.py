"""Background work of envelopes: one task a feeder and window, idempotent; and what is due on the beat."""

from celery import shared_task

from moc.jobs.services import Progress, later, running
from operations.computed import services as computed
from operations.envelopes.models import EnvelopeRun
from operations.envelopes.services import computing, life, reacting, ruling
from operations.network.models import NetworkVersion


@shared_task
def compute(pk: int) -> None:
    """Compute one run, and publish it where the feeder's policy says so and every interval passed."""
    computed.carry(pk, EnvelopeRun, _computed, "network", "feeder__edc")


def _computed(run: EnvelopeRun, progress: Progress) -> dict:
    outcome = computing.carry_out(run, progress)
    run.refresh_from_db()
    reacting.publish_or_tell(run)
    return outcome


@shared_task
def due() -> int:
    """Orders the envelopes of today and tomorrow of every feeder that has a current network. Returns how many runs were ordered."""
    current = NetworkVersion.objects.filter(status=NetworkVersion.Status.CURRENT).select_related("feeder__edc")
    with later():
        return sum(len(life.order_days(version.feeder)) for version in current)


@shared_task
def roll() -> int:
    """Orders the next hour of every feeder whose policy says so, and tells the log of rule rows that bind policies.

    Returns how many runs stand for the hour."""
    ruling.look()
    current = NetworkVersion.objects.filter(status=NetworkVersion.Status.CURRENT).select_related("feeder__edc")
    return sum(life.order_hour(version.feeder) is not None for version in current)


@shared_task
def react() -> int:
    """Orders anew what events and outages changed since. Returns how many runs were ordered."""
    return len(reacting.react())


@shared_task
def follow(pk: int) -> None:
    """The same at once, after an act on the grid or an outage."""
    with running(pk) as (job, _):
        if job is not None:
            job.outcome = {"runs": len(reacting.react())}
