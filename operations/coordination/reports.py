"""Interfaces as they stand: flow, limits, headroom, what DERs behind them can do, what is forecast, and what happens there."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from django.db.models import Q, Sum
from django.utils import timezone

from moc import sight
from operations.coordination.models import InterfaceLimit, LineEvent, LineTouched, MonitoredLine
from operations.envelopes.models import EnvelopeRun
from operations.forecasts.models import Forecast
from operations.outages.models import GridEvent
from operations.telemetry.models import SUBJECTS, DerState, SubjectState
from registry.grid.models import Feeder, TdInterface

NAMES = "flow_kw measured_at low_kw high_kw room_up_kw room_down_kw up_kw down_kw envelope_up_kw envelope_down_kw".split()


@dataclass(frozen=True, eq=False)
class Capability:
    """A feeder at a moment: its published run, the interval, each point's DERs, and its least and most injection (A,) kW."""

    feeder: Feeder
    run: EnvelopeRun
    interval: int
    ders: list[list[int]]
    low_kw: np.ndarray
    high_kw: np.ndarray


@sight.engine()  # whoever may see an interface may see its sums, not whose they are
def state_of(interfaces: list[int], envelopes: bool = False) -> dict[int, dict]:
    """The state of interfaces that the caller may see, by primary key. Flow and injection towards transmission are positive, kW.

    envelopes: also what the sets in force leave, of which every block behind the interfaces is read; else None."""
    flows = {row.td_interface_id: row for row in SubjectState.objects.filter(td_interface__in=interfaces)}
    bounds = bounds_at(interfaces, timezone.now())
    ready = DerState.objects.with_readiness("ready").filter(der__feeder__substation__td_interface__in=interfaces).order_by()
    sums = ready.values_list("der__feeder__substation__td_interface").annotate(Sum("up_kw"), Sum("down_kw"))
    told = {key: (up or 0.0, down or 0.0) for key, up, down in sums}
    envelope: dict[int, list] = defaultdict(lambda: [0.0, 0.0] if envelopes else [None, None])
    for each in capabilities(interfaces, timezone.now()) if envelopes else ():
        both = envelope[each.feeder.substation.td_interface_id]
        both[0] += float(np.maximum(each.high_kw, 0).sum())
        both[1] += float(np.maximum(-each.low_kw, 0).sum())
    found = {}
    for key in interfaces:
        flow, (low, high) = flows.get(key), bounds[key]
        rooms = (high - flow.p_kw, flow.p_kw - low) if flow and low is not None else (None, None)
        measured = (flow.p_kw, flow.event_at) if flow else (None, None)
        values = (*measured, low, high, *rooms, *told.get(key, (0.0, 0.0)), *envelope[key])
        found[key] = dict(zip(NAMES, values, strict=True))
    return found


def bounds_at(interfaces: list[int], at: datetime) -> dict[int, tuple]:
    """The least and the most flow of each interface at a moment, kW: what the events there leave of its limits; None without limits."""
    left = dict.fromkeys(interfaces, 1.0)
    events = GridEvent.objects.filter(td_interface__in=interfaces).covering(at)
    for key, percent in events.values_list("td_interface", "capacity_percent"):
        left[key] = min(left[key], percent / 100)
    found = {key: (None, None) if part else (0.0, 0.0) for key, part in left.items()}
    for limit in InterfaceLimit.objects.filter(td_interface__in=interfaces):
        part = left[limit.td_interface_id]
        found[limit.td_interface_id] = 0.0 - limit.import_kw * part, limit.export_kw * part
    return found


def lines_at(tso: int, at: datetime) -> list[MonitoredLine]:
    """An RTO's lines by code, not to be saved: with the limits that their events leave at a moment. A line that is out has none and no
    flow."""
    events, lines = LineEvent.objects.filter(tso=tso).covering(at), MonitoredLine.objects.filter(tso=tso).order_by("code")
    left: dict[int, int] = {}
    for key, percent in events.values_list("line", "capacity_percent"):
        left[key] = min(left.get(key, 100), percent)
    for line in lines:
        percent = left.get(line.pk, 100)
        line.limit_kw *= percent / 100
        line.flow_kw = line.flow_kw if percent else 0.0
    return list(lines)


def line_events_of(interface: TdInterface, user):
    """The events of lines that carry a part of an interface, going on or to come, as the reader may see them."""
    behind = LineTouched.objects.filter(td_interface=interface).values("event")
    return LineEvent.objects.visible_to(user).filter(pk__in=behind).open().distinct().select_related("line")[:20]


def feeders_behind(event: LineEvent, user):
    """The codes of the feeders behind a line's event, as far as the reader may see them."""
    interfaces = LineTouched.objects.visible_to(user).filter(event=event).order_by().values("td_interface")
    rows = Feeder.objects.visible_to(user, "view_registry").filter(substation__td_interface__in=interfaces)
    return rows.order_by("code").values_list("code", flat=True).distinct()


def capabilities(interfaces: list[int], at: datetime) -> list[Capability]:
    """Of the feeders behind interfaces those with a published set at a moment, by feeder."""
    runs = EnvelopeRun.objects.filter(feeder__substation__td_interface__in=interfaces).standing_at(at)
    found = []
    for run in runs.select_related("feeder__substation", "network").prefetch_related("blocks"):
        if not (kept := run.bounds):
            continue
        interval = int((at - run.starts_at).total_seconds() // (60 * run.step_minutes))
        low, high = (block.kw()[:, interval] for block in kept.values())
        found.append(Capability(run.feeder, run, interval, kept["min"].ders, low, high))
    return found


@sight.engine()
def forecast_of(interface: TdInterface, now: datetime) -> tuple[list[datetime], list[float], int]:
    """What is forecast of the meters behind an interface together, from the present hour on: moments, kW (injection positive), and how
    many meters these are."""
    seen = Forecast.objects.filter(feeder__substation__td_interface=interface, day__gte=timezone.localdate(now)).seen(now)
    total: dict[datetime, float] = defaultdict(float)
    meters: dict[int, int] = {}
    for forecast in seen:
        meters[forecast.feeder_id] = max(len(forecast.points), meters.get(forecast.feeder_id, 0))
        for n, kw in enumerate(forecast.feeder_kw):
            total[forecast.starts_at + timedelta(minutes=forecast.minutes) * n] += kw
    times = sorted(moment for moment in total if moment >= now - timedelta(hours=1))
    return times, [round(total[moment], 1) for moment in times], sum(meters.values())


def history_of(interface: TdInterface) -> dict:
    """What finds the readings of an interface: all four keys, as their index has them."""
    return dict.fromkeys(SUBJECTS) | {"td_interface": interface}


def events_of(interface: TdInterface, user):
    """The events that are going on or to come at an interface, its feeders and their transformers, as the reader may see them."""
    feeders = Feeder.objects.filter(substation__td_interface=interface)
    place = Q(td_interface=interface) | Q(feeder__in=feeders) | Q(transformer__feeder__in=feeders)
    rows = GridEvent.objects.visible_to(user).filter(place).open().distinct()
    return rows.select_related("td_interface", "feeder", "transformer")[:20]
