"""A study as it is looked at: limits by month and hour, energies by month, what binds."""

import math
from calendar import month_abbr
from collections import Counter
from dataclasses import dataclass

from operations.interconnection.models import STUDIED, InterconnectionStudy

HOURS, MONTHS = 24, 12
BANDS = (0.25, 0.5, 0.75, 1 - 1e-4)  # parts of what was asked for, by which hours are coloured
WORDS = {1: "voltage", 2: "thermal"}
OWN = {"": "its own settings", STUDIED: "its own place"}
LABELS = {"export": "Export", "import": "Import"}


@dataclass(frozen=True)
class Side:
    """A direction for reading: hours by month (kW and band), energies by month, and what binds in how many of the 288 hours."""

    name: str
    label: str
    asked_kw: float
    firm_kw: float
    flexible_kw: float
    grid: list[dict]
    months: list[dict]
    binding: list[dict]
    bound: int
    unchecked: int
    alarms: int


def sides_of(study: InterconnectionStudy) -> list[Side]:
    """The directions that were studied."""
    return [_side(study, name, study.result[name]) for name in LABELS if name in study.result]


def _side(study: InterconnectionStudy, name: str, said: dict) -> Side:
    asked, kw = said["asked_kw"], said["limit_kw"]
    grid, digits = [], 1 if asked < 100 else 0
    shown = [
        {"kw": down(value, digits), "band": _band(value / asked), "digits": digits, "binds": bool(kind)}
        for value, kind in zip(kw, said["kind"], strict=True)
    ]
    for month in range(MONTHS):
        grid.append({"month": month_abbr[month + 1], "cells": shown[month * HOURS : (month + 1) * HOURS]})
    return Side(
        name=name,
        label=LABELS[name],
        asked_kw=asked,
        firm_kw=getattr(study, f"firm_{name}_kw"),
        flexible_kw=getattr(study, f"flexible_{name}_kw"),
        grid=grid,
        months=_months(said),
        binding=_binding(said),
        bound=sum(map(bool, said["kind"])),
        unchecked=said["unchecked"],
        alarms=said["alarms"],
    )


def down(kw: float, digits: int = 1) -> float:
    """Rounded down, as the firm limit is: what is shown is possible."""
    return math.floor(kw * 10**digits + 1e-6) / 10**digits


def _band(part: float) -> int:
    """0 for the least room, 4 for all of it."""
    return sum(part >= edge for edge in BANDS)


def _months(said: dict) -> list[dict]:
    rows = []
    for month, (possible, cut) in enumerate(zip(said["possible_kwh"], said["curtailed_kwh"], strict=True)):
        percent = 100 * cut / possible if possible else 0.0
        rows.append({"month": month_abbr[month + 1], "possible_kwh": possible, "curtailed_kwh": cut, "percent": percent})
    return rows


def _binding(said: dict) -> list[dict]:
    """Elements by how many hours they bind in, with the hour in which they leave least."""
    counted: Counter = Counter()
    least: dict[tuple, tuple] = {}
    for column, (kind, element) in enumerate(zip(said["kind"], said["element"], strict=True)):
        if kind:
            key = WORDS[kind], OWN.get(said["names"][element], said["names"][element])
            counted[key] += 1
            worst = said["limit_kw"][column], f"{month_abbr[column // HOURS + 1]} {column % HOURS:02}:00"
            least[key] = min(least.get(key, worst), worst)
    shown = counted.most_common(10)
    return [{"kind": key[0], "element": key[1], "hours": hours, "kw": down(least[key][0]), "when": least[key][1]} for key, hours in shown]


def windows_of(study: InterconnectionStudy) -> list[dict]:
    """Limits by time with the months that they are of."""
    months = [each["rrule"].rpartition("BYMONTH=")[2].split(",") for each in study.windows]
    return [each | {"months": ", ".join(month_abbr[int(month)] for month in of)} for each, of in zip(study.windows, months, strict=True)]


def year_of(study: InterconnectionStudy) -> str:
    """Where the year of a study comes from, in a sentence."""
    said = study.result.get("year", {})
    months = [month_abbr[month] for month in said.get("months", ())]
    known = f"in {', '.join(months)} by {said['meters']} meters of the feeder (deciles of each hour), else " if months else ""
    typical = "by the model's load on a typical day of a typical month"
    return f"Loads: {known}{typical}. Twelve representative days of 24 hours. Months, weather and latitude: rule set rows (study_…)."
