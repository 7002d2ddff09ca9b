"""What happens in the demonstration's grid: a battery that is out with its aggregator's answer, and an interface with limits that its RTO
derates for some hours. Generated, small, and told through the services as everybody's."""

from datetime import timedelta

from django.utils import timezone

from moc import sight
from moc.access import policy
from moc.access.models import Organization
from moc.demo.networks import UTILITY
from moc.demo.readings import BATTERIES, NAME
from operations.coordination.services import limits
from operations.envelopes.models import EnvelopePoint
from operations.outages.models import GridEvent
from operations.outages.services import ders, events
from operations.responses import services as responses
from registry.aggregations.models import Aggregation
from registry.ders.models import Der

SOURCE = "Generated for the demonstration"
IMPORT_KW, EXPORT_KW, LEFT_PERCENT = 60_000, 25_000, 80


def happenings(organizations: dict[str, Organization]) -> None:
    """Tell them once."""
    with sight.engine():
        point = (
            EnvelopePoint.objects.filter(edc=organizations[UTILITY]).select_related("feeder__substation__td_interface__pnode__tso").first()
        )
        if point is None or GridEvent.objects.exists():
            return
        interface, now = point.feeder.substation.td_interface, timezone.now()
        operator = policy.holders(events.OF_RTO, interface.pnode.tso).order_by("pk").first()
        limits.set_limit(actor=operator, interface=interface, import_kw=IMPORT_KW, export_kw=EXPORT_KW, source=SOURCE)
        facts = {"kind": "derate", "capacity_percent": LEFT_PERCENT, "starts_at": now, "expected_until": now + timedelta(hours=6)}
        events.report(actor=operator, event=GridEvent(td_interface=interface, reason=f"{SOURCE}: a transformer is cooled poorly", **facts))
        aggregation = Aggregation.objects.filter(name=NAME).first()
        if aggregation is not None:
            _out(aggregation)


def _out(aggregation: Aggregation) -> None:
    """A battery of the aggregation is out for some hours; its aggregation is derated meanwhile."""
    member = Der.objects.filter(memberships__aggregation=aggregation, der_type__in=BATTERIES).order_by("external_id").first()
    actor = policy.holders(ders.PERMISSION, aggregation.aggregator).order_by("pk").first()
    if member is None:
        return
    now = timezone.now()
    times = {"starts_at": now, "expected_until": now + timedelta(hours=6)}
    told = ders.Told(der=str(member.uuid), kind="outage", cause="forced", reason=f"{SOURCE}: inverter fault", **times)
    (outage,) = ders.report(actor=actor, rows=[told]).taken
    responses.choose(actor=actor, outage=outage, aggregation=aggregation, kind="derate", reason="Until the inverter is replaced")
