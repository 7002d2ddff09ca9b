"""Meter data come in: a file becomes days of service points; what is there already with the same values is not stored again."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from moc.access import policy
from moc.access.models import Organization
from moc.errors import UserError
from moc.history import acting
from operations.forecasts.engine import blend
from operations.forecasts.models import MeterDay
from operations.forecasts.services import reading
from operations.forecasts.services.reading import Interval
from registry.grid.models import ServicePoint

PERMISSION = "manage_grid"
SHOWN = 20


@dataclass(frozen=True)
class Stored:
    """What became of a file: days stored anew, days known with the same values, and ids that are no service points of the utility."""

    stored: int
    known: int
    unknown: list[str]


def receive(*, actor, edc: Organization, name: str, content: bytes, point: str = "") -> Stored:
    """Store the interval data of a file: Green Button XML (of the service point named) or CSV. Only a utility's own service points.

    Raises reading.Unreadable, and UserError where one point's intervals of a day are of several lengths."""
    policy.require(actor, PERMISSION, edc)
    source = MeterDay.Source.GREEN_BUTTON if name.lower().endswith(".xml") else MeterDay.Source.AMI
    return store(actor=actor, edc=edc, intervals=reading.read(name, content, point), source=source)


@transaction.atomic
def store(*, actor, edc: Organization, intervals: list[Interval], source: str) -> Stored:
    """Store intervals, netted where two are of the same time; a day that is partly there already is completed by a later row."""
    zone = ZoneInfo(settings.TIME_ZONE)
    days = _days(intervals, zone)
    with acting(actor, f"{'' if actor else 'system: '}Meter data received"):
        names = {name for name, _ in days}
        points = dict(ServicePoint.objects.filter(edc=edc, usage_point_id__in=names).values_list("usage_point_id", "pk"))
        wanted = {(points[name], day): found for (name, day), found in days.items() if name in points}
        there = _there(wanted)
        made, now = [], timezone.now()
        for (point, day), (minutes, found) in wanted.items():
            before = there.get((point, day))
            kwh = _laid(day, zone, minutes, found, before)
            if before is None or before[1] != kwh:
                made.append(MeterDay(edc=edc, service_point_id=point, day=day, minutes=minutes, kwh=kwh, source=source, published_at=now))
        MeterDay.objects.bulk_create(made, batch_size=2_000)
    return Stored(len(made), len(wanted) - len(made), sorted(names - points.keys())[:SHOWN])


def _days(intervals: list[Interval], zone: ZoneInfo) -> dict[tuple[str, date], tuple[int, dict[datetime, float]]]:
    """(service point, local day) → minutes, and kWh by beginning."""
    found: dict = {}
    for each in intervals:
        key = each.point, each.starts_at.astimezone(zone).date()
        minutes, values = found.setdefault(key, (each.minutes, defaultdict(float)))
        if minutes != each.minutes:
            raise UserError(
                f"{each.point} has intervals of {minutes} and of {each.minutes} minutes on a day.", "Send one length.", "METER-MIXED"
            )
        values[each.starts_at] += each.kwh
    return found


def _there(wanted: dict) -> dict[tuple[int, date], tuple[int, list]]:
    """What is known of these points and days: minutes and kWh."""
    points, days = {point for point, _ in wanted}, [day for _, day in wanted]
    rows = (
        MeterDay.objects.filter(service_point__in=points).between(min(days), max(days) + timedelta(days=1))
        if days
        else MeterDay.objects.none()
    )
    return {
        (point, day): (minutes, kwh)
        for point, day, minutes, kwh in rows.standing(timezone.now()).values_list("service_point", "day", "minutes", "kwh")
    }


def _laid(day: date, zone: ZoneInfo, minutes: int, found: dict[datetime, float], before: tuple[int, list] | None) -> list[float | None]:
    """The intervals of a day, the new over what was known of the same length."""
    starts = blend.starts_of(day, zone, minutes)
    known = before[1] if before is not None and before[0] == minutes else [None] * len(starts)
    return [round(found[start], 6) if start in found else old for start, old in zip(starts, known, strict=True)]
