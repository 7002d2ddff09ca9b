"""Forecasts are made of every meter of a feeder at once, summed, and published; what was published is never changed."""

from collections import Counter
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

REASON, ALL = "system: forecasts", -1


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
    errors = _errors(feeder, day, at, found, Counter(under))
    low, high = errors.get(ALL, (0.0, 0.0))
    facts = {"edc_id": feeder.edc_id, "starts_at": blend.starts_of(day, ZoneInfo(settings.TIME_ZONE), found.minutes)[0]}
    facts |= {"minutes": found.minutes, "published_at": at, "points": points, "transformers": transformers, "unit": unit}
    facts |= {"meters_block": blocks.pack(kw, unit), "transformers_block": blocks.pack(summed, unit)}
    facts |= {"feeder_kw": _listed(total), "low_kw": _listed(total + low), "high_kw": _listed(total + high)}
    for n, name in enumerate(("low_error_kw", "high_error_kw") if errors else ()):
        facts[name] = [errors[each][n] if each in errors else None for each in transformers]
    with acting(None, REASON):
        named = {"feeder": feeder, "day": day, "kind": kind, "known_until": found.known_until}
        made, is_new = Forecast.objects.get_or_create(**named, defaults=facts)
    return made if is_new else None


def _listed(values: np.ndarray) -> list[float]:
    return np.round(values, 3).tolist()


def _errors(feeder: Feeder, day: date, at: datetime, found: History, meters: Counter) -> dict[int, tuple[float, float]]:
    """By transformer (0: none), and of ALL, the errors (kW) of their sums between which eight of ten intervals lay in the last weeks;
    nothing where these are not known. meters: how many each has; those that were not known throughout err as their neighbours."""
    tested = tested_days(feeder, day, found.known_until, at)
    if tested is None or tested.minutes != found.minutes:
        return {}
    under = np.array([transformer or 0 for transformer in tested.transformers])
    groups = [ALL, *sorted(set(under.tolist()) & set(meters))]
    rows = [under >= 0 if group == ALL else under == group for group in groups]
    margins = blend.margins(np.stack([tested.kwh[each].sum(0) for each in rows])) * 60 / found.minutes
    counts = [meters.total() if group == ALL else meters[group] for group in groups]
    scaled = {group: margin * count / each.sum() for group, margin, count, each in zip(groups, margins, counts, rows, strict=True)}
    return {group: tuple(_listed(margin)) for group, margin in scaled.items() if not np.isnan(margin).any()}


def due() -> int:
    """Forecasts of today and tomorrow of every feeder with meter data of the last two weeks; returns how many were published."""
    today, made = timezone.localdate(), 0
    with sight.engine():
        recent = MeterDay.objects.between(today - timedelta(days=14), today + timedelta(days=1)).values("service_point__feeder")
        feeders = list(Feeder.objects.filter(pk__in=recent).order_by("pk"))
    for feeder in feeders:
        made += sum(publish(feeder, day) is not None for day in (today, today + timedelta(days=1)))
    return made
