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
from django.db.models import Exists, Max, OuterRef
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
NOISE, STEADY = 0.12, 0.01  # of a home's hours, and of a shop's: whose overload shall be there on any day
POINTS, DAYS = 40, blend.HISTORY + reports.TESTED_DAYS + 1
FIRST = datetime(2011, 1, 1, 8, tzinfo=UTC)  # midnight on the Pacific coast, where the homes are; no day changes its length before March 13


def sample(name: str) -> bytes:
    """A Green Button file: the first three months of a home."""
    return lzma.decompress((PACKED / f"{name}.xml.xz").read_bytes())


def meters() -> None:
    """The last weeks of some service points of each feeder with a network, forecasts of today and tomorrow, and what these overload."""
    with sight.engine():
        feeders = list(Feeder.objects.filter(pk__in=NetworkVersion.objects.filter(status="current").values("feeder")).select_related("edc"))
    _store(feeders, DAYS)
    publishing.due()
    with sight.engine():
        deferral.look()


def go_on() -> None:
    """What the demonstration's meters measured since, up to this hour; nothing where there are none."""
    with sight.engine():
        generated = MeterDay.objects.between(timezone.localdate() - timedelta(days=DAYS), timezone.localdate() + timedelta(days=1))
        keys = generated.filter(source=MeterDay.Source.GENERATED).values("service_point__feeder")
        feeders, last = list(Feeder.objects.filter(pk__in=keys).select_related("edc")), generated.aggregate(last=Max("day"))["last"]
    if feeders:
        _store(feeders, (timezone.localdate() - last).days + 1)


def _store(feeders: list[Feeder], days: int) -> None:
    """The last days of the feeders' meters."""
    homes = [_home(name) for name in SAMPLES]
    for feeder in feeders:
        with sight.engine():
            shops = _shops(feeder)
            points = feeder.service_points.exclude(pk__in=shops).alias(without=~Exists(Der.objects.filter(service_point=OuterRef("pk"))))
            points = list(points.order_by("-without", "usage_point_id")[:POINTS])
        intervals = [interval for point in points for interval in _intervals(point, _kept_by(point, homes), days)]
        intervals += [interval for point, home in shops.values() for interval in _intervals(point, home, days, STEADY)]
        storing.store(actor=None, edc=feeder.edc, intervals=intervals, source=MeterDay.Source.GENERATED)


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


def _intervals(point: ServicePoint, home: np.ndarray, days: int, noise: float = NOISE) -> list[Interval]:
    """Hours of the last days up to now of a meter that repeats (days, 24) kWh from a Saturday on, with some noise of its own; a day has
    the same hours whenever it is asked for."""
    zone, today, now = ZoneInfo(settings.TIME_ZONE), timezone.localdate(), timezone.now()
    found = []
    for day in (today - timedelta(days=n) for n in reversed(range(days))):
        kept = home[(day.toordinal() + 1) % max(len(home) // 7 * 7, 1)]  # Saturdays are Saturdays: whole weeks are repeated
        values = kept * _rng(point, day.isoformat()).normal(1, noise, 24)
        starts, places = blend.starts_of(day, zone, 60), blend.clock_of(day, zone, 60)
        found += [
            Interval(point.usage_point_id, start, 60, round(float(values[place]), 4))
            for start, place in zip(starts, places, strict=True)
            if start + timedelta(hours=1) <= now and not np.isnan(values[place])
        ]
    return found
