"""The "as of" moment of a page: a date means the end of that day, a date and time that minute, in the state's zone."""

from datetime import UTC, date, datetime, time, timedelta

from django.db.models import Model
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

VALID_TIME = "valid_during"  # the column of records that hold during days, whenever they were recorded


def has_valid_time(model: type[Model]) -> bool:
    """Whether a record says during which days it holds."""
    return any(field.name == VALID_TIME for field in model._meta.concrete_fields)


def day_of(text: str) -> date | None:
    """The day that a user typed; None for nothing and for what is no date."""
    try:
        return parse_date((text or "").strip())
    except ValueError:
        return None


def moment_of(text: str) -> datetime | None:
    """The moment that a user typed, aware; None for nothing, for what is no date, and for the present or future."""
    moment = _parsed((text or "").strip())
    return moment if moment is not None and moment < timezone.now() else None


def _parsed(text: str) -> datetime | None:
    try:
        day = parse_date(text)
        moment = datetime.combine(day + timedelta(days=1), time.min) if day else parse_datetime(text)
        if moment is None:
            return None
        return (timezone.make_aware(moment) if timezone.is_naive(moment) else moment).astimezone(UTC)  # of the year 1 or 9999: none
    except (ValueError, OverflowError):
        return None


def misdated(text: str) -> str:
    """What is wrong with the moment that a page is asked as of, and the remedy; nothing for a past one, for none, and for today."""
    text = (text or "").strip()
    moment, remedy = _parsed(text), "Give a day that is over, as 2026-11-22, or a day and time, as 2026-11-22 14:30."
    if text and moment is None:
        return f"As of: “{text[:40]}” is no day. {remedy}"
    if moment is not None and moment > timezone.now() + timedelta(days=1):
        return f"As of: {text[:40]} is yet to come. {remedy}"
    return ""
