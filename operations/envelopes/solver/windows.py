"""Limits by time as the registry keeps them, on the intervals of a horizon.

A window is {rrule, starts, ends, export_kw, import_kw}: its days by RFC 5545 (BYMONTH and BYDAY are read; a rule that says more holds on
every such day, which errs to the safe side), local times, half open, over midnight where it ends before it starts."""

from datetime import datetime, timedelta

import numpy as np

WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
DAY = 1440


def limits_at(windows: list[dict], local: list[datetime], minutes: int) -> tuple[np.ndarray, np.ndarray]:
    """Most export and most import (T,) in kW, infinite without limit, in intervals of so many minutes that begin at local times.

    An interval that a window touches has its limit as a whole; the least counts where windows overlap."""
    export, import_ = np.full(len(local), np.inf), np.full(len(local), np.inf)
    first = np.array([each.hour * 60 + each.minute for each in local])
    for window in windows:
        starts, ends = _minute(window.get("starts"), 0), _minute(window.get("ends"), DAY)
        on = np.array([_on(window.get("rrule", ""), each) for each in local], bool)
        if starts < ends:
            touched = on & (first < ends) & (first + minutes > starts)
        else:
            before = np.array([_on(window.get("rrule", ""), each - timedelta(days=1)) for each in local], bool)
            touched = (on & (first + minutes > starts)) | (before & (first < ends))
        for found, name in ((export, "export_kw"), (import_, "import_kw")):
            if (value := _number(window.get(name))) is not None:
                found[touched] = np.minimum(found[touched], value)
    return export, import_


def _number(value) -> float | None:
    try:
        return None if value is None else max(0.0, float(value))
    except (TypeError, ValueError):
        return None


def _minute(text, without: int) -> int:
    try:
        hour, minute = str(text).split(":")[:2]
        return min(DAY, int(hour) * 60 + int(minute))
    except ValueError:
        return without


def _on(rule: str, day: datetime) -> bool:
    parts = dict(part.split("=", 1) for part in str(rule).upper().removeprefix("RRULE:").split(";") if "=" in part)
    months, days = parts.get("BYMONTH", ""), parts.get("BYDAY", "")
    return (not months or str(day.month) in months.split(",")) and (
        not days or any(each.endswith(WEEKDAYS[day.weekday()]) for each in days.split(","))
    )
