"""What lies behind a place of the grid, by its registry or by its network's graph."""

from collections import Counter, defaultdict, deque

from django.db.models import Count, QuerySet, Sum
from django.utils import timezone

from moc.errors import UserError
from operations.network.models import NetworkElement, NetworkPoint, NetworkVersion
from operations.outages.models import GridEvent, LogEntry, TouchedDer
from registry.aggregations.models import AggregationMember
from registry.grid.models import Feeder, ServicePoint, Transformer

SHOWN = 50  # DERs behind an event, and acts on it
SOURCE = "vsource"  # where the feeder's model is supplied


def points_behind(event: GridEvent):
    """The service points that lose their supply, or a part of it: a queryset. Raises UserError where the network does not tell."""
    if event.element:
        return ServicePoint.objects.filter(pk__in=_cut_off(event.feeder, event.element))
    if event.transformer_id:
        return ServicePoint.objects.filter(transformer=event.transformer_id)
    feeders = Feeder.objects.filter(pk=event.feeder_id)
    if event.td_interface_id:
        feeders = Feeder.objects.filter(substation__td_interface=event.td_interface_id)
    return ServicePoint.objects.filter(feeder__in=feeders.values("pk"))


def _cut_off(feeder: Feeder, element: str) -> set[int]:
    """The service points of a feeder that no path from a source reaches without an element, by the feeder's current network."""
    version = NetworkVersion.objects.filter(feeder=feeder, status=NetworkVersion.Status.CURRENT).first()
    if version is None:
        raise UserError(f"{feeder} has no current network.", "Load one, or name the feeder or a transformer.", "EVENT-NETWORK")
    if not NetworkElement.objects.filter(version=version, name=element).exclude(to_bus="").exists():
        raise UserError(f"The network of {feeder} has no line or transformer {element}.", "Look it up on the map.", "EVENT-ELEMENT")
    reached = _fed(version, without=element)
    points = NetworkPoint.objects.filter(version=version, service_point__isnull=False).values_list("service_point", "bus")
    return {point for point, bus in points if bus not in reached}


def _fed(version: NetworkVersion, without: str = "") -> dict[str, tuple[str, str, str]]:
    """Each bus that a source reaches, with what feeds it: (element, its kind, the bus before it); nothing at a source."""
    beside, sources = defaultdict(list), []
    for name, kind, one, two in NetworkElement.objects.filter(version=version).values_list("name", "kind", "from_bus", "to_bus"):
        if kind == SOURCE:
            sources.append(one)
        elif two and name != without:
            beside[one].append((two, name, kind))
            beside[two].append((one, name, kind))
    reached, waiting = dict.fromkeys(sources, ("", "", "")), deque(sources)
    while waiting:
        before = waiting.popleft()
        for bus, name, kind in beside[before]:
            if bus not in reached:
                reached[bus] = name, kind, before
                waiting.append(bus)
    return reached


def element_of(version: NetworkVersion, transformer: Transformer) -> str | None:
    """The transformer of a network through which most service points of a transformer of the registry are fed; None without any."""
    fed, found = _fed(version), Counter()
    for bus in NetworkPoint.objects.filter(version=version, service_point__transformer=transformer).values_list("bus", flat=True):
        name, kind, before = fed.get(bus, ("", "", ""))
        while name and kind != "transformer":
            name, kind, before = fed[before]
        found[name] += bool(name)
    return next((name for name, count in found.most_common(1) if count), None)


def counted(event: GridEvent) -> dict:
    """What an event touches: DERs, the aggregations of which they are members today, and their nameplate in kW."""
    ders = TouchedDer.objects.filter(event=event)
    members = AggregationMember.objects.on(timezone.localdate()).filter(der__in=ders.values("der"))
    return {
        "der_count": ders.count(),
        "aggregation_count": members.order_by().values("aggregation").distinct().count(),
        "kw": ders.aggregate(kw=Sum("der__nameplate_ac_kw"))["kw"] or 0,
    }


def touched_by(event: GridEvent, user) -> QuerySet:
    """The DERs that the reader may see behind an event; at most SHOWN."""
    return TouchedDer.objects.visible_to(user).filter(event=event).order_by("der")[:SHOWN]


def done_about(event: GridEvent, user) -> QuerySet:
    """What the reader may see of what was done about an event, newest first; at most SHOWN."""
    return LogEntry.objects.visible_to(user).filter(event=event).order_by("-at", "-pk")[:SHOWN]


def by_aggregator(event: GridEvent, user) -> list[dict]:
    """DERs and nameplate that the reader may see behind an event, by aggregator."""
    rows = TouchedDer.objects.visible_to(user).filter(event=event, aggregator__isnull=False).order_by().values("aggregator__name")
    return list(rows.annotate(ders=Count("pk"), kw=Sum("der__nameplate_ac_kw")).order_by("aggregator__name"))
