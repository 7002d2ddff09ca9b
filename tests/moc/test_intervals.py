"""Market days of 23, 24 and 25 hours, half-open intervals, deadlines in calendar and business days."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moc.intervals import UTC, business_days_after, day_bounds, day_intervals, end_of_day_after, intervals

NEW_YORK = "America/New_York"
zones = st.sampled_from([NEW_YORK, "America/Havana", "America/Phoenix", "Australia/Lord_Howe", "Pacific/Apia", "UTC"])
days = st.dates(date(2015, 1, 1), date(2035, 12, 31))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("day", "hours", "count"), [(date(2026, 3, 8), 23, 276), (date(2026, 7, 1), 24, 288), (date(2026, 11, 1), 25, 300)]
)
def test_days_on_which_the_clock_moves(day, hours, count):
    starts_at, ends_at = day_bounds(day, NEW_YORK)
    assert ends_at - starts_at == timedelta(hours=hours)
    assert len(day_intervals(day, NEW_YORK, 300)) == count
    assert len(day_intervals(day, NEW_YORK, 3600)) == hours


def test_the_hour_that_comes_twice_is_two_hours():
    first, second = day_intervals(date(2026, 11, 1), NEW_YORK, 3600)[1:3]
    local = [starts_at.astimezone(ZoneInfo(NEW_YORK)) for starts_at, _ in (first, second)]
    assert [moment.hour for moment in local] == [1, 1]
    assert [moment.tzname() for moment in local] == ["EDT", "EST"]


@given(days, zones)
def test_days_follow_each_other_without_gap(day, zone):
    assert day_bounds(day, zone)[1] == day_bounds(day + timedelta(days=1), zone)[0]


@given(days, zones, st.sampled_from([300, 900, 1800]))
def test_the_intervals_of_a_day_fill_it(day, zone, seconds):
    found = day_intervals(day, zone, seconds)
    starts_at, ends_at = day_bounds(day, zone)
    assert sum((ends - starts for starts, ends in found), timedelta()) == ends_at - starts_at
    assert all(before[1] == after[0] for before, after in zip(found, found[1:], strict=False))
    assert all(starts.tzinfo is UTC for starts, _ in found)


def test_bounds_in_a_local_zone_count_real_hours():
    place = ZoneInfo(NEW_YORK)
    starts_at, ends_at = datetime(2026, 11, 1, tzinfo=place), datetime(2026, 11, 2, tzinfo=place)
    assert len(list(intervals(starts_at, ends_at, 3600))) == 25


@pytest.mark.parametrize("seconds", [7 * 60, 0, -300])
def test_a_length_that_does_not_fill_is_refused(seconds):
    with pytest.raises(ValueError, match="do not divide"):
        list(intervals(at("2026-01-01T00:00Z"), at("2026-01-01T01:00Z"), seconds))


def test_an_empty_interval_has_no_parts():
    assert list(intervals(at("2026-01-01T00:00Z"), at("2026-01-01T00:00Z"), 300)) == []


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-01-05T12:00Z", "2026-03-07T05:00Z"),  # 60 days on, still in winter time
        ("2026-02-05T12:00Z", "2026-04-07T04:00Z"),  # over the change to summer time
        ("2026-01-05T03:00Z", "2026-03-06T05:00Z"),  # still the 4th in New Jersey
    ],
)
def test_a_clock_of_sixty_days_ends_with_a_local_day(moment, expected):
    assert end_of_day_after(at(moment), 60, NEW_YORK) == at(expected)


def test_business_days_skip_weekends_and_holidays():
    friday = at("2026-07-03T15:00Z")
    assert business_days_after(friday, 1, NEW_YORK) == at("2026-07-07T04:00Z")
    assert business_days_after(friday, 1, NEW_YORK, frozenset({date(2026, 7, 6)})) == at("2026-07-08T04:00Z")
    assert business_days_after(friday, 10, NEW_YORK) == at("2026-07-18T04:00Z")
    assert business_days_after(at("2026-07-05T02:00Z"), 1, NEW_YORK) == at("2026-07-07T04:00Z")


def test_a_deadline_lies_in_the_future():
    with pytest.raises(ValueError, match="future"):
        business_days_after(at("2026-07-03T15:00Z"), -1, NEW_YORK)


@given(st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC)), st.integers(0, 40))
def test_the_nth_business_day_has_n_business_days_behind_it(moment, count):
    first = moment.astimezone(ZoneInfo(NEW_YORK)).date()
    last = (business_days_after(moment, count, NEW_YORK) - timedelta(seconds=1)).astimezone(ZoneInfo(NEW_YORK)).date()
    passed = [first + timedelta(days=step) for step in range(1, (last - first).days + 1)]
    assert sum(day.weekday() < 5 for day in passed) == count
