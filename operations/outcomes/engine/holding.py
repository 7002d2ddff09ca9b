"""Readings of a feeder's DERs against the limits of their points: who kept to them, and the energy that the limits held back.

A reading holds until the next one of its DER, but no longer than its DER counts as heard of. The time of each point is cut where any of its
DERs' readings or an interval of the set begins or ends; in each piece the point's power is the sum of its DERs. A piece is judged where all
of them are heard. The limits held energy back in a piece in which the grid or an operator set the limit and the point stood at it or
beyond: as much as its DERs had room for, less what was left up to the limit.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

MICRO = 1_000_000
NOBODY, GRID, OPERATOR = range(3)  # who set a limit beside the device itself


@dataclass(frozen=True)
class Heard:
    """Readings (N,) sorted by DER and time: the DER's place, seconds since the window began, power and room up and down (kW, room NaN where
    it was not told), and whether the DER was on or on standby."""

    der: np.ndarray
    at: np.ndarray
    kw: np.ndarray
    up: np.ndarray
    down: np.ndarray
    on: np.ndarray


@dataclass(frozen=True)
class Ders:
    """DERs (D,): the row of the limits that each shares, for how long (s) a reading of it holds, whether it stores, and its most injection
    (kW)."""

    row: np.ndarray
    holds: np.ndarray
    storing: np.ndarray
    most: np.ndarray


@dataclass(frozen=True)
class Limits:
    """Of each point (R, T) the least and most injection (kW), who set it (NOBODY, GRID, OPERATOR), and by how much (kW) it may be exceeded;
    what the meter of its only DER was forecast to inject (kW, else NaN); which points are judged as one (R,)."""

    step_s: float
    low: np.ndarray
    high: np.ndarray
    low_by: np.ndarray
    high_by: np.ndarray
    low_tolerance: np.ndarray
    high_tolerance: np.ndarray
    forecast: np.ndarray
    judged: np.ndarray


class Found(NamedTuple):
    """By DER (D,): seconds heard, readings, those judged and those beyond, kWh drawn and injected, kWh held back of import and of export by
    the DER's own room, of export by its meter's forecast, of storage either way, what of import and of export (with the forecast's) an
    operator's limit held back, and the seconds at an import and at an export limit of which nothing tells."""

    heard_s: np.ndarray
    readings: np.ndarray
    judged: np.ndarray
    beyond: np.ndarray
    import_kwh: np.ndarray
    export_kwh: np.ndarray
    held_import_kwh: np.ndarray
    held_export_kwh: np.ndarray
    estimated_kwh: np.ndarray
    storage_kwh: np.ndarray
    operator_import_kwh: np.ndarray
    operator_export_kwh: np.ndarray
    unknown_import_s: np.ndarray
    unknown_export_s: np.ndarray


class Pieces(NamedTuple):
    """Pieces of the points' time (P,): the point, the interval, the length (h), the power (kW), and whether all its DERs are heard; and of
    each part of a reading (M,) in a piece the piece and the reading."""

    row: np.ndarray
    interval: np.ndarray
    hours: np.ndarray
    kw: np.ndarray
    whole: np.ndarray
    of: np.ndarray
    reading: np.ndarray


def found(heard: Heard, ders: Ders, limits: Limits, since: float, until: float) -> tuple[Found, dict[str, np.ndarray]]:
    """What the readings say of a span (s since the window began); and by name of a line its kWh by DER's place and interval (D, T)."""
    first = np.maximum(heard.at, since)
    last = np.minimum(np.minimum(_next(heard), heard.at + ders.holds[heard.der]), until)
    kept = np.flatnonzero(last > first)
    heard = Heard(*(getattr(heard, name)[kept] for name in Heard.__dataclass_fields__))
    begins, ends = (np.rint((moments[kept] - since) * MICRO).astype(np.int64) for moments in (first, last))
    pieces, starts = _cut(heard, ders, limits, begins, ends, since, until)
    held, unknown = _held(heard, ders, limits, pieces)
    count, hours = len(ders.row), (ends - begins) / MICRO / 3600
    sums = lambda weights, of=heard.der: np.bincount(of, weights=weights, minlength=count)  # noqa: E731
    inside = heard.at >= since
    judged = inside & pieces.whole[starts] & limits.judged[pieces.row[starts]]
    of_part = heard.der[pieces.reading]
    return Found(
        sums(hours * 3600),
        sums(inside),
        sums(judged),
        sums(judged & _beyond(limits, pieces)[starts]),
        sums(np.maximum(-heard.kw, 0) * hours),
        sums(np.maximum(heard.kw, 0) * hours),
        *(sums(held[name], of_part) for name in ("import", "export", "estimated", "storage", "operator_import", "operator_export")),
        *(sums(unknown[name] * 3600, of_part) for name in ("import", "export")),
    ), _lines(heard, limits, pieces, held, count)


def _next(heard: Heard) -> np.ndarray:
    """When the next reading of the same DER was measured; infinite for the last one."""
    following = np.full(len(heard.at), np.inf)
    same = heard.der[1:] == heard.der[:-1]
    following[:-1][same] = heard.at[1:][same]
    return following


def _cut(heard: Heard, ders: Ders, limits: Limits, begins, ends, since: float, until: float) -> tuple[Pieces, np.ndarray]:
    """The pieces of all points, in microseconds since the span began; and of each reading the piece with which it begins."""
    count, width = limits.low.shape, round((until - since) * MICRO)
    base, step = width + 1, round(limits.step_s * MICRO)
    offset = round(since * MICRO)
    edges = np.arange(count[1] + 1) * step - offset
    edges = np.concatenate([[0], edges[(edges > 0) & (edges < width)], [width]])
    row = ders.row[heard.der] * base
    keys = np.unique(np.concatenate([row + begins, row + ends, (np.arange(count[0])[:, None] * base + edges).ravel()]))
    rows, at = keys // base, keys % base
    length = np.where(at < width, np.diff(keys, append=keys[-1]), 0)
    starts, stops = np.searchsorted(keys, row + begins), np.searchsorted(keys, row + ends)
    parts = stops - starts
    reading = np.repeat(np.arange(len(parts)), parts)
    of = np.repeat(starts, parts) + np.arange(len(reading)) - np.repeat(np.cumsum(parts) - parts, parts)
    sizes = np.bincount(ders.row, minlength=count[0])
    whole = np.bincount(of, minlength=len(keys)) == sizes[rows]
    kw = np.bincount(of, weights=heard.kw[reading], minlength=len(keys))
    interval = np.minimum((at + offset) // step, count[1] - 1)
    return Pieces(rows, interval, length / MICRO / 3600, kw, whole, of, reading), starts


def _beyond(limits: Limits, pieces: Pieces) -> np.ndarray:
    """The pieces in which a point was beyond a limit, by more than is let pass."""
    at = pieces.row, pieces.interval
    over = pieces.kw > limits.high[at] + limits.high_tolerance[at]
    return over | (pieces.kw < limits.low[at] - limits.low_tolerance[at])


def _held(heard: Heard, ders: Ders, limits: Limits, pieces: Pieces) -> tuple[dict[str, np.ndarray], ...]:
    """Of each part of a reading (M,) the kWh held back of import and export, estimated, and of storage; by direction the hours not known.

    The room of storage is no lost energy: what it did not take or give then, it can later."""
    at, der = (pieces.row, pieces.interval), heard.der[pieces.reading]
    storing, on, hours = ders.storing[der], heard.on[pieces.reading], pieces.hours[pieces.of]
    kw, high = pieces.kw, limits.high[at]
    at_high = pieces.whole & (limits.high_by[at] != NOBODY) & (kw >= high - limits.high_tolerance[at])
    at_low = pieces.whole & (limits.low_by[at] != NOBODY) & (kw <= limits.low[at] + limits.low_tolerance[at])
    up, up_known = _shares(heard.up, on & at_high[pieces.of], np.maximum(high - kw, 0), pieces)
    down, down_known = _shares(heard.down, on & at_low[pieces.of], np.maximum(kw - limits.low[at], 0), pieces)
    able = np.minimum(limits.forecast[at][pieces.of], ders.most[der])
    silent = on & at_high[pieces.of] & ~up_known & ~storing
    guessed = silent & np.isfinite(able)
    estimate = np.where(guessed, np.maximum(able - np.maximum(high, kw)[pieces.of], 0), 0) * hours
    unknown = {"import": (on & at_low[pieces.of] & ~down_known & ~storing) * hours, "export": (silent & ~guessed) * hours}
    held = {
        "import": np.where(storing, 0, down) * hours,
        "export": np.where(storing, 0, up) * hours,
        "estimated": estimate,
        "storage": np.where(storing, up + down, 0) * hours,
    }
    held["operator_import"] = held["import"] * (limits.low_by[at] == OPERATOR)[pieces.of]
    held["operator_export"] = (held["export"] + estimate) * (limits.high_by[at] == OPERATOR)[pieces.of]
    return held, unknown


def _shares(room: np.ndarray, stopped: np.ndarray, left: np.ndarray, pieces: Pieces) -> tuple[np.ndarray, np.ndarray]:
    """What (kW) each part of a reading was stopped from, by its share of its point's room less what was left (P,) up to the limit; and
    whether its room is known."""
    known = ~np.isnan(room[pieces.reading])
    mine = np.where(known & stopped, np.maximum(room[pieces.reading], 0), 0)
    of_point = np.bincount(pieces.of, weights=mine, minlength=len(left))
    part = np.maximum(of_point - left, 0) / np.where(of_point > 0, of_point, 1)
    return mine * part[pieces.of], known


def _lines(heard: Heard, limits: Limits, pieces: Pieces, held: dict[str, np.ndarray], count: int) -> dict[str, np.ndarray]:
    """By DER and interval (D, T) kWh: injected, drawn, held back of export (with what was estimated) and of import."""
    intervals = limits.low.shape[1]
    place = heard.der[pieces.reading] * intervals + pieces.interval[pieces.of]
    kwh = heard.kw[pieces.reading] * pieces.hours[pieces.of]
    drawn = {"export": np.maximum(kwh, 0), "import": np.maximum(-kwh, 0)}
    drawn |= {"held_export": held["export"] + held["estimated"], "held_import": held["import"]}
    return {name: np.bincount(place, weights=each, minlength=count * intervals).reshape(count, intervals) for name, each in drawn.items()}
