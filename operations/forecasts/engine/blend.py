"""The additive blend: 60 % of the mean of the last four same weekdays and 40 % of the mean of the last three days, for every meter at once.

Margins are quantiles of its own past errors. LightGBM's quantiles were measured beside them on the data that ship, are the worse ones, and
are not used: over 25 days of five transformers of 1 to 20 meters its P10 and P90 together lose 3.08 % of the mean (pinball loss), these
2.58 %, and they hold 70 to 72 % of the hours, these 77 to 80 % (`make bench ARGS="-k margins"`, with lightgbm 4.7.0 installed for it).

It is linear, so the sum of the meters' forecasts is the forecast of their sum. Days are laid on a local clock of equal length: of a day of
23 hours the missing hour is a gap, of a day of 25 hours the hour that comes twice is the mean of the two.
"""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np

SAME_WEEKDAYS, LAST_DAYS, SHARE = 4, 3, 0.6
QUANTILES = 0.1, 0.9
HISTORY = 7 * SAME_WEEKDAYS  # days
FADES_H = 6.0  # hours after which a deviation of today has faded to 1/e
LOOKS_BACK_H = 3  # hours of today that tell it
HORIZONS_H = 1, 2, 3, 6, 12


def starts_of(day: date, zone: ZoneInfo, minutes: int) -> list[datetime]:
    """The beginnings of a local day's intervals: 23, 24 or 25 hours of them."""
    first = datetime.combine(day, time.min, zone).astimezone(ZoneInfo("UTC"))
    end = datetime.combine(day + timedelta(days=1), time.min, zone).astimezone(ZoneInfo("UTC"))
    return [first + timedelta(minutes=minutes) * n for n in range(int((end - first) / timedelta(minutes=minutes)))]


def clock_of(day: date, zone: ZoneInfo, minutes: int) -> np.ndarray:
    """Of each interval of a local day the place on the clock of 24 hours."""
    local = [start.astimezone(zone) for start in starts_of(day, zone, minutes)]
    return np.array([(each.hour * 60 + each.minute) // minutes for each in local])


def on_clock(values: np.ndarray, day: date, zone: ZoneInfo, minutes: int) -> np.ndarray:
    """(…, intervals of the day) on the clock, (…, 1440 / minutes): what is missing is NaN, what comes twice a mean."""
    places, slots = clock_of(day, zone, minutes), 1440 // minutes
    summed, known = np.zeros((*values.shape[:-1], slots)), np.zeros((*values.shape[:-1], slots))
    for n, place in enumerate(places):
        here = ~np.isnan(values[..., n])
        summed[..., place] += np.where(here, values[..., n], 0)
        known[..., place] += here
    return np.where(known > 0, summed / np.maximum(known, 1), np.nan)


def mean(values: np.ndarray, axis: int) -> np.ndarray:
    """The mean of what is known; NaN where nothing is."""
    known = ~np.isnan(values)
    return np.where(known.any(axis), np.where(known, values, 0).sum(axis) / np.maximum(known.sum(axis), 1), np.nan)


def day_ahead(history: np.ndarray) -> np.ndarray:
    """The next day of meters on the clock (M, slots) from their days before it (M, D, slots), of which the last is the day before.

    A mean that a gap leaves empty is the other one; where both are, the meter's mean of the hour over all its days; then NaN."""
    days = history.shape[1]
    weekdays = mean(history[:, [days - 7 * n for n in range(1, SAME_WEEKDAYS + 1) if days >= 7 * n]], 1)
    recent = mean(history[:, -LAST_DAYS:], 1)
    both = SHARE * weekdays + (1 - SHARE) * recent
    either = np.where(np.isnan(weekdays), recent, np.where(np.isnan(recent), weekdays, both))
    return np.where(np.isnan(either), mean(history, 1), either)


def intraday(ahead: np.ndarray, seen: np.ndarray, minutes: int) -> np.ndarray:
    """A day's forecast (M, slots) after its first intervals `seen` (M, n): they stand as they were, and the mean deviation of the last
    hours fades out over those to come."""
    n = seen.shape[1]
    found = ahead.copy()
    found[:, :n] = np.where(np.isnan(seen), ahead[:, :n], seen)
    if n:
        last = slice(max(0, n - LOOKS_BACK_H * 60 // minutes), n)
        deviation = np.nan_to_num(mean(seen[:, last] - ahead[:, last], 1))
        hours = (np.arange(ahead.shape[1] - n) + 1) * minutes / 60
        found[:, n:] += deviation[:, None] * np.exp(-hours / FADES_H)
    return found


def naive(history: np.ndarray) -> np.ndarray:
    """Of the days after the first HISTORY of (D, slots) the same day of the week before, (D − HISTORY, slots)."""
    return history[HISTORY - 7 : -7]


def errors_of(history: np.ndarray) -> np.ndarray:
    """What came less the blend of the days before it only, on the last days of several sums of meters: of (G, D, slots) with D > HISTORY
    (G, D − HISTORY, slots)."""
    days = range(HISTORY, history.shape[1])
    return history[:, HISTORY:] - np.stack([day_ahead(history[:, day - HISTORY : day]) for day in days], 1)


def margins(history: np.ndarray, quantiles: tuple[float, float] = QUANTILES) -> np.ndarray:
    """The errors (kWh) at the quantiles of each of several sums of meters (G, D, slots), (G, 2); NaN where none is known."""
    found = [each[~np.isnan(each)] for each in errors_of(history)]
    return np.stack([np.quantile(each, quantiles) if len(each) else np.full(2, np.nan) for each in found])


def backtest(history: np.ndarray, quantiles: tuple[float, float] = QUANTILES) -> dict[str, np.ndarray | float]:
    """The day-ahead blend of a sum of meters over its last days, each from the days before it only.

    history: (D, slots) with D > HISTORY. Errors are means of |error| over the mean of |value|, in percent: by slot and overall, of the
    blend and of the naive; `low` and `high` the errors (kWh, by slot) at the quantiles; `coverage` the percent of values between them
    when they are taken from the earlier half of the days and judged on the later."""
    (errors,) = errors_of(history[None])
    actual = history[HISTORY:]
    scale = np.nanmean(np.abs(actual)) / 100
    plain = actual - naive(history)
    found = {"by_slot": np.nanmean(np.abs(errors), 0) / scale, "naive_by_slot": np.nanmean(np.abs(plain), 0) / scale}
    found |= {"error": float(np.nanmean(np.abs(errors)) / scale), "naive": float(np.nanmean(np.abs(plain)) / scale)}
    low, high = np.nanquantile(errors, quantiles[0]), np.nanquantile(errors, quantiles[1])
    found |= {"low": float(low), "high": float(high), "days": float(len(errors))}
    return found | {"coverage": _coverage(errors, errors, quantiles)}


def _coverage(ahead: np.ndarray, errors: np.ndarray, quantiles: tuple[float, float]) -> float:
    """Percent of the errors on the later half of the days between the quantiles of day-ahead's on the earlier half; NaN with too few."""
    half = len(ahead) // 2
    later = errors[half:][~np.isnan(errors[half:])]
    if half < 2 or not len(later):
        return float("nan")
    low, high = np.nanquantile(ahead[:half], quantiles)
    return float(100 * ((later >= low) & (later <= high)).mean())


def backtest_intraday(history: np.ndarray, quantiles: tuple[float, float] = QUANTILES) -> list[dict[str, float]]:
    """The intraday forecast of a sum of meters over the same days as `backtest`, made after each interval of each day from what was
    known by then: by `hours` from its last meter data to the end of an interval.

    history: (D, slots) with D > HISTORY. `intraday`, `ahead` and `naive` are errors as there, all three of the same intervals; `coverage`
    the percent of values between the bounds that an intraday forecast is published with, which are the day-ahead blend's."""
    actual, (ahead_errors,) = history[HISTORY:], errors_of(history[None])
    ahead, plain = actual - ahead_errors, actual - naive(history)
    slots, scale = actual.shape[1], np.nanmean(np.abs(actual)) / 100
    steps = np.array(HORIZONS_H) * slots // 24
    errors = np.full((len(steps), *actual.shape), np.nan)
    for n in range(1, slots):
        places = n - 1 + steps
        fits = places < slots
        made = intraday(ahead, actual[:, :n], 1440 // slots)
        errors[fits, :, places[fits]] = (actual - made)[:, places[fits]].T
    found = []
    for hours, step, each in zip(HORIZONS_H, steps, errors, strict=True):
        of = {"intraday": each[:, step:], "ahead": ahead_errors[:, step:], "naive": plain[:, step:]}
        row = {name: float(np.nanmean(np.abs(values)) / scale) for name, values in of.items()}
        found.append({"hours": hours, "coverage": _coverage(ahead_errors, each, quantiles)} | row)
    return found
