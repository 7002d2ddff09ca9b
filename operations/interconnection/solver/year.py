"""A year as twelve representative days of 24 hours: 288 columns, month after month. How load, sun and storage go through it.

Loads follow shapes (relative to the model's load) that the caller measured, or typical ones. A resource's availability is the most that
it can inject in an hour, as part of its rating: of a photovoltaic one by the height of the sun, of all others one."""

from dataclasses import dataclass

import numpy as np

MONTHS, HOURS = 12, 24
COLUMNS = MONTHS * HOURS
DAYS = np.array([31, 28.25, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
SOLAR = ("photovoltaic", "photovoltaic_storage")


@dataclass(frozen=True, eq=False)
class Assumed:
    """What nobody measured: a feeder's energy by month as part of its greatest (12,), how far days lie around their month's mean as part
    of it, days by how much of a clear day's sun they have, equally many of each, and the latitude in degrees."""

    months: np.ndarray
    spread: float
    weather: np.ndarray
    latitude: float


def column(month: int, hour: int) -> int:
    """The column of a month (1 to 12) and hour (0 to 23)."""
    return (month - 1) * HOURS + hour


def month_of(columns: np.ndarray) -> np.ndarray:
    """Months (1 to 12) of columns."""
    return columns // HOURS + 1


def days_of_columns() -> np.ndarray:
    """How many days of a year each column stands for, (288,)."""
    return np.repeat(DAYS, HOURS)


def typical(day: np.ndarray, assumed: Assumed) -> tuple[np.ndarray, np.ndarray]:
    """Low and high shape (288,) each from a day's shape (24,), where no meter tells more."""
    mean = (assumed.months[:, None] * day).ravel()
    return mean * (1 - assumed.spread), mean * (1 + assumed.spread)


def sun(latitude: float) -> np.ndarray:
    """A clear day's photovoltaic output by month and hour, (288,), 1 at the most of the year: by the sun's elevation in mid-hour on the
    month's fifteenth, less what the longer way through the air takes."""
    day = np.cumsum(DAYS) - DAYS + 15
    declination = np.deg2rad(23.45) * np.sin(2 * np.pi * (284 + day) / 365)
    angle = np.deg2rad(15 * (np.arange(HOURS) + 0.5 - 12))
    place = np.deg2rad(latitude)
    height = np.sin(place) * np.sin(declination)[:, None] + np.cos(place) * np.cos(declination)[:, None] * np.cos(angle)
    output = np.clip(height, 0, None) ** 1.15
    return (output / output.max()).ravel()


def availability(technology: str, assumed: Assumed) -> np.ndarray:
    """The most that a technology injects by month and hour, as part of its rating, (288,)."""
    return sun(assumed.latitude) if technology in SOLAR else np.ones(COLUMNS)


def outputs(technology: str, assumed: Assumed) -> np.ndarray:
    """What it would inject without limits on days of each kind of weather, as part of its rating, (kinds, 288)."""
    most = availability(technology, assumed)
    return assumed.weather[:, None] * most if technology in SOLAR else np.tile(most, (len(assumed.weather), 1))
