"""Published envelopes compared with telemetry afterwards: who kept to a set, and what it curtailed. O4. The energy is computed by hand."""

import csv
from datetime import date, timedelta

import numpy as np
import pytest
from django.db.models import F
from django.utils import timezone

from moc.demo import readings
from moc.history import acting
from moc.reports.datasets import all_datasets
from operations.envelopes.models import EnvelopeBlock, EnvelopePoint, EnvelopeRun
from operations.envelopes.services import life
from operations.envelopes.solver import blocks
from operations.forecasts.engine import blocks as forecast_blocks
from operations.forecasts.models import Forecast
from operations.outcomes import reports
from operations.outcomes.models import EnvelopeOutcome
from operations.outcomes.services import making
from operations.overview import reports as overview
from operations.telemetry.models import Reading
from operations.telemetry.services import taking_in
from registry.ders.models import Der
from registry.reconfigurations.models import FormerConnection
from registry.reconfigurations.services import acts
from tests.factories.filings import store_in
from tests.factories.networks import current, der, midnight, points_of, rows
from tests.factories.world import REASON

pytestmark = pytest.mark.django_db
API, BASE = "/api/v1/operations/envelope-outcomes/", "/operations/envelopes/outcomes/"
GRID, DEVICE, DARK = 0, blocks.DEVICE, 1
NAMES = [["line.l0.phase.1", 2], ["supply.off", 1]]
HOURS, STEP = 4, 60


@pytest.fixture
def feeder(world, settings, tmp_path):
    store_in(settings, tmp_path)
    settings.VAR_DIR = tmp_path
    taking_in.prepare(midnight(-1))
    feeder = world.feeders["edc"][0]
    current(world, feeder, rows(points_of(feeder)))
    return feeder


def made(world, feeder, place: int, name: str, kind: str = "photovoltaic", aggregator=None) -> Der:
    """A DER at one of the feeder's points."""
    with acting(None, REASON):
        one = der(world, points_of(feeder)[place], external_id=name, aggregator=aggregator)
        Der.objects.filter(pk=one.pk).update(der_type=kind, energy_capacity_kwh=20 if kind == "storage" else None)
    return one


def published(feeder, limits: dict[tuple[Der, ...], tuple], starts_at=None, **more) -> EnvelopeRun:
    """A set of four hours whose points have these limits in each: (least, most, what sets the least, what sets the most)."""
    run = life.order(actor=None, feeder=feeder, starts_at=starts_at or midnight(1), hours=HOURS, step_minutes=STEP, **more)
    ders, values = [[each.pk for each in point] for point in limits], list(limits.values())
    for n, bound in enumerate(("min", "max")):
        kw = np.array([[hour[n] for hour in hours] for hours in values], float)
        codes = np.array([[hour[2 + n] for hour in hours] for hours in values], np.int32)
        packed = {"limits": blocks.pack(kw, 0.1, upper=bound == "max"), "reasons": blocks.pack_codes(codes), "names": NAMES}
        EnvelopeBlock.objects.create(run=run, edc_id=run.edc_id, bound=bound, unit_kw=0.1, ders=ders, **packed)
    with acting(None, REASON):
        found = EnvelopeRun.objects.filter(pk=run.pk)
        EnvelopeRun.lifecycle.move(found, "compute", actor=None, reason=REASON, point_count=len(ders))
        EnvelopeRun.lifecycle.move(found, "evaluate", actor=None, reason=REASON)
    run.refresh_from_db()
    life.publish(actor=None, run=run)
    return run


def always(least: float, most: float, below=DEVICE, above=GRID) -> list[tuple]:
    return [(least, most, below, above)] * HOURS


def read(run: EnvelopeRun, of: Der, minutes: float, kw: float, up=None, down=None, **more) -> None:
    """A reading so many minutes after the window began."""
    at = run.starts_at + timedelta(minutes=minutes)
    facts = {"event_at": at, "published_at": at, "aggregator": of.aggregator, "edc": of.edc} | more
    Reading.objects.create(der=of, p_kw=kw, up_kw=up, down_kw=down, **facts)


def hour(run: EnvelopeRun, of: Der, number: int, kw: float, up=None, down=None, **more) -> None:
    """Readings of a whole hour: each holds for three intervals of five minutes."""
    for quarter in range(4):
        read(run, of, 60 * number + 15 * quarter, kw, up, down, **more)


def outcome(run: EnvelopeRun, aggregator=None) -> EnvelopeOutcome:
    making.make(run.pk, run.ends_at + timedelta(hours=1))
    found = EnvelopeOutcome.objects.filter(run=run)
    return found.get(aggregator=aggregator) if aggregator else found.get()


def figures(found: EnvelopeOutcome) -> dict[str, dict]:
    return {row["external_id"]: row for row in reports.by_der(found)}


def told(row: dict, *names: str) -> tuple:
    return tuple(row[name] for name in names)


def test_generation_at_its_limit(world, feeder):
    """O4: what a DER had room for counts where the grid set the limit and it stood there; beyond it, only what it still had room for."""
    sun, over = made(world, feeder, 0, "SUN"), made(world, feeder, 1, "OVER")
    hours = [(-8, 4, DEVICE, GRID), (-8, 4, DEVICE, GRID), (-8, 4, DEVICE, DEVICE), (-8, 0, DEVICE, DARK)]
    run = published(feeder, {(sun,): hours, (over,): always(-8, 4)})
    hour(run, sun, 0, 4, up=2)  # 2 kW more for an hour
    hour(run, sun, 1, 3.9, up=1)  # at the limit within what is let pass: 0.1 of its room was left
    hour(run, sun, 2, 4, up=2)  # its own limit
    hour(run, sun, 3, 0, up=5)  # no supply: nothing that the set held back
    hour(run, over, 0, 5, up=1)
    hour(run, over, 1, 3, up=6)  # far from its limit: it chose to
    read(run, over, 120, 4.1, up=1)  # a quarter of an hour within what is let pass, then silence
    one = outcome(run)
    told_of = figures(one)
    assert told(told_of["SUN"], "kept", "readings", "beyond", "export_kwh") == (True, 16, 0, 11.9)
    assert told(told_of["SUN"], "curtailed_export_kwh", "estimated_kwh", "heard_hours", "unknown_hours") == (2.9, 0, 4, 0)
    assert told(told_of["OVER"], "kept", "judged", "beyond", "curtailed_export_kwh") == (False, 9, 4, 1.25)
    assert told(told_of["OVER"], "heard_hours", "export_kwh") == (2.25, 5 + 3 + 4.1 / 4)
    assert (one.ders, one.heard, one.beyond, one.readings, one.heard_percent) == (2, 2, 1, 25, 78.1)
    assert (one.curtailed_export_kwh, one.curtailed_import_kwh, one.hours) == (4.15, 0, 4)
    times, lines = reports.course_of(one)
    assert times[0] == run.starts_at and lines["export"][0] == 9 and lines["export without the limits"] == [12, 7.8, 5.28, 0]


def test_charging_storage_and_what_is_off(world, feeder):
    """O4: import that was held back; room of storage is no lost energy; what was off, nothing stopped."""
    car, box, off = made(world, feeder, 0, "CAR", "evse"), made(world, feeder, 1, "BOX", "storage"), made(world, feeder, 2, "OFF")
    run = published(feeder, {(car,): always(-3, 10, GRID, DEVICE), (box,): always(-2, 2, GRID, GRID), (off,): always(-8, 0)})
    hour(run, car, 0, -3, down=4)
    hour(run, car, 1, -1, down=6)
    hour(run, box, 0, 2, up=5, down=4)
    hour(run, box, 1, -2, up=9, down=1)
    hour(run, off, 0, 0, up=3, operating="fault")
    told_of = figures(outcome(run))
    assert told(told_of["CAR"], "curtailed_import_kwh", "curtailed_export_kwh", "import_kwh", "storage_kwh") == (4, 0, 4, 0)
    assert told(told_of["BOX"], "curtailed_import_kwh", "curtailed_export_kwh", "storage_kwh") == (0, 0, 6)
    assert told(told_of["OFF"], "curtailed_export_kwh", "unknown_hours", "kept") == (0, 0, True)


def test_without_room_the_forecast_tells_and_without_it_nothing_does(world, feeder):
    """O4: estimated by the meter's forecast as it was seen before each interval; not known is not zero, and not heard of is not kept."""
    sun, dumb, mute = (made(world, feeder, n, name) for n, name in ((0, "SUN"), (1, "DUMB"), (1, "MUTE")))  # two behind one meter
    run = published(feeder, {(each,): always(-8, 4) for each in (sun, dumb, mute)})
    kw = np.array([[6.0, 6.0, 3.0, 40.0]] * 2)
    for hours_before, values in ((5, kw), (-0.5, kw * 9)):  # the later one came within the first interval, and counts from the next on
        at = run.starts_at - timedelta(hours=hours_before)
        facts = {"edc": feeder.edc, "starts_at": run.starts_at, "minutes": 60, "published_at": at, "known_until": at, "unit": 0.1}
        facts |= {
            "day": timezone.localdate(run.starts_at),
            "feeder": feeder,
            "points": [sun.service_point_id, dumb.service_point_id],
            "transformers": [],
        }
        packed = {"meters_block": forecast_blocks.pack(values, 0.1), "transformers_block": b""}
        Forecast.objects.create(kind="day_ahead", feeder_kw=values[0].tolist(), **facts, **packed)
    hour(run, sun, 0, 4)
    hour(run, sun, 1, 4)  # 54 kW forecast, but it has 10
    hour(run, dumb, 0, 4)
    hour(run, dumb, 1, 2)
    one = outcome(run)
    told_of = figures(one)
    assert told(told_of["SUN"], "curtailed_export_kwh", "estimated_kwh", "unknown_hours") == (2 + 6, 8, 0)
    assert told(told_of["DUMB"], "curtailed_export_kwh", "estimated_kwh", "unknown_hours", "kept") == (None, None, 1, True)
    assert told(told_of["MUTE"], "kept", "readings", "export_kwh", "curtailed_export_kwh", "storage_kwh") == (None, 0, None, None, None)
    assert (one.heard, one.curtailed_export_kwh, one.estimated_kwh, one.unknown_hours) == (2, 8, 8, 1)


def test_points_that_several_ders_share(world, feeder):
    """O4: judged by their sum where all of them are heard, and one aggregator has them; each had its share of the room."""
    one, two = made(world, feeder, 0, "ONE"), made(world, feeder, 0, "TWO")
    mine, theirs = made(world, feeder, 1, "MINE"), made(world, feeder, 1, "THEIRS", aggregator=world.aggregator2)
    run = published(feeder, {(one, two): always(-8, 4), (mine, theirs): always(-8, 4)})
    hour(run, one, 0, 1, up=1), hour(run, two, 0, 3, up=3)  # together at 4, with 4 more
    hour(run, one, 1, 5, up=1)  # the other is not heard
    for n, (up, kw) in enumerate(((2, 2), (2, 4))):  # together at 4, then beyond it
        hour(run, mine, n, 2, up=1), hour(run, theirs, n, kw, up=up)
    told_of = figures(outcome(run, world.aggregator))
    assert told(told_of["ONE"], "judged", "beyond", "curtailed_export_kwh", "export_kwh") == (4, 0, 1, 6)
    assert told(told_of["TWO"], "judged", "kept", "curtailed_export_kwh") == (4, True, 3)
    assert told(told_of["MINE"], "readings", "judged", "kept", "curtailed_export_kwh") == (8, 0, None, 2)
    theirs = EnvelopeOutcome.objects.get(run=run, aggregator=world.aggregator2)
    assert [row["external_id"] for row in reports.by_der(theirs)] == ["THEIRS"] and theirs.curtailed_export_kwh == 4


def test_a_set_counts_while_it_is_in_force(world, feeder):
    """O4: held and published again, a set has two spans; a newer one holds where both would; superseded before it begins, none."""
    sun = made(world, feeder, 0, "SUN")
    now = timezone.now().replace(minute=0, second=0, microsecond=0)
    run = published(feeder, {(sun,): always(-8, 4)}, starts_at=now - timedelta(hours=1))
    with acting(None, REASON):
        EnvelopeRun.objects.filter(pk=run.pk).update(published_at=run.starts_at - timedelta(hours=5))
    life.hold(actor=world.user("edc", "administrator"), run=run, reason="A crew is out")
    held_at = timezone.now()
    ((since, until),) = reports.spans_of(run)
    assert since == run.starts_at and abs(until - held_at) < timedelta(minutes=1)
    run.refresh_from_db()
    life.publish(actor=None, run=run)
    with acting(None, REASON):
        EnvelopeRun.objects.filter(pk=run.pk).update(published_at=now + timedelta(hours=2))
    assert reports.spans_of(run)[1:] == [(now + timedelta(hours=2), run.ends_at)]
    for number in range(HOURS):
        hour(run, sun, number, 4, up=2)
    first = (until - run.starts_at).total_seconds() / 3600
    one = outcome(run)
    assert one.hours == pytest.approx(first + 1, abs=1e-3) and one.curtailed_export_kwh == pytest.approx(2 * (first + 1), abs=2e-3)
    ahead = published(feeder, {(sun,): always(-8, 4)})
    part = published(feeder, {(sun,): always(-8, 5)}, starts_at=ahead.starts_at + timedelta(hours=3))
    assert reports.spans_of(ahead) == [(ahead.starts_at, part.starts_at)] and reports.spans_of(part) == [(part.starts_at, part.ends_at)]
    published(feeder, {(sun,): always(-8, 5)}, caps={str(sun.pk): [-8, 5]})
    assert making.make(ahead.pk, ahead.ends_at + timedelta(hours=1)) == []


def test_an_operators_own_limit_holds_back_too(world, feeder):
    """O4: though nothing of the grid binds, and told apart from it; before its registration a DER is its first aggregator's."""
    sun, car = made(world, feeder, 0, "SUN"), made(world, feeder, 1, "CAR", "evse")
    hours = [(-8, 4, DEVICE, DEVICE), (-8, 4, DEVICE, GRID), (-8, 3, DEVICE, GRID), (-8, 4, DEVICE, DARK)]
    limits = {(sun,): hours, (car,): [(-3, 10, DEVICE, DEVICE), (-2, 10, GRID, DEVICE), *always(-8, 10)[2:]]}
    run = published(feeder, limits, starts_at=midnight(-1), caps={str(sun.pk): [-20, 4], str(car.pk): [-3, 10]})
    with acting(None, REASON):
        EnvelopeRun.objects.filter(pk=run.pk).update(published_at=run.starts_at)
    hour(run, sun, 0, 4, up=2)  # the operator's
    hour(run, sun, 1, 4, up=1)  # the grid's too: it would not have left more
    hour(run, sun, 2, 3, up=4)  # the grid's, below the operator's
    hour(run, sun, 3, 4, up=6)  # no supply: nobody's
    hour(run, car, 0, -3, down=4)
    hour(run, car, 1, -2, down=5)
    one = outcome(run, world.aggregator)
    assert (one.curtailed_export_kwh, one.grid_export_kwh, one.operator_export_kwh) == (7, 5, 2)
    assert (one.curtailed_import_kwh, one.grid_import_kwh, one.operator_import_kwh) == (9, 5, 4)
    told_of = figures(one)
    assert told(told_of["SUN"], "grid_export_kwh", "operator_export_kwh", "operator_import_kwh") == (5, 2, 0)
    assert told(told_of["CAR"], "grid_import_kwh", "operator_import_kwh", "operator_export_kwh") == (5, 4, 0)


def test_the_operators_part_is_read_apart(world, feeder, client_of, api_of):
    """O4, N6: as two figures by page, CSV, CSV by DER, API and dataset; of an outcome from before they were told apart neither is."""
    sun, other = made(world, feeder, 0, "SUN"), made(world, feeder, 1, "OTHER")
    limits = {(sun,): always(-8, 4, DEVICE, DEVICE), (other,): always(-8, 4)}
    run = published(feeder, limits, caps={str(sun.pk): [-20, 4]})
    hour(run, sun, 0, 4, up=2), hour(run, other, 0, 4, up=1)
    one = outcome(run)
    utility, api = client_of(world.user("edc", "administrator")), api_of(world.user("edc", "administrator"))
    page = utility.get(f"{BASE}{one.uuid}/").content.decode()
    assert "of it by the grid" in page and "of it by an operator" in page
    listed = utility.get(BASE).context
    assert [listed["sums"][0][f"{name}_export_kwh__sum"] for name in ("curtailed", "grid", "operator")] == [3, 1, 2]
    (row,) = listed["table"].rows
    assert [value for _, value, _ in row.cells][8:11] == [3, 1, 2]
    said = api.get(f"{API}{one.uuid}/").json()
    assert [said[f"{name}_export_kwh"] for name in ("curtailed", "grid", "operator")] == [3, 1, 2]
    by_der = {
        each["external_id"]: (each["grid_export_kwh"], each["operator_export_kwh"]) for each in api.get(f"{API}{one.uuid}/ders/").json()
    }
    assert by_der == {"SUN": (0, 2), "OTHER": (1, 0)}
    for address, key, wanted in (
        ("export.csv", "feeder", {"F1": ("1.000", "2")}),
        ("ders.csv", "external_id", {"SUN": ("0", "2"), "OTHER": ("1", "0")}),
    ):
        text = b"".join(utility.get(f"{BASE}{address}").streaming_content).decode("utf-8-sig")
        lines = {row[key]: (row["grid_export_kwh"], row["operator_export_kwh"]) for row in csv.DictReader(text.splitlines())}
        assert {name: tuple(map(float, pair)) for name, pair in lines.items()} == {n: tuple(map(float, p)) for n, p in wanted.items()}
    rows_ = all_datasets()["envelope-outcomes"].visible(world.user("edc", "administrator"))
    assert list(rows_.values_list(F("grid_export_kwh"), "operator_export_kwh")) == [(1, 2)]
    with acting(None, REASON):
        older = [figures[:-2] for figures in one.figures]
        EnvelopeOutcome.objects.update(operator_export_kwh=None, operator_import_kwh=None, figures=older)
    assert api.get(f"{API}{one.uuid}/").json()["grid_export_kwh"] is None
    assert {each["grid_export_kwh"] for each in api.get(f"{API}{one.uuid}/ders/").json()} == {None}
    assert utility.get(f"{BASE}{one.uuid}/").content.decode().count("not known") > 4


def test_from_a_der_to_its_outcomes_and_back(world, feeder, client_of, api_of, django_assert_num_queries):
    """O4: from its page and its envelope's; also those of the feeder where its service point was; CSV has its rows only."""
    sun, other = made(world, feeder, 0, "SUN"), made(world, feeder, 1, "OTHER")
    run = published(feeder, {(sun,): always(-8, 4), (other,): always(-8, 4)})
    published(world.feeders["edc"][0], {(other,): always(-8, 5)}, starts_at=midnight(2))
    for each in (sun, other):
        hour(run, each, 0, 4, up=2)
    one, client = outcome(run), client_of(world.user("aggregator", "filer"))
    link, envelope = f"{BASE}?der={sun.uuid}", EnvelopePoint.objects.get(der=sun)
    for page in (f"/registry/ders/{sun.uuid}/", f"/operations/envelopes/{envelope.pk}/"):
        assert f'href="{link}"' in client.get(page).content.decode(), page
    assert [row["uuid"] for row in client.get(link).context["view"].page_rows()] == [one.uuid]
    assert f'href="/operations/envelopes/{envelope.pk}/"' in client.get(f"{BASE}{one.uuid}/").content.decode()
    lines = b"".join(client.get(f"{BASE}ders.csv?der={sun.uuid}").streaming_content).decode().splitlines()
    assert len(lines) == 2 and "SUN" in lines[1]
    strange = made(world, feeder, 2, "STRANGE")
    counts = {
        each: len(api_of(world.user("edc", "viewer")).get(f"{API}?der={each}").json()["results"]) for each in (sun.uuid, strange.uuid)
    }
    assert counts == {sun.uuid: 1, strange.uuid: 0}
    assert api_of(world.user("aggregator2", "administrator")).get(f"{API}?der={sun.uuid}").json()["results"] == []
    two, actor = world.feeders["edc"][1], world.user("edc", "administrator")
    made_ = acts.prepare(actor=actor, edc=world.edc, reason="Relief", starts_on=date(2026, 1, 2), from_feeder=feeder, to_feeder=two)
    facts = {"edc": world.edc, "feeder": feeder, "valid_during": (None, "2026-01-01"), "recorded_at": timezone.now()}
    FormerConnection.objects.create(service_point=sun.service_point, reconfiguration=made_, **facts)
    with acting(None, REASON):
        Der.objects.filter(pk=sun.pk).update(feeder=two)
    with django_assert_num_queries(2):
        assert reports.feeders_of(sun.uuid) == {feeder.pk, two.pk}
    assert len(client.get(link).context["view"].page_rows()) == 1, "on the feeder on which it was"


def test_what_came_late_or_was_corrected_is_taken_in_and_both_are_kept(world, feeder):
    """O4: made an hour after the set is over and anew a day after, by the newest publication of each reading; not in between."""
    sun = made(world, feeder, 0, "SUN")
    run = published(feeder, {(sun,): always(-8, 4)})
    hour(run, sun, 0, 4, up=2)
    assert making.make_due(run.ends_at + timedelta(minutes=59)) == 0
    assert making.make_due(run.ends_at + timedelta(hours=1)) == 1 and making.make_due(run.ends_at + timedelta(hours=2)) == 0
    read(run, sun, 0, 6, up=1, published_at=run.ends_at)
    read(run, sun, 60, 4, up=4)
    assert making.make_due(run.ends_at + timedelta(hours=20)) == 0
    one = EnvelopeOutcome.objects.get()
    assert (one.curtailed_export_kwh, one.beyond, making.make_due(run.ends_at + timedelta(days=1))) == (2, 0, 1)
    again = EnvelopeOutcome.objects.get()
    assert (again.pk, again.uuid, again.curtailed_export_kwh, again.beyond) == (one.pk, one.uuid, 1.5 + 0.25 + 1, 1)
    assert list(one.history.order_by("history_id").values_list("curtailed_export_kwh", flat=True)) == [2, 2.75]
    assert making.make_due(run.ends_at + timedelta(days=40)) == 0, "nobody looks any more"


def test_each_party_reads_its_own(world, feeder, client_of, api_of):
    """O4: the list with its sums, one outcome with its DERs, CSV by DER and API; of others nothing."""
    mine, theirs = made(world, feeder, 0, "MINE"), made(world, feeder, 1, "THEIRS", aggregator=world.aggregator2)
    run = published(feeder, {(each,): always(-8, 4) for each in (mine, theirs)})
    for each in (mine, theirs):
        hour(run, each, 0, 4, up=2)
    one = outcome(run, world.aggregator)
    seen = {
        name: [len(api_of(world.user(name, "administrator")).get(API).json()["results"])]
        + [client_of(world.user(name, "viewer")).get(f"{BASE}{one.uuid}/").status_code]
        for name in ("aggregator", "aggregator2", "edc", "edc2", "rerra")
    }
    assert seen == {"aggregator": [1, 200], "aggregator2": [1, 404], "edc": [2, 200], "edc2": [0, 404], "rerra": [2, 200]}
    filer, utility = client_of(world.user("aggregator", "filer")), client_of(world.user("edc", "administrator"))
    page = filer.get(f"{BASE}{one.uuid}/").content.decode()
    assert "MINE" in page and "THEIRS" not in page and "uPlot" in page and f"/runs/{run.uuid}/" not in page
    page = utility.get(f"/operations/envelopes/runs/{run.uuid}/").content.decode()
    assert f"{BASE}?feeder=F1&amp;number=1&amp;edc={world.edc.pk}" in page
    listed = utility.get(f"{BASE}?feeder=F1&number=1&day={timezone.localdate(run.starts_at)}&beyond=no").context["sums"]
    assert [(each["outcomes"], each["curtailed_export_kwh__sum"], each["heard__sum"]) for each in listed] == [(2, 4, 2)]
    lines = b"".join(filer.get(f"{BASE}ders.csv").streaming_content).decode("utf-8-sig").splitlines()
    assert (
        len(lines) == 2
        and lines[1].split(",")[7:9] == ["MINE", "true"]
        and lines[0].endswith("operator_export_kwh,grid_import_kwh,grid_export_kwh")
    )
    assert len(b"".join(utility.get(f"{BASE}export.csv").streaming_content).splitlines()) == 3
    rows_ = api_of(world.user("aggregator", "filer")).get(f"{API}{one.uuid}/ders/").json()
    assert [(row["external_id"], row["kept"], row["curtailed_export_kwh"]) for row in rows_] == [("MINE", True, 2)]
    place = overview.Place(world.user("edc", "viewer"), world.edc, feeder)
    assert ("Export curtailed by envelopes, seven days (kWh)", 4) in overview.did(place).rows


def test_a_feeder_costs_a_few_queries(world, feeder, django_assert_max_num_queries):
    """O4: as many for two DERs as for thousands: readings come in one query."""
    ders = [made(world, feeder, n, f"D-{n}") for n in range(4)]
    run = published(feeder, {(each,): always(-8, 4) for each in ders})
    for each in ders:
        hour(run, each, 0, 4, up=2)
    with django_assert_max_num_queries(38):
        making.make(run.pk, run.ends_at)
    assert EnvelopeOutcome.objects.get().curtailed_export_kwh == 8


def test_the_demonstrations_devices_keep_to_their_envelopes(world, feeder):
    """O4, M7: a generated reading lies within the set in force then, and tells the room that this left; one of some does not care."""
    names = [f"E-{n}" for n in range(200)]
    heedless = next(name for name in names if readings._one_of(Der(external_id=name), readings.HEEDLESS))
    heeding = next(name for name in names if not readings._one_of(Der(external_id=name), readings.HEEDLESS))
    one, other = made(world, feeder, 0, heeding), made(world, feeder, 1, heedless)
    run = published(feeder, {(each,): always(-3, 4) for each in (one, other)})
    moments = [run.starts_at + timedelta(hours=hours) for hours in (-1, 0, 3.9, 4)]
    found = readings.limited([one, other], moments)
    assert found[one.pk].tolist() == [[-np.inf, -3, -3, -np.inf], [np.inf, 4, 4, np.inf]] and np.isinf(found[other.pk]).all()
    assert told(readings._said(one, 4, 6, None), "p_kw", "up_kw", "down_kw") == (4, 2, 4)
    assert told(readings._said(one, -3, -7, None), "up_kw", "down_kw") == (0, 4)
