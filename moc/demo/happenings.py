"""What happens in the demonstration's grid: a battery that is out with its aggregator's answer, an interface with limits that its RTO
derates for some hours, and a line behind it with little room, which was out and will have less. Generated, small, and told through the
services as everybody's."""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from moc import sight
from moc.access import policy
from moc.access.models import Organization
from moc.demo.networks import UTILITY
from moc.demo.readings import BATTERIES, NAME
from operations.coordination.models import LineEvent, MonitoredLine
from operations.coordination.services import limits, line_events
from operations.envelopes.models import EnvelopePoint
from operations.outages.models import GridEvent
from operations.outages.services import course, ders, events
from operations.responses import services as responses
from registry.aggregations.models import Aggregation
from registry.ders.models import Der
from registry.grid.models import TdInterface

SOURCE = "Generated for the demonstration"
IMPORT_KW, EXPORT_KW, LEFT_PERCENT = 60_000, 25_000, 80
LINE, LINE_KW, ROOM_KW, LINE_PERCENT, FACTOR = "Generated line 1", 45_000, 3_000, 95, 0.35


def happenings(organizations: dict[str, Organization]) -> None:
    """Tell them once; also in a state of an earlier release, which lacks some of them."""
    with sight.engine():
        point = (
            EnvelopePoint.objects.filter(edc=organizations[UTILITY]).select_related("feeder__substation__td_interface__pnode__tso").first()
        )
        if point is None:
            return
        interface = point.feeder.substation.td_interface
        operator = policy.holders(course.OF_RTO, interface.pnode.tso).order_by("pk").first()
        if not GridEvent.objects.exists():
            _at_interface(operator, interface)
        if not LineEvent.objects.exists():
            _on_line(operator, interface)


def _at_interface(operator, interface: TdInterface) -> None:
    """It has limits, and is derated; a battery behind it is out."""
    now = timezone.now()
    limits.set_limit(actor=operator, interface=interface, import_kw=IMPORT_KW, export_kw=EXPORT_KW, source=SOURCE)
    facts = {"kind": "derate", "capacity_percent": LEFT_PERCENT, "starts_at": now, "expected_until": now + timedelta(hours=6)}
    events.report(actor=operator, event=GridEvent(td_interface=interface, reason=f"{SOURCE}: a transformer is cooled poorly", **facts))
    aggregation = Aggregation.objects.filter(name=NAME).first()
    if aggregation is not None:
        _out(aggregation)


@transaction.atomic
def _on_line(operator, interface: TdInterface) -> None:
    """A transmission line that carries a part of what the interface injects, with less room than the feeders behind it could use: it was
    out and is back, and tomorrow afternoon it has less still."""
    line, noon = _line(operator, interface), timezone.localtime().replace(hour=12, minute=0, second=0, microsecond=0)
    outage = LineEvent(line=line, kind="outage", starts_at=noon - timedelta(days=1), reason=f"{SOURCE}: an insulator was damaged")
    line_events.report(actor=operator, event=outage)
    line_events.move(actor=operator, event=outage, name="restore", reason=f"{SOURCE}: the insulator was replaced")
    ahead = {"starts_at": noon + timedelta(days=1), "expected_until": noon + timedelta(days=1, hours=6)}
    works = LineEvent(line=line, kind="derate", capacity_percent=LINE_PERCENT, reason=f"{SOURCE}: works beside the conductor", **ahead)
    line_events.report(actor=operator, event=works)


def _line(operator, interface: TdInterface) -> MonitoredLine:
    tso, factors = interface.pnode.tso, {f"{interface.edc.slug}/{interface.code}": FACTOR}
    known = MonitoredLine.objects.filter(tso=tso, code=LINE).first()
    said = {"tso": tso, "code": LINE, "flow_kw": LINE_KW - ROOM_KW, "limit_kw": LINE_KW, "factors": factors}
    return known or limits.set_line(actor=operator, **said)


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
