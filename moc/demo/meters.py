"""Meter data of service points under the demonstration's networks: two real homes of 2011, hour by hour, scaled and moved from a seed,
and marked as generated; and the forecasts that the platform makes of them."""

import lzma
import zlib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
from django.conf import settings
from django.utils import timezone

from moc import sight
from moc.demo.sites import SEED
from operations.forecasts import reports
from operations.forecasts.engine import blend
from operations.forecasts.models import MeterDay
from operations.forecasts.services import publishing, reading, storing
from operations.forecasts.services.reading import Interval
from operations.network.models import NetworkVersion
from registry.grid.models import Feeder, ServicePoint

PACKED = Path(__file__).parent / "data" / "meters"
SAMPLES = ("coastal-multi-family", "inland-single-family")
POINTS, DAYS = 40, blend.HISTORY + reports.TESTED_DAYS + 1
FIRST = datetime(2011, 1, 1, 8, tzinfo=UTC)  # midnight on the Pacific coast, where the homes are; no day changes its length before March 13


def sample(name: str) -> bytes:
    """A Green Button file: the first three months of a home."""
    return lzma.decompress((PACKED / f"{name}.xml.xz").read_bytes())


def meters() -> None:
    """The last weeks of some service points of each feeder with a network, and forecasts of today and tomorrow; what is there stays."""
    with sight.engine():
        feeders = list(Feeder.objects.filter(pk__in=NetworkVersion.objects.filter(status="current").values("feeder")).select_related("edc"))
    homes = [_home(name) for name in SAMPLES]
    for feeder in feeders:
        with sight.engine():
            points = list(feeder.service_points.order_by("usage_point_id")[:POINTS])
        intervals = [interval for point in points for interval in _intervals(point, homes)]
        storing.store(actor=None, edc=feeder.edc, intervals=intervals, source=MeterDay.Source.GENERATED)
    publishing.due()


def _home(name: str) -> np.ndarray:
    """(days, 24) kWh of the sample up to the day on which clocks change, from a Saturday on."""
    found = {each.starts_at: each.kwh for each in reading.read(f"{name}.xml", sample(name), name)}
    hours = [found.get(FIRST + timedelta(hours=n), np.nan) for n in range(71 * 24)]
    return np.array(hours).reshape(-1, 24)


def _intervals(point: ServicePoint, homes: list[np.ndarray]) -> list[Interval]:
    """Hours up to now: weekdays are those of the sample, the home, its size and some noise the point's own."""
    zone, today = ZoneInfo(settings.TIME_ZONE), timezone.localdate()
    rng = np.random.default_rng(zlib.crc32(f"{SEED}/{point.usage_point_id}/meter".encode()))
    home, size, now = homes[int(rng.integers(len(homes)))], rng.uniform(0.6, 1.6), timezone.now()
    found = []
    for n in range(DAYS):
        day = today - timedelta(days=DAYS - 1 - n)
        values = home[(day.weekday() - 5) % 7 + 7 * (n // 7)] * size * rng.normal(1, 0.12, 24)
        starts, places = blend.starts_of(day, zone, 60), blend.clock_of(day, zone, 60)
        found += [
            Interval(point.usage_point_id, start, 60, round(float(values[place]), 4))
            for start, place in zip(starts, places, strict=True)
            if start + timedelta(hours=1) <= now and not np.isnan(values[place])
        ]
    return found
