"""Forecasts: meter data in from files, the blend for all meters at once, sums, publication as it was seen, and how well it did. O1, O4."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from django.conf import settings
from django.db import DatabaseError, transaction
from django.utils import timezone

from moc.access.policy import NotPermitted
from moc.demo import meters
from moc.demo.meters import sample
from moc.errors import UserError
from moc.history import acting
from operations.forecasts import reports
from operations.forecasts.engine import blend, blocks
from operations.forecasts.models import Forecast, MeterDay
from operations.forecasts.services import publishing, reading, storing
from operations.forecasts.services.reading import Interval
from registry.grid.models import Transformer

pytestmark = pytest.mark.django_db
ZONE = ZoneInfo(settings.TIME_ZONE)
DAY = date(2026, 6, 17)


def hours(point, day: date, kwh, minutes: int = 60) -> list[Interval]:
    """A local day of a point; `kwh` by interval, or one for all; None is a gap."""
    starts = blend.starts_of(day, ZONE, minutes)
    values = kwh if isinstance(kwh, list) else [kwh] * len(starts)
    return [Interval(str(point), start, minutes, value) for start, value in zip(starts, values, strict=False) if value is not None]


def stored(world, *intervals) -> storing.Stored:
    return storing.store(actor=None, edc=world.edc, intervals=[each for part in intervals for each in part], source="ami")


@pytest.fixture
def points(world) -> list:
    return list(world.feeders["edc"][0].service_points.order_by("usage_point_id"))


# The blend


def test_the_blend_is_sixty_and_forty():
    """O4: 0.6 of the mean of four same weekdays, 0.4 of the mean of the last three days."""
    history = np.zeros((1, 28, 24))
    history[0, [0, 7, 14, 21]], history[0, 25:] = 10, 5
    assert np.allclose(blend.day_ahead(history), 0.6 * 10 + 0.4 * 5)


def test_it_adds_up():
    """O4: the forecast of a sum is the sum of the forecasts."""
    history = np.random.default_rng(7).normal(size=(5, 28, 24))
    assert np.allclose(blend.day_ahead(history).sum(0), blend.day_ahead(history.sum(0)[None])[0])


def test_gaps_are_left_out():
    """O4: a mean takes what is known; what only one mean knows is that one; what nobody knows stays unknown."""
    history = np.full((3, 28, 24), np.nan)
    history[0, 0], history[0, 7] = 2, 4
    history[1, 26] = 7
    history[2, 13] = 9
    assert np.allclose(blend.day_ahead(history)[:, 0], [3, 7, 9])
    assert np.isnan(blend.day_ahead(np.full((1, 28, 24), np.nan))).all()


@pytest.mark.parametrize("day, length", [(date(2026, 3, 8), 23), (date(2026, 11, 1), 25), (date(2026, 6, 1), 24)])
def test_days_of_23_and_25_hours_have_one_clock(day, length):
    """O4: the missing hour is a gap, the hour that comes twice a mean."""
    values = np.arange(length, dtype=float)[None]
    clock = blend.on_clock(values, day, ZONE, 60)[0]
    assert len(clock) == 24 and clock[23] == length - 1
    assert np.isnan(clock[2]) == (length == 23) and clock[1] == (1.5 if length == 25 else 1)


def test_a_deviation_of_today_fades():
    """O4: what was seen stands; the rest of the day is moved by the last hours' deviation, less and less."""
    ahead = np.ones((1, 24))
    found = blend.intraday(ahead, np.full((1, 6), 3.0), 60)[0]
    assert (found[:6] == 3).all() and found[6] == pytest.approx(1 + 2 * np.exp(-1 / 6)) and 1 < found[23] < 1.2
    assert (blend.intraday(ahead, ahead[:, :0], 60) == ahead).all()


def test_it_beats_the_naive():
    """O4: on noise around a shape the error is smaller than that of the same day of the week before, and the bounds hold about 80 %."""
    rng = np.random.default_rng(3)
    history = np.tile(2 + np.sin(np.arange(24) / 24 * 2 * np.pi), (84, 1)) + rng.normal(0, 0.3, (84, 24))
    found = blend.backtest(history)
    assert found["error"] < 0.9 * found["naive"] and found["days"] == 56
    assert 75 < found["coverage"] < 85 and found["low"] < 0 < found["high"]


def test_a_deviation_that_lasts_is_caught_during_the_day():
    """O4: a day lies 2 kWh above all days before, which have 10: the error of what is to come is 2 kWh less what of the deviation has not
    faded by then. Quarters of hours say the same."""
    history = np.full((blend.HISTORY + 1, 24), 10.0)
    history[-1] = 12
    rows = blend.backtest_intraday(history)
    assert [row["hours"] for row in rows] == [1, 2, 3, 6, 12]
    for row in rows:
        assert row["intraday"] == pytest.approx(100 * 2 * (1 - np.exp(-row["hours"] / 6)) / 12)
        assert row["ahead"] == row["naive"] == pytest.approx(100 * 2 / 12) and np.isnan(row["coverage"])
    quarters = blend.backtest_intraday(np.repeat(history / 4, 4, axis=1))
    assert [row["intraday"] for row in quarters] == pytest.approx([row["intraday"] for row in rows])


def test_what_comes_later_is_not_known_during_the_day():
    """O4: of a deviation that begins at noon the first forecast that knows is made at one o'clock, of the hour that ends at two: till then
    the error is day-ahead's; afterwards the mean deviation of three hours rises from a third of it to the whole."""
    history = np.full((blend.HISTORY + 1, 24), 10.0)
    history[-1, 12:] = 16
    first = blend.backtest_intraday(history)[0]
    fades = np.exp(-1 / 6)
    errors = [0] * 11 + [6, 6 - 2 * fades, 6 - 4 * fades] + [6 - 6 * fades] * 9
    assert first["intraday"] == pytest.approx(100 * np.mean(errors) / 13) and first["ahead"] == pytest.approx(100 * 6 * 12 / 23 / 13)


def test_during_the_day_it_beats_the_day_ahead_where_deviations_last():
    """O4: days that lie apart as wholes: an hour on most of the error is gone, after twelve little of it; else nothing."""
    rng = np.random.default_rng(4)
    history = 10 + rng.normal(0, 1, (84, 1)) + rng.normal(0, 0.2, (84, 24))
    rows = blend.backtest_intraday(history)
    assert rows[0]["intraday"] < 0.4 * rows[0]["ahead"] < 0.4 * rows[0]["naive"] and rows[0]["coverage"] > 95
    errors = [row["intraday"] for row in rows]
    assert errors == sorted(errors) and all(row["intraday"] < row["ahead"] for row in rows)
    alone = blend.backtest_intraday(10 + rng.normal(0, 1, (84, 24)))
    assert alone[0]["intraday"] > alone[0]["ahead"], "hours that have nothing to do with each other tell nothing"


def test_blocks_keep_what_they_hold():
    """O4: to half a unit."""
    values = np.random.default_rng(5).normal(0, 50, (7, 96))
    unit = blocks.unit_for(values)
    assert np.abs(blocks.unpack(blocks.pack(values, unit), 7, 96, unit) - values).max() <= unit / 2 + 1e-9


# Files


def test_a_green_button_file():
    """O4: the sample of NIST: three months of hours, kWh as consumption, the day of 23 hours among them."""
    found = reading.read("a.xml", sample("inland-single-family"), "UP-1")
    assert len(found) == 2_159 and {each.minutes for each in found} == {60}
    first = min(found, key=lambda each: each.starts_at)
    assert first.starts_at == datetime(2011, 1, 1, 8, tzinfo=UTC) and first.kwh == pytest.approx(-0.450) or first.kwh < 0
    pacific = ZoneInfo("America/Los_Angeles")
    assert sum(each.starts_at.astimezone(pacific).date() == date(2011, 3, 13) for each in found) == 23


@pytest.mark.parametrize(
    "name, content, said",
    [
        ("a.csv", b"point,kwh\n1,2\n", "columns"),
        ("a.csv", b"usage_point_id,starts_at,minutes,kwh\nUP,2026-01-01T00:00:00,60,1\n", "Row 1"),
        ("a.csv", b"usage_point_id,starts_at,minutes,kwh\nUP,2026-01-01T00:00:00Z,7,1\n", "Row 1"),
        ("a.csv", b"usage_point_id,starts_at,minutes,kwh\nUP,2026-01-01T00:00:00Z,60,nan\n", "Row 1"),
        ("a.csv", b"usage_point_id,starts_at,minutes,kwh\n", "no interval data"),
        ("a.csv", b"\xff\xfe", "UTF-8"),
        ("a.xml", b"<feed", "no XML"),
        ("a.xml", b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "no XML"),
        ("a.xml", b"<feed/>", "no interval data"),
    ],
)
def test_files_that_cannot_be_read(name, content, said):
    with pytest.raises(reading.Unreadable, match=said):
        reading.read(name, content, "UP")


def test_energy_in_both_directions_is_netted(world, points):
    """O4: two rows of one time are one interval."""
    stored(world, hours(points[0], DAY, -2.0), hours(points[0], DAY, 3.0))
    assert set(MeterDay.objects.get().kwh) == {1.0}


# Storing


def test_days_are_stored_once_and_completed(world, points):
    """N9: the same again stores nothing; what comes later completes the day in a row beside; others' points are named."""
    day = hours(points[0], DAY, -1.0)
    assert stored(world, day[:6]) == storing.Stored(1, 0, [])
    assert stored(world, day[:6]) == storing.Stored(0, 1, [])
    assert stored(world, day[5:], hours("elsewhere", DAY, 1.0)) == storing.Stored(1, 0, ["elsewhere"])
    assert MeterDay.objects.count() == 2
    latest = MeterDay.objects.standing(timezone.now()).get()
    assert latest.kwh == [-1.0] * 24 and latest.edc == world.edc
    with pytest.raises(UserError, match="of 60 and of 15"):
        stored(world, day[:1], hours(points[0], DAY, -1.0, 15)[4:5])
    with pytest.raises(DatabaseError, match="refused|denied"), transaction.atomic():
        MeterDay.objects.update(minutes=15)


def test_who_loads(world, points):
    """N3: a utility's people who manage its grid, and for its own points only."""
    content = f"usage_point_id,starts_at,minutes,kwh\n{points[0]},2026-06-17T12:00:00Z,60,-1\n".encode()
    for who in (("edc", "viewer"), ("edc2", "administrator"), ("aggregator", "administrator")):
        with pytest.raises(NotPermitted):
            storing.receive(actor=world.user(*who), edc=world.edc, name="a.csv", content=content)
    found = storing.receive(actor=world.user("edc2", "administrator"), edc=world.edc2, name="a.csv", content=content)
    assert (found.stored, found.unknown) == (0, [points[0].usage_point_id])
    assert storing.receive(actor=world.user("edc", "administrator"), edc=world.edc, name="a.csv", content=content).stored == 1


# Publishing


def test_a_forecast_is_published_as_it_was_seen(world, points):
    """O4: ahead, then intraday when the day's first hours come; each stands; the same knowledge is not published twice."""
    feeder = world.feeders["edc"][0]
    for n in range(1, 29):
        stored(world, *(hours(point, DAY - timedelta(days=n), -float(k + 1)) for k, point in enumerate(points[:3])))
    first = publishing.publish(feeder, DAY)
    assert first.kind == "day_ahead" and publishing.publish(feeder, DAY) is None
    assert first.feeder_kw == [-6.0] * 24 and first.points == [point.pk for point in points[:3]]
    meters = blocks.unpack(bytes(first.meters_block), 3, 24, first.unit)
    assert np.allclose(meters[:, 0], [-1, -2, -3])
    of_transformers = blocks.unpack(bytes(first.transformers_block), len(first.transformers), 24, first.unit)
    assert np.allclose(of_transformers.sum(0), first.feeder_kw)
    between = timezone.now()
    stored(world, *(hours(point, DAY, [-4.0] * 6) for point in points[:3]))
    second = publishing.publish(feeder, DAY)
    assert second.kind == "intraday" and second.feeder_kw[:6] == [-12.0] * 6 and -12 < second.feeder_kw[6] < second.feeder_kw[23] < -6
    assert [each.pk for each in Forecast.objects.seen(between)] == [first.pk]
    assert [each.pk for each in Forecast.objects.seen(timezone.now())] == [second.pk]
    with pytest.raises(DatabaseError, match="refused|denied"), transaction.atomic():
        Forecast.objects.update(kind="intraday")


@pytest.mark.parametrize("day, length", [(date(2026, 3, 8), 23), (date(2025, 11, 2), 25)])
def test_a_day_of_another_length_is_forecast_whole(world, points, day, length):
    """O4: as many intervals as the day has, in kW whatever the interval."""
    for n in (1, 7):
        stored(world, hours(points[0], day - timedelta(days=n), -0.5, 15))
    found = publishing.publish(world.feeders["edc"][0], day)
    assert found.feeder_kw == [-2.0] * (4 * length) and reports.times(found)[0] == blend.starts_of(day, ZONE, 15)[0]


def test_meters_of_several_intervals_are_summed(world, points):
    """O4: on the longest of them."""
    stored(world, hours(points[0], DAY - timedelta(days=1), -0.5, 15), hours(points[1], DAY - timedelta(days=1), -1.0))
    found = publishing.publish(world.feeders["edc"][0], DAY)
    assert (found.minutes, found.feeder_kw) == (60, [-3.0] * 24)


def test_each_transformer_has_its_own_margins(world, points):
    """O4: P10 and P90 of the errors of the weeks before; a meter that was not known throughout is taken to err as its neighbours; without
    weeks enough there are none."""
    feeder, rng = world.feeders["edc"][0], np.random.default_rng(2)
    with acting(None, "system: tests"):
        services = [Transformer.objects.create(edc=world.edc, feeder=feeder, code=f"T-{n}") for n in range(2)]
        for point, service in zip(points, (*services, services[1]), strict=False):
            feeder.service_points.filter(pk=point.pk).update(transformer=service)
    days = [DAY - timedelta(days=n) for n in range(1, blend.HISTORY + reports.TESTED_DAYS + 1)]
    kwh = {day: (-2.0 - rng.normal(0, 0.5, 24)).tolist() for day in days}
    stored(world, *(hours(points[0], day, -1.0) for day in days), *(hours(points[1], day, kwh[day]) for day in days))
    stored(world, hours(points[2], days[0], -3.0))
    found = publishing.publish(feeder, DAY)
    (errors,) = blend.errors_of(np.array([kwh[day] for day in reversed(days)])[None])
    low, high = np.quantile(errors, (0.1, 0.9))
    assert found.transformers == [service.pk for service in services] and low < -0.4 and high > 0.4
    assert found.low_error_kw == pytest.approx([0, 2 * low], abs=1e-3) and found.high_error_kw == pytest.approx([0, 2 * high], abs=1e-3)
    assert found.low_kw[0] - found.feeder_kw[0] == pytest.approx(1.5 * low, abs=2e-3), "of three meters, as the two that are known"
    few = publishing.publish(feeder, DAY - timedelta(days=5))
    assert few.low_error_kw == [] and few.low_kw == few.feeder_kw


def test_nothing_known_is_nothing_forecast(world):
    assert publishing.publish(world.feeders["edc"][0], DAY) is None and publishing.due() == 0


@pytest.mark.parametrize("later, short", [(0.1, False), (0.6, True)])
def test_it_says_where_the_naive_was_nearer_and_whether_bounds_were_too_narrow(later, short):
    """O4: an hour that is the same every week is the naive's; bounds of calm days are too narrow for wild ones."""
    days, rng = blend.HISTORY + reports.TESTED_DAYS, np.random.default_rng(5)
    spread = np.where(np.arange(days) < days - reports.TESTED_DAYS // 2, 0.15, later)
    kwh = -2 + spread[:, None] * rng.uniform(-1, 1, (days, 24))
    kwh[:, 5] = -1 - np.arange(days) % 7
    told = reports.tested(reports.History([1], [None], kwh[None], 60, timezone.now()))
    assert 5 in told["lost"] and len(told["lost"]) < 12
    assert told["is_short"] is short is (told["coverage"] < 80)
    assert (told["short"] == list(blend.HORIZONS_H)) is short


def test_the_page_shows_what_came_and_how_well_it_did(world, points, client_of, api_of):
    """O4: back-tested over weeks of which it says so; the RTO sees it too, an aggregator not."""
    rng = np.random.default_rng(11)
    today = timezone.localdate()
    parts = [
        hours(points[0], today - timedelta(days=n), list(-2 - np.sin(np.arange(25) / 4) - rng.normal(0, 0.2, 25)))
        for n in range(1, blend.HISTORY + reports.TESTED_DAYS + 1)
    ]
    stored(world, *parts)
    assert publishing.due() == 2
    found = Forecast.objects.get(day=today)
    for each in Forecast.objects.all():  # tomorrow's too, though nothing of today is known
        errors = each.low_kw[0] - each.feeder_kw[0], each.high_kw[0] - each.feeder_kw[0]
        assert errors[0] < 0 < errors[1] and np.allclose((each.low_error_kw[0], each.high_error_kw[0]), errors, atol=2e-3)
    page = client_of(world.user("edc", "viewer")).get(f"/operations/forecasts/{found.pk}/").content.decode()
    assert (
        "Over the 28 days before" in page
        and "Errors by horizon" in page
        and "23:00" in page
        and "uPlot" in page
        and "Show its forecast" not in page
    )
    (row,) = reports.transformers(found)
    assert 0 < row["likely_import_kw"] - row["import_kw"] < 0.6 and row["export_kw"] == row["likely_export_kw"] == 0
    own = client_of(world.user("edc", "administrator"))
    meter = own.get(f"/operations/forecasts/{found.pk}/?meter={points[0].usage_point_id}").content.decode()
    assert 'data-moc-series="meter"' in meter and b"No meter of this" in own.get(f"/operations/forecasts/{found.pk}/?meter=X").content
    program = api_of(world.user("edc", "administrator"))
    for part, name in (("transformers", points[0].transformer.code), ("meters", points[0].usage_point_id)):
        (told,) = program.get(f"/api/v1/operations/forecasts/{found.pk}/{part}/").json()["results"]
        assert name in told.values() and np.allclose(told["kw"], found.feeder_kw, atol=0.1)
        assert part == "meters" or (told["low_error_kw"], told["high_error_kw"]) == (found.low_error_kw[0], found.high_error_kw[0])
    assert api_of(world.user("tso", "viewer")).get(f"/api/v1/operations/forecasts/{found.pk}/meters/").status_code == 404
    stored(world, hours(points[0], today, -2.0))
    assert set(reports.actual_kw(found)) == {-2.0}
    told = api_of(world.user("tso", "viewer")).get(f"/api/v1/operations/forecasts/?day={today}").json()["results"]
    assert [row["feeder_kw"] for row in told] == [found.feeder_kw]
    assert client_of(world.user("aggregator", "viewer")).get(f"/operations/forecasts/{found.pk}/").status_code == 404


def test_the_demonstrations_meters_go_on(world, points, monkeypatch):
    """O1: the hours since the last look, with the same values for those that are known; forecasts of the new day follow."""
    monkeypatch.setattr(meters, "POINTS", 2)
    meters._store([points[0].feeder], meters.DAYS)
    known = list(MeterDay.objects.order_by("pk").values_list("service_point", "day", "kwh"))
    assert len(known) >= 2 * (meters.DAYS - 1) and publishing.due() == 2
    meters.go_on()
    assert MeterDay.objects.count() <= len(known) + 2  # at most the hour that ended meanwhile
    later = datetime.combine(timezone.localdate() + timedelta(days=1), time(12), ZONE)
    monkeypatch.setattr(timezone, "now", lambda: later)
    meters.go_on()
    added = MeterDay.objects.filter(day=timezone.localdate(later))
    assert added.count() == 2 and publishing.due() == 2
    assert Forecast.objects.filter(day=timezone.localdate(later) + timedelta(days=1)).exists()
    kept = {(point, day): kwh for point, day, kwh in known}
    whole = MeterDay.objects.filter(day=min(day for _, day, _ in known))
    assert all(kept[each.service_point_id, each.day] == each.kwh for each in whole)
