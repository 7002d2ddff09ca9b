"""Readiness respects what owners keep for themselves: a reserve, hours of the week, the event of an opt-out. M7, R5."""

from datetime import datetime, time, timedelta

import pytest
from django.utils import timezone

from moc.history import acting
from operations.outages.models import DerOutage
from operations.telemetry import reports
from operations.telemetry.models import DerState
from registry.customers.models import PersonalUse
from tests.factories.networks import der, points_of
from tests.factories.readings import reading, sent
from tests.registry.aggregations.making import made

pytestmark = pytest.mark.django_db


@pytest.fixture
def ders(world) -> list:
    with acting(None, "system: tests"):
        return [der(world, point) for point in points_of(world.feeders["edc"][0])[:3]]


def keep(of, kind: str, **facts) -> PersonalUse:
    with acting(None, "system: tests"):
        return PersonalUse.objects.create(der=of, edc_id=of.edc_id, kind=kind, **facts)


def at(weekday: int, clock: str) -> datetime:
    """A local moment of the week: 1 is Monday."""
    day = datetime(2026, 7, 5) + timedelta(days=weekday)  # from a Sunday
    return timezone.make_aware(datetime.combine(day, time.fromisoformat(clock)))


@pytest.mark.parametrize(
    "weekdays, hours, moment, bars",
    [
        ([1], ("08:00", "10:00"), at(1, "09:59"), True),
        ([1], ("08:00", "10:00"), at(1, "10:00"), False),
        ([1], ("08:00", "10:00"), at(2, "09:00"), False),
        ([1], ("22:00", "06:00"), at(1, "23:00"), True),
        ([1], ("22:00", "06:00"), at(2, "05:59"), True),
        ([1], ("22:00", "06:00"), at(1, "05:00"), False),
        ([7], ("22:00", "06:00"), at(1, "05:00"), True),
    ],
)
def test_hours_of_the_week(ders, weekdays, hours, moment, bars):
    """M7: hours are local, and those over midnight belong to the day on which they begin."""
    use = keep(ders[0], "blackout", weekdays=weekdays, from_time=time.fromisoformat(hours[0]), until_time=time.fromisoformat(hours[1]))
    assert PersonalUse.objects.barring(moment).exists() is bars
    with acting(None, "system: tests"):
        PersonalUse.objects.filter(pk=use.pk).update(ended_at=timezone.now())
    assert not PersonalUse.objects.barring(moment).exists()


def test_readiness_of_ders_and_aggregations(world, ders, client_of, api_of):
    """M7: who opted out is not ready; at the reserve there is no room up; both count in the aggregation."""
    now = timezone.now()
    keep(ders[0], "opt_out", starts_at=now - timedelta(hours=1), ends_at=now + timedelta(hours=1))
    keep(ders[1], "reserve", reserve_percent=30)
    keep(ders[2], "opt_out", starts_at=now + timedelta(hours=1), ends_at=now + timedelta(hours=2))
    rows = [reading(each, p_kw=2, up_kw=5, down_kw=3, soc_percent=charge) for each, charge in zip(ders, (80, 30, 30), strict=True)]
    sent(world.user("aggregator", "filer"), *rows)
    assert DerState.objects.get(der=ders[0]).readiness == "kept"
    assert [each.der_id for each in DerState.objects.with_readiness("kept")] == [ders[0].pk]
    assert DerState.objects.with_readiness("ready").count() == 2
    aggregation = made(world, ders=ders)
    told = reports.of_aggregations([aggregation.pk])[aggregation.pk]
    assert told == dict(zip(reports.TOLD, (3, 2, 1, 0, 0, 0, 4, 5, 6), strict=True))
    page = client_of(world.user("aggregator", "viewer"))
    assert "Kept by its owner" in page.get("/operations/readiness/").content.decode()
    shown = page.get(f"/operations/readiness/{DerState.objects.get(der=ders[1]).pk}/").content.decode()
    assert "Reserve of the owner" in shown
    kept = api_of(world.user("edc", "viewer")).get("/api/v1/operations/states/?readiness=kept").json()["results"]
    assert [row["der"] for row in kept] == [str(ders[0].uuid)]


def outage(of, kind: str, kw: float = 0, status: str = "active") -> DerOutage:
    said = {"kind": kind, "available_kw": kw, "status": status, "cause": "forced", "starts_at": timezone.now(), "reason": "Inverter fault"}
    with acting(None, "system: tests"):
        return DerOutage.objects.create(der=of, aggregator_id=of.aggregator_id, edc_id=of.edc_id, **said)


def test_what_is_out_or_derated_is_not_ready_whatever_its_readings_say(world, ders, client_of):
    """M7, M8: who is out is not available; a derate leaves what it leaves; what is to come changes nothing yet."""
    outage(ders[0], "outage"), outage(ders[1], "derate", 3), outage(ders[2], "outage", status="planned")
    sent(world.user("aggregator", "filer"), *(reading(each, p_kw=2, up_kw=5, down_kw=3) for each in ders))
    states = [DerState.objects.get(der=each) for each in ders]
    assert [state.readiness for state in states] == ["unavailable", "ready", "ready"]
    assert {each.der_id for each in DerState.objects.with_readiness("unavailable")} == {ders[0].pk}
    assert {each.der_id for each in DerState.objects.with_readiness("ready")} == {ders[1].pk, ders[2].pk}
    rows = reports.respecting([{"pk": state.pk} for state in states])
    assert [(row["readiness"], row["up_kw"], row["down_kw"]) for row in rows] == [("unavailable", 0, 0), ("ready", 1, 3), ("ready", 5, 3)]
    aggregation = made(world, ders=ders)
    told = reports.of_aggregations([aggregation.pk])[aggregation.pk]
    assert told == dict(zip(reports.TOLD, (3, 2, 0, 1, 0, 0, 4, 6, 6), strict=True))
    shown = client_of(world.user("aggregator", "viewer")).get(f"/operations/readiness/{states[1].pk}/").content.decode()
    assert "Still available" in shown and "by its outage" in shown


def test_many_aggregations_are_one_statement(world, ders, django_assert_max_num_queries):
    """M7: as many queries for five as for one."""
    sent(world.user("aggregator", "filer"), *map(reading, ders))
    keys = [made(world, f"A{n}", ders=ders, services=[service]).pk for n, service in enumerate(("energy", "capacity", "regulation"))]
    with django_assert_max_num_queries(4):
        told = reports.of_aggregations(keys)
    assert [told[key]["ready"] for key in keys] == [3, 3, 3]


def test_a_list_is_live_unless_held(world, ders, client_of):
    """M7: without a script it is a page like any other; held still it asks for nothing."""
    sent(world.user("aggregator", "filer"), *map(reading, ders))
    page = client_of(world.user("aggregator", "viewer"))
    live = page.get("/operations/readiness/?readiness=ready").content.decode()
    assert 'hx-trigger="every 15s"' in live and "readiness=ready" in live.split("hx-get=")[1].split(">")[0] and ders[0].external_id in live
    held = page.get("/operations/readiness/?live=off").content.decode()
    assert "hx-trigger" not in held.split('id="live"')[1].split(">")[0] and ders[0].external_id in held


def test_pages_of_the_grid_are_offered_to_those_who_see_it(world, client_of):
    """M7: an aggregator sees no feeder and no interface, and is led to none."""
    shown = {
        party: client_of(world.user(party, "viewer")).get("/operations/readiness/").content.decode() for party in ("aggregator", "edc")
    }
    for page in ("/operations/interfaces/", "/operations/feeders/"):
        assert [f'href="{page}"' in shown[party] for party in ("aggregator", "edc")] == [False, True]
