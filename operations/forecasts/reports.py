"""Meters' days as the blend takes them, and forecasts as they are looked at: with what came, by transformer, and how well they did."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from django.conf import settings
from django.utils import timezone

from operations.forecasts.engine import blend, blocks
from operations.forecasts.models import Forecast, MeterDay
from registry.grid.models import Feeder, Transformer

MEANT_PERCENT = round(100 * (blend.QUANTILES[1] - blend.QUANTILES[0]))  # of values that are to lie between the bounds
TESTED_DAYS = 28  # whose errors a back-test tells, and the bounds


@dataclass(frozen=True)
class History:
    """Meters of a feeder (kWh on the clock, M × D × slots, gaps NaN), the days before `end`, and the moment to which they are known."""

    points: list[int]
    transformers: list[int | None]
    kwh: np.ndarray
    minutes: int
    known_until: datetime


def history(feeder: Feeder, end: date, days: int, at: datetime) -> History | None:
    """The meters' days before `end` as they were known at a moment, all of the longest interval among them; None where there are none."""
    zone, first = ZoneInfo(settings.TIME_ZONE), end - timedelta(days=days)
    rows = MeterDay.objects.filter(service_point__feeder=feeder).between(first, end).standing(at)
    found = list(rows.values_list("service_point", "service_point__transformer", "day", "minutes", "kwh"))
    if not found:
        return None
    minutes = max(row[3] for row in found)
    place = {point: n for n, point in enumerate(sorted({row[0] for row in found}))}
    kwh, known = np.full((len(place), days, 1440 // minutes), np.nan), datetime.min.replace(tzinfo=zone)
    groups: dict[tuple[date, int], list] = {}
    for row in found:
        groups.setdefault((row[2], row[3]), []).append(row)
    for (day, each), members in groups.items():
        values = np.array([row[4] for row in members], float)
        kwh[[place[row[0]] for row in members], (day - first).days] = _coarser(blend.on_clock(values, day, zone, each), each, minutes)
        last = np.flatnonzero(~np.isnan(values).all(0))
        if len(last):
            known = max(known, blend.starts_of(day, zone, each)[last[-1]] + timedelta(minutes=each))
    transformer = {row[0]: row[1] for row in found}
    return History(list(place), [transformer[point] for point in place], kwh, minutes, known)


def clock_of(day: date, minutes: int) -> np.ndarray:
    """Of each interval of a day in the platform's zone the place on the clock of 24 hours."""
    return blend.clock_of(day, ZoneInfo(settings.TIME_ZONE), minutes)


def _coarser(values: np.ndarray, minutes: int, wanted: int) -> np.ndarray:
    """Energy in longer intervals; a gap in one is a gap in the sum."""
    return values.reshape(len(values), -1, wanted // minutes).sum(2)


def tested_days(feeder: Feeder, day: date, known_until: datetime, at: datetime) -> History | None:
    """The meters that are known on every one of the days that a back-test takes: those before `day`, to the last with meter data. None
    without any."""
    last = (known_until - timedelta(seconds=1)).astimezone(ZoneInfo(settings.TIME_ZONE)).date()
    found = history(feeder, min(day, last + timedelta(days=1)), blend.HISTORY + TESTED_DAYS, at)
    if found is None:
        return None
    whole = np.flatnonzero(~np.isnan(found.kwh).all(2).any(1))
    kept = {name: [getattr(found, name)[row] for row in whole] for name in ("points", "transformers")}
    return replace(found, kwh=found.kwh[whole], **kept) if len(whole) else None


def times(forecast: Forecast) -> list[datetime]:
    """The beginnings of its intervals."""
    return [forecast.starts_at + timedelta(minutes=forecast.minutes) * n for n in range(len(forecast.feeder_kw))]


def actual_kw(forecast: Forecast) -> list[float | None]:
    """What the same meters were then measured at, summed (kW); empty where not all of them are known."""
    found = history(forecast.feeder, forecast.day + timedelta(days=1), 1, timezone.now())
    if found is None or found.minutes != forecast.minutes or not set(forecast.points) <= set(found.points):
        return [None] * len(forecast.feeder_kw)
    rows = [found.points.index(point) for point in forecast.points]
    summed = found.kwh[rows, 0].sum(0) * 60 / found.minutes
    placed = summed[clock_of(forecast.day, found.minutes)]
    return [None if np.isnan(value) else round(float(value), 3) for value in placed]


def parts(forecast: Forecast, name: str) -> dict[int, np.ndarray]:
    """What is forecast of each of its `points` or `transformers` (0: of the points without one), by primary key: kW by interval."""
    keys = getattr(forecast, name)
    block = forecast.meters_block if name == "points" else forecast.transformers_block
    if not keys:
        return {}
    return dict(zip(keys, blocks.unpack(bytes(block), len(keys), len(forecast.feeder_kw), forecast.unit), strict=True))


def errors_of(forecast: Forecast) -> dict[int, tuple[float, float]]:
    """P10 and P90 (kW) of each transformer's errors in the weeks before, as injection; of those of which they are known."""
    rows = zip(forecast.transformers, forecast.low_error_kw, forecast.high_error_kw, strict=False)
    return {key: (low, high) for key, low, high in rows if low is not None}


def transformers(forecast: Forecast) -> list[dict]:
    """Each transformer's largest import and export of the day (kW), the most loaded first; with its rating where that is known, and the
    import and export that nine of ten intervals stay within, by its own errors in the days of a back-test."""
    values, past = parts(forecast, "transformers"), errors_of(forecast)
    known = Transformer.objects.in_bulk(forecast.transformers)
    rows = []
    for key, kw in values.items():
        element = known.get(key)
        most, rating = float(np.abs(kw).max()), element.rated_kva if element else None
        loading = round(100 * most / float(rating), 1) if rating else None
        row = {"element": element, "import_kw": max(0.0, -kw.min()), "export_kw": max(0.0, kw.max()), "loading_percent": loading}
        if key in past:
            low, high = past[key]
            row |= {"likely_import_kw": max(0.0, -kw.min() - low), "likely_export_kw": max(0.0, kw.max() + high)}
        rows.append(row)
    return sorted(rows, key=lambda row: -(row["loading_percent"] or 0))


def tested(days: History | None) -> dict | None:
    """The back-test over the weeks before a forecast, errors in percent of the mean power beside the naive same day of the week before:
    the day-ahead blend's by hour of the day, the intraday forecast's by horizon; None without enough days. `lost` are the hours at which
    the naive was nearer, `short` the horizons of which fewer values lay between the bounds than these are meant for."""
    if days is None:
        return None
    summed = days.kwh.sum(0)
    test = blend.backtest(summed)
    per_hour = 60 // days.minutes
    hours = [
        {
            "hour": hour,
            "error": float(np.mean(test["by_slot"][hour * per_hour : (hour + 1) * per_hour])),
            "naive": float(np.mean(test["naive_by_slot"][hour * per_hour : (hour + 1) * per_hour])),
        }
        for hour in range(24)
    ]
    horizons = [row | {"coverage": _known(row["coverage"])} for row in blend.backtest_intraday(summed)]
    overall = {"days": int(test["days"]), "coverage": _known(test["coverage"]), "error": test["error"], "naive": test["naive"]}
    lost = [row["hour"] for row in hours if round(row["error"], 1) > round(row["naive"], 1)]  # as they are shown
    short = [row["hours"] for row in horizons if _short(row["coverage"])]
    return {"hours": hours, "horizons": horizons, "lost": lost, "short": short, "is_short": _short(overall["coverage"])} | overall


def _short(coverage: float | None) -> bool:
    """Whether fewer values lay between the bounds than these are meant for."""
    return coverage is not None and coverage < MEANT_PERCENT


def _known(percent: float) -> float | None:
    return None if np.isnan(percent) else round(percent, 1)
