"""Background work of T-D coordination."""

from celery import shared_task
from django.utils import timezone

from moc.access.models import Organization
from moc.jobs.services import running
from operations.computed import services as computed
from operations.coordination.models import DeliverabilityRun, InterfaceLimit
from operations.coordination.services import deliverability, ordering


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
    """Orders a run for each RTO with limits of interfaces, for the hour that begins. Returns how many were ordered."""
    at = timezone.now().replace(minute=0, second=0, microsecond=0)
    markets = Organization.objects.filter(pk__in=InterfaceLimit.objects.values("tso"))
    wanted = markets.exclude(pk__in=DeliverabilityRun.objects.filter(at=at).values("tso"))
    return len([ordering.order(actor=None, tso=tso, at=at) for tso in wanted.order_by("pk")])
