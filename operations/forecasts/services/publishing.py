"""Forecasts are made of every meter of a feeder at once, summed, and published; what was published is never changed."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from moc import sight
from moc.history import acting
from operations.forecasts.engine import blend, blocks
from operations.forecasts.models import Forecast, MeterDay
from operations.forecasts.reports import History, clock_of, history, tested_days
from registry.grid.models import Feeder

REASON = "system: forecasts"


@sight.engine()
def publish(feeder: Feeder, day: date, at: datetime | None = None) -> Forecast | None:
    """Forecast a day of a feeder with what is known at a moment (now): ahead where none of the day is, else intraday.

    None where no meter of it is known, or where nothing is known that the last forecast did not know."""
    at = at or timezone.now()
    found = history(feeder, day + timedelta(days=1), blend.HISTORY + 1, at)
    if found is None:
        return None
    ahead = blend.day_ahead(found.kwh[:, :-1])
    seen = _seen(found.kwh[:, -1])
    kind = Forecast.Kind.INTRADAY if seen.shape[1] else Forecast.Kind.DAY_AHEAD
    kwh = blend.intraday(ahead, seen, found.minutes)
    kept = ~np.isnan(kwh).all(1)
    if not kept.any():
        return None
    filled = np.where(np.isnan(kwh), np.nan_to_num(blend.mean(kwh, 1))[:, None], kwh)[kept]
    kw = filled[:, clock_of(day, found.minutes)] * 60 / found.minutes
    return _published(feeder, day, kind, at, found, kept, kw)


def _seen(today: np.ndarray) -> np.ndarray:
    """The first intervals of the day up to the last of which any meter is known."""
    known = np.flatnonzero(~np.isnan(today).all(0))
    return today[:, : known[-1] + 1] if len(known) else today[:, :0]


@transaction.atomic
def _published(feeder: Feeder, day: date, kind: str, at: datetime, found: History, kept: np.ndarray, kw: np.ndarray) -> Forecast | None:
    points = [point for point, is_kept in zip(found.points, kept, strict=True) if is_kept]
    under = [transformer or 0 for transformer, is_kept in zip(found.transformers, kept, strict=True) if is_kept]
    transformers = sorted(set(under))
    summed = np.zeros((len(transformers), kw.shape[1]))
    np.add.at(summed, [transformers.index(each) for each in under], kw)
    total = kw.sum(0)
    unit = blocks.unit_for(np.concatenate([kw, summed]) * 10) / 10  # ten watts where they fit
    low, high = _bounds(feeder, day, at, found.minutes)
    facts = {"edc_id": feeder.edc_id, "starts_at": blend.starts_of(day, ZoneInfo(settings.TIME_ZONE), found.minutes)[0]}
    facts |= {"minutes": found.minutes, "published_at": at, "points": points, "transformers": transformers, "unit": unit}
    facts |= {"meters_block": blocks.pack(kw, unit), "transformers_block": blocks.pack(summed, unit)}
    facts |= {"feeder_kw": _listed(total), "low_kw": _listed(total + low), "high_kw": _listed(total + high)}
    with acting(None, REASON):
        named = {"feeder": feeder, "day": day, "kind": kind, "known_until": found.known_until}
        made, is_new = Forecast.objects.get_or_create(**named, defaults=facts)
    return made if is_new else None


def _listed(values: np.ndarray) -> list[float]:
    return np.round(values, 3).tolist()


def _bounds(feeder: Feeder, day: date, at: datetime, minutes: int) -> tuple[float, float]:
    """The errors (kW) of the sum between which eight of ten intervals lay in the last weeks; none where these are not known."""
    days = tested_days(feeder, day, at)
    if days is None or days.minutes != minutes:
        return 0.0, 0.0
    found = blend.backtest(days.kwh.sum(0))
    return found["low"] * 60 / minutes, found["high"] * 60 / minutes


def due() -> int:
    """Forecasts of today and tomorrow of every feeder with meter data of the last two weeks; returns how many were published."""
    today, made = timezone.localdate(), 0
    with sight.engine():
        recent = MeterDay.objects.between(today - timedelta(days=14), today + timedelta(days=1)).values("service_point__feeder")
        feeders = list(Feeder.objects.filter(pk__in=recent).order_by("pk"))
    for feeder in feeders:
        made += sum(publish(feeder, day) is not None for day in (today, today + timedelta(days=1)))
    return made
