"""Limits by month and hour as few windows, in the form that the registry keeps them: see operations/envelopes/solver/windows.py."""

import numpy as np

from operations.interconnection.solver.year import HOURS, MONTHS

STEPS, FINEST = 20, 0.1  # limits are rounded down in twentieths of the most (at least 0.1 kW), so that a year has few windows
NAMES = ("export_kw", "import_kw")


def rounded(limit_kw: np.ndarray, most_kw: float, least_kw: float = 0.0) -> np.ndarray:
    """Limits (288,) rounded down in steps from the least, which is possible in every hour; what is not below the most is the most."""
    step = max(FINEST, round(most_kw / STEPS, 1))
    down = np.round(least_kw + np.floor((limit_kw - least_kw) / step + 1e-9) * step, 3)
    return np.where(limit_kw >= most_kw * (1 - 1e-4), most_kw, np.minimum(down, most_kw))


def windows_of(export_kw: np.ndarray | None, export_most: float, import_kw: np.ndarray | None, import_most: float) -> list[dict]:
    """The hours in which limits (288,), rounded before, lie below the most, as windows; months that have the same share one."""
    sides = export_kw, import_kw
    of_hour = [
        tuple(
            None if side is None or side[column] >= most else float(side[column]) for side, most in zip(sides, (export_most, import_most))
        )
        for column in range(MONTHS * HOURS)
    ]
    months: dict[tuple, list[int]] = {}
    for month in range(MONTHS):
        day, first = of_hour[month * HOURS : (month + 1) * HOURS], 0
        for hour in range(1, HOURS + 1):
            if hour == HOURS or day[hour] != day[first]:
                if day[first] != (None, None):
                    months.setdefault((first, hour, day[first]), []).append(month + 1)
                first = hour
    return [
        {"rrule": f"FREQ=YEARLY;BYMONTH={','.join(map(str, found))}", "starts": f"{first:02}:00", "ends": f"{last:02}:00"}
        | {name: value for name, value in zip(NAMES, values) if value is not None}
        for (first, last, values), found in sorted(months.items(), key=lambda each: (each[1], each[0][0]))
    ]
