"""What happens in the demonstration's grid: a battery that is out with its aggregator's answer, an interface with limits that its RTO
derates for some hours, and a line behind it with little room. Generated, small, and told through the services as everybody's."""

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
from registry.grid.models import TdInterface

SOURCE = "Generated for the demonstration"
IMPORT_KW, EXPORT_KW, LEFT_PERCENT = 60_000, 25_000, 80
LINE, LINE_KW, ROOM_KW, FACTOR = "Generated line 1", 45_000, 3_000, 0.35


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
        _line(operator, interface)
        events.report(actor=operator, event=GridEvent(td_interface=interface, reason=f"{SOURCE}: a transformer is cooled poorly", **facts))
        aggregation = Aggregation.objects.filter(name=NAME).first()
        if aggregation is not None:
            _out(aggregation)


def _line(operator, interface: TdInterface) -> None:
    """A transmission line that carries a part of what the interface injects, and has less room than the feeders behind it could use."""
    factors = {f"{interface.edc.slug}/{interface.code}": FACTOR}
    limits.set_line(actor=operator, tso=interface.pnode.tso, code=LINE, flow_kw=LINE_KW - ROOM_KW, limit_kw=LINE_KW, factors=factors)


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
