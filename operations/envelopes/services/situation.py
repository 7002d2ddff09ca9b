"""What is out, switched or derated on a feeder, and the network that is left of it.

A situation is JSON, empty where all is as the network says: `open` and `switched` elements, `percent` of ratings left ("*": of all),
`dark` points without supply (their numbers; ["*"]: all), `ders` {id: [least, most] kW injected}, and the ids of the `events` in it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np
from django.db.models import Q
from django.utils import timezone

from operations.network.models import NetworkPoint, NetworkVersion
from operations.outages import reports
from operations.outages.models import DerOutage, GridEvent
from registry.ders.models import Der

if TYPE_CHECKING:  # pages ask what the situation is, and need no solver in their memory
    from operations.network.engine.feeder import FeederModel

ALL = "*"
Kind = GridEvent.Kind


def of(version: NetworkVersion, until: datetime | None = None, since: datetime | None = None) -> dict:
    """The situation of a network in a window: events and outages that are going on and, as far as is known, last into it."""
    since = since or timezone.now()
    lasting = Q(expected_until=None) | Q(expected_until__gt=since)
    found: dict = {"open": [], "switched": [], "percent": {}, "dark": [], "ders": {}, "events": []}
    for event in _events(version).filter(lasting).order_by("pk"):
        if _take(found, version, event):
            found["events"].append(event.pk)
    for out in DerOutage.objects.filter(lasting, status="active", der__in=_ders(version)).order_by("der"):
        found["ders"][str(out.der_id)] = [0.0 if out.kind == "outage" else -1e6, float(out.available_kw)]
    return {name: value for name, value in found.items() if value}


def _events(version: NetworkVersion):
    """The events that are going on at a place of a network's feeder, or at the interface above it."""
    feeder = version.feeder
    place = Q(feeder=feeder) | Q(transformer__feeder=feeder) | Q(td_interface=feeder.substation.td_interface_id)
    return GridEvent.objects.filter(place, status=GridEvent.Status.ACTIVE, edc=version.edc_id).select_related("transformer")


def _ders(version: NetworkVersion):
    points = NetworkPoint.objects.filter(version=version, service_point__isnull=False)
    return Der.objects.filter(status=Der.Status.ACTIVE, service_point__in=points.values("service_point"))


def _take(found: dict, version: NetworkVersion, event: GridEvent) -> bool:
    """Add an event to a situation; False where it changes nothing on the feeder, as the derate of an interface."""
    derated = event.kind == Kind.DERATE
    if event.td_interface_id and derated:
        return False
    if event.transformer_id and not derated:
        behind = NetworkPoint.objects.filter(version=version, service_point__transformer=event.transformer_id)
        found["dark"] += [number for number in behind.order_by("number").values_list("number", flat=True) if number not in found["dark"]]
        return behind.exists()
    element = reports.element_of(version, event.transformer) if event.transformer_id else event.element or ALL
    if derated:
        if element:
            found["percent"][element] = min(event.capacity_percent, found["percent"].get(element, 100))
        return bool(element)
    if element == ALL:
        found["dark"] = [ALL]
    else:
        found["switched" if event.kind == Kind.SWITCHING else "open"].append(element)
    return True


def same(one: dict, other: dict) -> bool:
    """Whether two situations are the same for the solver, whatever events made them."""
    return {**one, "events": []} == {**other, "events": []}


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
