"""Telemetry owed and delivered: who owes follows from services and rules; counted by interval, compared with members. N9, N13."""

from datetime import datetime, time, timedelta

import pytest
from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils import timezone

from moc.errors import UserError
from moc.history import acting
from moc.rulesets.kinds import check as check_kind
from moc.rulesets.law import Law
from moc.rulesets.models import RuleSet
from operations.telemetry.models import Reading, SubjectReading, TelemetryCheck
from operations.telemetry.services import checking
from operations.telemetry.services.taking_in import prepare
from registry.aggregations.models import Aggregation, AggregationMember
from registry.ders.models import Der
from tests.factories.networks import der, points_of
from tests.registry.aggregations.making import made

pytestmark = pytest.mark.django_db
DAY = timezone.localdate() - timedelta(days=1)


@pytest.fixture
def shore(world) -> Aggregation:
    """Registered, of three DERs: 60 kW each, the third a battery that reports every 900 s."""
    with acting(None, "system: tests"):
        members = [der(world, point, export=60) for point in points_of(world.feeders["edc"][0])[:3]]
        Der.objects.filter(pk=members[2].pk).update(
            der_type="storage", telemetry_interval_s=900, max_charge_kw=60, max_discharge_kw=60, energy_capacity_kwh=120
        )
    found = made(world, ders=members)
    with acting(None, "system: tests"):
        AggregationMember.objects.update(valid_during=DateRange(DAY - timedelta(days=9), None))
        Aggregation.objects.filter(pk=found.pk).update(status="submitted", submitted_at=timezone.now())
        Aggregation.objects.filter(pk=found.pk).update(status="registered")
    prepare()
    return found


def law(key: str, value) -> None:
    """A rule from now on; the shipped one goes."""
    with acting(None, "system: tests"):
        RuleSet.objects.filter(key=key, authority="").update(value=value)


def noon(seconds: float = 0) -> datetime:
    return timezone.make_aware(datetime.combine(DAY, time(12))) + timedelta(seconds=seconds)


def heard(of: Der, seconds: float, p_kw: float, *, delay: float = 1, **more) -> Reading:
    at = noon(seconds)
    facts = {"aggregator_id": of.aggregator_id, "edc_id": of.edc_id, "event_at": at, "published_at": at}
    return Reading.objects.create(der=of, **facts | {"received_at": at + timedelta(seconds=delay), "p_kw": p_kw} | more)


def summed(aggregation: Aggregation, seconds: float, p_kw: float) -> SubjectReading:
    at = noon(seconds)
    facts = {"aggregator_id": aggregation.aggregator_id, "event_at": at, "published_at": at, "received_at": at, "p_kw": p_kw}
    return SubjectReading.objects.create(aggregation=aggregation, **facts)


def of(thing) -> TelemetryCheck:
    return TelemetryCheck.objects.get(day=DAY, **{type(thing).__name__.lower(): thing})


def test_who_owes(world, shore):
    """N13: what is large enough, or offers a service that asks for it at every size; at the shortest interval of its services."""
    assert checking.owing(Law.on(DAY)) == {shore.pk: 300}
    law("telemetry_from_kw", 500)
    assert checking.owing(Law.on(DAY)) == {}
    with acting(None, "system: tests"):
        Aggregation.objects.filter(pk=shore.pk).update(services=["energy", "regulation"])
    assert checking.owing(Law.on(DAY)) == {shore.pk: 4}
    with acting(None, "system: tests"):
        Aggregation.objects.filter(pk=shore.pk).update(status="suspended")
    assert checking.owing(Law.on(DAY)) == {} and checking.check(DAY) == 0


def test_what_was_owed_and_delivered(shore):
    """N9: one reading an interval counts once; late, missing and incomplete are told; yesterday's check is written again."""
    first, second, battery = (member.der for member in shore.members.select_related("der").order_by("der"))
    for seconds in (0, 10, 300):
        heard(first, seconds, 1)
    heard(second, 0, 1, delay=7200)
    heard(second, 300, 1)
    heard(battery, 0, 1)
    heard(battery, 900, 1, soc_percent=40)
    assert checking.check(DAY) == checking.check(DAY) == 4
    hours = (noon() + timedelta(hours=12) - (noon() - timedelta(hours=12))).total_seconds() / 3600
    found = [of(each) for each in (first, second, battery, shore)]
    assert [each.owed for each in found] == [hours * 12, hours * 12, hours * 4, hours * 12]
    assert [each.delivered for each in found] == [2, 2, 2, 0] and found[0].missing == found[0].owed - 2
    assert [each.late for each in found] == [0, 1, 0, 0] and [each.incomplete for each in found] == [0, 0, 1, 0]
    law("telemetry_points", {"*": ["q_kvar"], "storage": ["soc_percent"]})
    checking.check(DAY)
    assert of(first).incomplete == 2 and of(battery).incomplete == 2
    assert TelemetryCheck.objects.wanting().count() == 4
    party = TelemetryCheck.objects.by_party().get()
    assert (party["ders"], party["delivered"], party["late"]) == (3, 6, 1)


def test_an_aggregation_is_compared_with_its_members(shore):
    """N9: means over a quarter of an hour; the latest publication counts; with a silent member nothing is compared."""
    members = [member.der for member in shore.members.select_related("der").order_by("der")]
    for seconds, kw in ((0, 10), (900, 20), (1800, 30)):
        for each in members[: 3 if seconds < 1800 else 2]:
            heard(each, seconds, kw)
        summed(shore, seconds, 33 if seconds else 30.5)
    heard(members[0], 900, 21, published_at=noon(960))
    checking.check(DAY)
    found = of(shore)
    assert (found.delivered, found.compared, found.differing) == (3, 2, 1)
    assert found.most_difference_kw == pytest.approx(33 - 61)
    law("telemetry_sum_tolerance_percent", 50)
    checking.check(DAY)
    assert of(shore).differing == 0


@pytest.mark.parametrize("starts, hours", [((2026, 3, 8), 23), ((2025, 11, 2), 25)])
def test_days_of_23_and_25_hours(shore, starts, hours):
    """N9: what is owed on a day is owed for its real length."""
    day = datetime(*starts).date()
    with acting(None, "system: tests"):
        AggregationMember.objects.update(valid_during=DateRange(day, None))
    checking.check(day)
    assert TelemetryCheck.objects.get(aggregation=shore, day=day).owed == hours * 12


def test_the_page_and_the_api(world, shore, client_of, api_of):
    """N3: each party its own; with the sums of parties, and only what is wanting."""
    checking.check(DAY)
    page = client_of(world.user("aggregator", "viewer")).get("/operations/readiness/owed/?wanting=true").content.decode()
    assert "Shore" in page and "By party" in page
    assert "Shore" not in client_of(world.user("aggregator2", "viewer")).get("/operations/readiness/owed/").content.decode()
    told = api_of(world.user("edc", "viewer")).get("/api/v1/operations/telemetry-checks/?kind=ders").json()["results"]
    assert len(told) == 3 and all(row["missing"] == row["owed"] for row in told)


@pytest.mark.parametrize(
    "key, good, bad",
    [
        ("telemetry_cadence_s", {"*": 300, "regulation": 4}, {"regulation": 4}),
        ("telemetry_cadence_s", {"*": 60}, {"*": 0}),
        ("telemetry_points", {"*": [], "storage": ["soc_percent"]}, {"*": ["colour"]}),
    ],
)
def test_rules_are_typed(key, good, bad):
    """N13: a value of another shape is refused."""
    check_kind(key, good)
    with pytest.raises(UserError):
        check_kind(key, bad)
