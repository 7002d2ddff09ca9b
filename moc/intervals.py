"""Half-open UTC intervals and market days. Market days have 23, 24 or 25 hours: instants are stored, never local hours."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db.models import DateField, Func

UTC = ZoneInfo("UTC")
# the state's local day in a statement (moc.history.keep_local_days), told once and not for each row
TODAY = Func(template="(SELECT moc_today())", output_field=DateField())


def day_bounds(day: date, zone: str) -> tuple[datetime, datetime]:
    """The half-open UTC interval of a local calendar day."""
    place = ZoneInfo(zone)
    starts = datetime.combine(day, time.min, tzinfo=place)
    ends = datetime.combine(day + timedelta(days=1), time.min, tzinfo=place)
    return starts.astimezone(UTC), ends.astimezone(UTC)


def intervals(starts_at: datetime, ends_at: datetime, seconds: int) -> Iterator[tuple[datetime, datetime]]:
    """The consecutive half-open UTC intervals of a length that fill [starts_at, ends_at); the length must divide it.

    Bounds in a local zone are taken to UTC first: within one zone Python subtracts the clocks on the wall.
    """
    starts_at, ends_at, step = starts_at.astimezone(UTC), ends_at.astimezone(UTC), timedelta(seconds=seconds)
    if seconds <= 0 or (ends_at - starts_at) % step:
        raise ValueError(f"{seconds} s do not divide the interval from {starts_at} to {ends_at}")
    current = starts_at
    while current < ends_at:
        yield current, current + step
        current += step


def day_intervals(day: date, zone: str, seconds: int) -> list[tuple[datetime, datetime]]:
    """The intervals of a local calendar day: 288 of five minutes, 276 or 300 on the days the clock moves."""
    return list(intervals(*day_bounds(day, zone), seconds))


def end_of_day_after(moment: datetime, days: int, zone: str) -> datetime:
    """The last instant (exclusive) of the local day `days` calendar days after `moment`: when a clock of days expires."""
    local_day = moment.astimezone(ZoneInfo(zone)).date()
    return day_bounds(local_day + timedelta(days=days), zone)[1]


def business_days_after(moment: datetime, days: int, zone: str, holidays: frozenset[date] = frozenset()) -> datetime:
    """The end of the `days`-th business day after `moment`, skipping weekends and the given holidays."""
    if days < 0:
        raise ValueError(f"{days} business days: a deadline lies in the future")
    day = moment.astimezone(ZoneInfo(zone)).date()
    while days:
        day += timedelta(days=1)
        if day.weekday() < 5 and day not in holidays:
            days -= 1
    return day_bounds(day, zone)[1]
