"""Meter data of service points under the demonstration's networks: two real homes of 2011, hour by hour, scaled and moved from a seed,
an invented shop whose charger overloads its transformer in the evening, all marked as generated; and the forecasts that the platform
makes of them, with the alarm that they raise."""

import lzma
import zlib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
from django.conf import settings
from django.utils import timezone

from moc import sight
from moc.demo.readings import around
from moc.demo.sites import SEED
from operations.deferral import services as deferral
from operations.deferral.reports import VEHICLES
from operations.forecasts import reports
from operations.forecasts.engine import blend
from operations.forecasts.models import MeterDay
from operations.forecasts.services import publishing, reading, storing
from operations.forecasts.services.reading import Interval
from operations.network.models import NetworkVersion
from registry.ders.models import Der
from registry.grid.models import Feeder, ServicePoint

PACKED = Path(__file__).parent / "data" / "meters"
SAMPLES = ("coastal-multi-family", "inland-single-family")
SHOP_KW, CHARGING = 0.85, 0.9  # what the shop takes in the evening of its transformer's rating (kW for kVA), what charges of its charger
POINTS, DAYS = 40, blend.HISTORY + reports.TESTED_DAYS + 1
FIRST = datetime(2011, 1, 1, 8, tzinfo=UTC)  # midnight on the Pacific coast, where the homes are; no day changes its length before March 13


def sample(name: str) -> bytes:
    """A Green Button file: the first three months of a home."""
    return lzma.decompress((PACKED / f"{name}.xml.xz").read_bytes())


def meters() -> None:
    """The last weeks of some service points of each feeder with a network, forecasts of today and tomorrow, and what these overload."""
    with sight.engine():
        feeders = list(Feeder.objects.filter(pk__in=NetworkVersion.objects.filter(status="current").values("feeder")).select_related("edc"))
    homes = [_home(name) for name in SAMPLES]
    for feeder in feeders:
        with sight.engine():
            shops = _shops(feeder)
            points = list(feeder.service_points.exclude(pk__in=shops).order_by("usage_point_id")[:POINTS])
        intervals = [interval for point in points for interval in _intervals(point, _kept_by(point, homes))]
        intervals += [interval for point, days in shops.values() for interval in _intervals(point, days)]
        storing.store(actor=None, edc=feeder.edc, intervals=intervals, source=MeterDay.Source.GENERATED)
    publishing.due()
    with sight.engine():
        deferral.look()


def _home(name: str) -> np.ndarray:
    """(days, 24) kWh of the sample up to the day on which clocks change, from a Saturday on."""
    found = {each.starts_at: each.kwh for each in reading.read(f"{name}.xml", sample(name), name)}
    hours = [found.get(FIRST + timedelta(hours=n), np.nan) for n in range(71 * 24)]
    return np.array(hours).reshape(-1, 24)


def _shops(feeder: Feeder) -> dict[int, tuple[ServicePoint, np.ndarray]]:
    """At most one: a three-phase customer with its own transformer where vehicles charge, and (1, 24) kWh of any day, drawn below zero."""
    chargers = Der.objects.filter(service_point__feeder=feeder, service_point__phases_available=3, der_type__in=VEHICLES, status="active")
    charger = chargers.filter(max_charge_kw__gt=0).select_related("service_point__transformer").order_by("external_id").first()
    if charger is None:
        return {}
    hours, point = np.arange(24), charger.service_point
    shop = SHOP_KW * float(point.transformer.rated_kva) * (0.4 + 0.6 * around(hours, 17.5, 4))
    drawn = shop + CHARGING * float(charger.max_charge_kw) * around(hours, 18.5, 1.5)
    return {point.pk: (point, -drawn[None])}


def _kept_by(point: ServicePoint, homes: list[np.ndarray]) -> np.ndarray:
    """The home that the point's meter repeats, at the point's own size."""
    rng = _rng(point, "home")
    return homes[int(rng.integers(len(homes)))] * rng.uniform(0.6, 1.6)


def _rng(point: ServicePoint, what: str) -> np.random.Generator:
    return np.random.default_rng(zlib.crc32(f"{SEED}/{point.usage_point_id}/{what}".encode()))


def _intervals(point: ServicePoint, days: np.ndarray) -> list[Interval]:
    """Hours up to now of a meter that repeats (days, 24) kWh from a Saturday on, with some noise of its own."""
    zone, today, now, rng = ZoneInfo(settings.TIME_ZONE), timezone.localdate(), timezone.now(), _rng(point, "meter")
    found = []
    for n in range(DAYS):
        day = today - timedelta(days=DAYS - 1 - n)
        values = days[((day.weekday() - 5) % 7 + 7 * (n // 7)) % len(days)] * rng.normal(1, 0.12, 24)
        starts, places = blend.starts_of(day, zone, 60), blend.clock_of(day, zone, 60)
        found += [
            Interval(point.usage_point_id, start, 60, round(float(values[place]), 4))
            for start, place in zip(starts, places, strict=True)
            if start + timedelta(hours=1) <= now and not np.isnan(values[place])
        ]
    return found
