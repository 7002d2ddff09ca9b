"""Have deliverability computed: pages and programs ask here, and need no solver in their memory."""

from datetime import datetime, timedelta

from django.utils import timezone

from moc.access import policy
from moc.access.models import Organization
from moc.errors import UserError
from moc.history import acting
from moc.jobs.models import Job
from operations.computed import services as computed
from operations.coordination.models import DeliverabilityRun
from operations.coordination.services.limits import OF_RTO

FURTHEST = timedelta(days=366)


def follow(tso: Organization) -> DeliverabilityRun | None:
    """Have it computed for now, after a limit changed; None where a run of the platform's that has not begun will see the change."""
    waiting = DeliverabilityRun.objects.filter(tso=tso, created_by=None, job__status=Job.Status.QUEUED)
    return None if waiting.exists() else order(actor=None, tso=tso, at=timezone.now())


def order(*, actor, tso: Organization, at: datetime) -> DeliverabilityRun:
    """Have it computed what can be delivered through an RTO's interfaces at a moment. actor: None for the platform itself.

    Raises UserError (DELIVER-AT)."""
    if actor is not None:
        policy.require(actor, OF_RTO, tso)
    if abs(at - timezone.now()) > FURTHEST:
        raise UserError("No envelopes are kept of this moment.", "Choose one within a year of today.", "DELIVER-AT")
    with acting(actor, "Deliverability ordered" if actor else "system: deliverability is due"):
        return computed.begun(DeliverabilityRun.objects.create(tso=tso, at=at, created_by=actor), actor)
