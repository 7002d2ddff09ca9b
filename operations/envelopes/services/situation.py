"""What is out, switched or derated on a feeder, now and as planned, and the network that is left of it.

A situation is JSON, empty where all is as the network says: `open` and `switched` elements, `percent` of ratings left ("*": of all),
`dark` points without supply (their numbers; ["*"]: all), `ders` {id: [least, most] kW injected}, and the ids of the `events` in it.
One that changes within its window is `spans`: [[moment from which on, situation], …], and the ids of the `events`."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np
from django.db.models import Q
from django.utils import timezone

from operations.envelopes.models import EnvelopeRun
from operations.network.models import NetworkPoint, NetworkVersion
from operations.outages import reports
from operations.outages.models import DerOutage, GridEvent
from operations.outages.queries import coming
from registry.ders.models import Der

if TYPE_CHECKING:  # pages ask what the situation is, and need no solver in their memory
    from operations.network.engine.feeder import FeederModel

ALL, INSTANT = "*", timedelta(seconds=1)
NETWORK = ("open", "switched", "percent", "dark")  # what of a situation changes the network
Kind = GridEvent.Kind


def of(version: NetworkVersion, since: datetime | None = None, until: datetime | None = None, step: timedelta = INSTANT) -> dict:
    """The situation of a network in a window, interval by interval (of `step`); without `until` that of one moment, or of now.

    What is planned counts in the intervals that it touches. What goes on counts until it is expected to be over; where that is not known,
    or the moment has passed, to the end of the window."""
    since = since or timezone.now()
    until = until or since + step
    found = [(event.pk, event, _effect(version, event)) for event in _events(version, until).order_by("pk")]
    found += [(None, out, _effect_of(out)) for out in _outages(version, until).order_by("der", "pk")]
    touching = [(_intervals(each, since, until, step), pk, effect) for pk, each, effect in found if effect]
    touching = [row for row in touching if row[0][0] < row[0][1]]
    cuts = sorted({since} | {moment for span, *_ in touching for moment in span if since <= moment < until})
    at = [(moment, _together([effect for (first, last), _, effect in touching if first <= moment < last])) for moment in cuts]
    spans = [next(rows) for _, rows in groupby(at, key=lambda row: row[1])]
    events = {"events": [pk for _, pk, _ in touching if pk]}
    if len(spans) > 1:
        return {"spans": [[moment.isoformat(), said] for moment, said in spans]} | events
    return spans[0][1] | events if spans[0][1] else {}


def _events(version: NetworkVersion, until: datetime):
    """The events that are going on or planned at a place of a network's feeder, or at the interface above it."""
    feeder = version.feeder
    place = Q(feeder=feeder) | Q(transformer__feeder=feeder) | Q(td_interface=feeder.substation.td_interface_id)
    return GridEvent.objects.filter(place, coming(until), edc=version.edc_id).select_related("transformer")


def _outages(version: NetworkVersion, until: datetime):
    points = NetworkPoint.objects.filter(version=version, service_point__isnull=False)
    ders = Der.objects.filter(status=Der.Status.ACTIVE, service_point__in=points.values("service_point"))
    return DerOutage.objects.filter(coming(until), der__in=ders)


def _intervals(each: GridEvent | DerOutage, since: datetime, until: datetime, step: timedelta) -> tuple[datetime, datetime]:
    """The beginning of the first interval that it touches, and the end of the last."""
    begins = each.starts_at if each.status == "planned" else since
    known = each.expected_until is not None and each.expected_until > timezone.now()
    ends = min(each.expected_until, until) if known else until
    return since + max(0, (begins - since) // step) * step, since + -((since - ends) // step) * step


def _effect(version: NetworkVersion, event: GridEvent) -> dict:
    """What an event does to a feeder; nothing where it changes nothing there, as the derate of an interface."""
    derated = event.kind == Kind.DERATE
    if event.td_interface_id and derated:
        return {}
    if event.transformer_id and not derated:
        behind = NetworkPoint.objects.filter(version=version, service_point__transformer=event.transformer_id)
        return {"dark": numbers} if (numbers := list(behind.order_by("number").values_list("number", flat=True))) else {}
    element = reports.element_of(version, event.transformer) if event.transformer_id else event.element or ALL
    if derated:
        return {"percent": {element: event.capacity_percent}} if element else {}
    if element == ALL:
        return {"dark": [ALL]}
    return {"switched" if event.kind == Kind.SWITCHING else "open": [element]}


def _effect_of(out: DerOutage) -> dict:
    return {"ders": {str(out.der_id): [0.0 if out.kind == "outage" else -1e6, float(out.available_kw)]}}


def _together(effects: list[dict]) -> dict:
    """Several effects at once: the least that each leaves. An element that is switched twice is as it was."""
    found: dict = {"open": [], "switched": [], "percent": {}, "dark": [], "ders": {}}
    for effect in effects:
        for name in ("open", "dark"):
            found[name] += [each for each in effect.get(name, ()) if each not in found[name]]
        found["switched"] += effect.get("switched", ())
        for element, percent in effect.get("percent", {}).items():
            found["percent"][element] = min(percent, found["percent"].get(element, 100))
        for der, (least, most) in effect.get("ders", {}).items():
            before = found["ders"].get(der, [least, most])
            found["ders"][der] = [max(least, before[0]), min(most, before[1])]
    found["dark"] = [ALL] if ALL in found["dark"] else sorted(found["dark"])
    return {name: value for name, value in found.items() if value}


def same(one: EnvelopeRun, other: EnvelopeRun) -> bool:
    """Whether two runs are of the same situation, whatever events made it, as far as both have windows."""
    both = max(one.starts_at, other.starts_at), min(one.ends_at, other.ends_at)
    return one.situations(*both) == other.situations(*both)


def changed(feeder: FeederModel, situation: dict) -> tuple[FeederModel, np.ndarray]:
    """The feeder as the situation leaves it, without the points that have no supply; and which of the points remain, (p,)."""
    names = np.char.lower(feeder.element_names.astype(str))
    in_service, amps = feeder.in_service.copy(), feeder.rating_amps.astype(float)
    for element in situation.get("open", ()):
        in_service[names == element.lower()] = False
    for element in situation.get("switched", ()):
        in_service[names == element.lower()] ^= True
    for element, percent in situation.get("percent", {}).items():
        rows = slice(None) if element == ALL else names[feeder.rating_element] == element.lower()
        amps[rows] *= percent / 100
    left = replace(feeder.with_service(in_service), rating_amps=amps)
    kept = np.ones(len(feeder.points), bool)
    kept[feeder.leg_point[~left.alive[feeder.leg_from]]] = False
    dark = situation.get("dark", [])
    kept[slice(None) if ALL in dark else np.array(dark, int)] = False
    return left.with_points(kept), kept
