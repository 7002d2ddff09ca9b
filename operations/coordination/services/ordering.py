"""Have deliverability computed: pages and programs ask here, and need no solver in their memory."""

from datetime import datetime, timedelta

from django.db.models import Q
from django.utils import timezone

from moc.access import policy
from moc.access.models import Organization
from moc.errors import UserError
from moc.history import acting
from moc.jobs.models import Job
from operations.computed import services as computed
from operations.coordination.models import DeliverabilityRun, InterfaceLimit
from operations.coordination.services.limits import OF_RTO
from operations.outages.models import LogEntry
from registry.grid.models import TdInterface

FURTHEST, LEAST = timedelta(days=366), timedelta(minutes=5)  # between two runs that the platform orders
CHANGES = [act for act in LogEntry.ACTS if act.startswith(("event_", "envelopes_"))]  # what a run counts with; limits are followed at once


def due(now: datetime | None = None) -> list[DeliverabilityRun]:
    """Order a run for each RTO with limits of interfaces: of the hour that begins, and of now where events or envelopes behind its
    interfaces changed since its newest run was ordered. Idempotent."""
    now = now or timezone.now()
    hour, made = now.replace(minute=0, second=0, microsecond=0), []
    for tso in Organization.objects.filter(pk__in=InterfaceLimit.objects.values("tso")).order_by("pk"):
        newest = DeliverabilityRun.objects.filter(tso=tso, at__lte=now).order_by("-pk").first()
        if not DeliverabilityRun.objects.filter(tso=tso, at__gte=hour, at__lte=now).exists():
            made.append(order(actor=None, tso=tso, at=hour))
        elif now - newest.created_at >= LEAST and _changed(tso, newest.created_at):
            made.append(order(actor=None, tso=tso, at=now))
    return made


def _changed(tso: Organization, since: datetime) -> bool:
    """Whether an event or a set of envelopes behind an RTO's interfaces became another since a moment."""
    behind = Q(tso=tso) | Q(edc__in=TdInterface.objects.filter(pnode__tso=tso).values("edc"))
    return LogEntry.objects.filter(behind, act__in=CHANGES, at__gt=since).exists()


def follow(tso: Organization) -> DeliverabilityRun | None:
    """Have it computed for now, after a limit changed; None where a run of the platform's that has not begun will see the change."""
    now = timezone.now()
    waiting = DeliverabilityRun.objects.filter(tso=tso, at__lte=now, created_by=None, job__status=Job.Status.QUEUED)
    return None if waiting.exists() else order(actor=None, tso=tso, at=now)


def anew(tso: Organization, since: datetime) -> list[DeliverabilityRun]:
    """Have it computed again for the moments to come, from one on, that were asked for, but those of which a run has not begun."""
    ahead = DeliverabilityRun.objects.filter(tso=tso, at__gt=timezone.now(), at__gte=since).order_by("at")
    waiting = ahead.filter(job__status=Job.Status.QUEUED).values("at")
    return [order(actor=None, tso=tso, at=at) for at in ahead.exclude(at__in=waiting).values_list("at", flat=True).distinct()]


def order(*, actor, tso: Organization, at: datetime) -> DeliverabilityRun:
    """Have it computed what can be delivered through an RTO's interfaces at a moment. actor: None for the platform itself.

    Raises UserError (DELIVER-AT)."""
    if actor is not None:
        policy.require(actor, OF_RTO, tso)
    if abs(at - timezone.now()) > FURTHEST:
        raise UserError("No envelopes are kept of this moment.", "Choose one within a year of today.", "DELIVER-AT")
    with acting(actor, "Deliverability ordered" if actor else "system: deliverability is due"):
        return computed.begun(DeliverabilityRun.objects.create(tso=tso, at=at, created_by=actor), actor)
