"""Background work of T-D coordination."""

from celery import shared_task

from moc.access.models import Organization
from moc.jobs.services import running
from operations.computed import services as computed
from operations.coordination.models import DeliverabilityRun
from operations.coordination.services import deliverability, line_events, ordering


@shared_task
def deliver(pk: int) -> None:
    """Compute one run."""
    computed.carry(pk, DeliverabilityRun, deliverability.carry_out, "tso")


@shared_task
def follow(pk: int) -> None:
    """Orders a run for the RTO, of whose interfaces or lines a limit changed."""
    with running(pk) as (job, _):
        if job is not None:
            job.outcome = {"ordered": ordering.follow(Organization.objects.get(pk=job.arguments["tso"])) is not None}


@shared_task
def due() -> int:
    """Begins the events of lines whose moment has come, and orders what is due of each RTO: each hour, and after events and new
    envelopes. Returns how many runs were ordered."""
    line_events.begin_due()
    return len(ordering.due())
