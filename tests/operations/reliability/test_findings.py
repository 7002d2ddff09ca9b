"""Reliability: O2. Each rule with a DER that breaks it beside one that keeps it; findings are counted once, answered and closed."""

from datetime import timedelta

import pytest
from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils import timezone

from moc.access.policy import NotPermitted
from moc.history import acting
from moc.lifecycle import TransitionRefused
from moc.notices.models import Notice
from moc.rulesets.models import RuleSet
from operations.envelopes.models import EnvelopePolicy, EnvelopeRun
from operations.envelopes.services import computing, life
from operations.network.services import building
from operations.reliability.models import ReliabilityFinding
from operations.reliability.services import findings
from operations.telemetry.models import Reading, SubjectReading, TelemetryCheck
from operations.telemetry.services import taking_in
from tests.factories.filings import store_in
from tests.factories.networks import current, der, points_of, rows
from tests.factories.readings import moment
from tests.factories.world import REASON

pytestmark = pytest.mark.django_db
API, BASE = "/api/v1/operations/reliability-findings/", "/operations/reliability/"


@pytest.fixture
def ders(world, settings, tmp_path):
    """A good DER and a bad one on a feeder whose set has been in force for an hour."""
    store_in(settings, tmp_path)
    settings.VAR_DIR = tmp_path
    building._cached.cache_clear()
    computing._machine.cache_clear()
    taking_in.prepare(moment(180))
    feeder = world.feeders["edc"][0]
    points = points_of(feeder)
    with acting(None, REASON):
        EnvelopePolicy.objects.create(edc=world.edc, method="proportional", robust=False)
        made = [der(world, point, external_id=name) for point, name in zip(points, ("GOOD", "BAD"), strict=False)]
    current(world, feeder, rows(points))
    starts_at = timezone.now().replace(minute=0, second=0, microsecond=0) - timedelta(hours=2)
    run = life.order(actor=None, feeder=feeder, starts_at=starts_at, hours=4, step_minutes=60)
    computing.carry_out(run, lambda *args: None)
    life.publish(actor=None, run=run)
    with acting(None, REASON):
        EnvelopeRun.objects.filter(pk=run.pk).update(published_at=moment(100))
    return made


def read(of, kw: float, minutes: float, operating: str = "on") -> None:
    facts = {"aggregator": of.aggregator, "edc": of.edc, "published_at": moment(minutes), "event_at": moment(minutes)}
    Reading.objects.create(der=of, p_kw=kw, operating=operating, **facts)


def look() -> int:
    return findings.look(since=moment(90), until=moment(0))


def found() -> set[tuple[str, str, int]]:
    return set(ReliabilityFinding.objects.values_list("der__external_id", "rule", "count"))


def test_limits_are_kept_and_followed(world, ders):
    """One reading beyond the limit is a case; three in a row were not a response. Looked at again, nothing is counted twice."""
    good, bad = ders
    for minutes in (50, 40, 30):
        read(good, 0.1, minutes)
        read(bad, 99, minutes)
    read(good, 99, 20)
    assert look() == 3 and found() == {("BAD", "limit", 3), ("BAD", "response", 1), ("GOOD", "limit", 1)}
    assert look() == 0
    read(bad, -99, 10)
    assert look() == 0 and ("BAD", "limit", 4) in found()
    finding = ReliabilityFinding.objects.get(der=bad, rule="limit")
    assert finding.evidence[-1][1] == -99 and len(finding.evidence) == 4
    assert Notice.objects.filter(user=world.user("aggregator", "filer"), event="reliability_finding").exists()


def test_telemetry_of_poor_quality(world, ders):
    good, bad = ders
    facts = {"cadence_s": 300, "owed": 100, "incomplete": 0, "compared": 0, "differing": 0, "checked_at": moment()}
    day = timezone.localdate(moment(90)) - timedelta(days=1)
    for of, delivered in ((good, 95), (bad, 80)):
        TelemetryCheck.objects.create(der=of, aggregator=of.aggregator, edc=of.edc, day=day, delivered=delivered, late=3, **facts)
    assert look() == 1 and found() == {("BAD", "telemetry", 1)}


def test_who_stops_within_the_voltages_of_continuous_operation_did_not_ride_through(world, ders):
    """IEEE 1547-2018: with 0.97 per unit at the feeder's head a DER goes on; where the voltage fell away it may stop."""
    good, bad = ders
    for of, minutes in ((bad, 40), (good, 12)):
        read(of, 1, minutes + 2)
        read(of, 0, minutes, operating="fault")
    facts = {"edc": world.edc, "feeder": bad.feeder, "p_kw": 0}
    for minutes, volts in ((42, 0.97), (41, 0.96), (14, 0.5)):
        SubjectReading.objects.create(event_at=moment(minutes), published_at=moment(minutes), voltage_pu=volts, **facts)
    assert look() == 1 and found() == {("BAD", "ride_through", 1)}


def law(world, authority: str, **values) -> None:
    """Rows of an authority from today's yesterday on; the defaults hold for all others."""
    days = DateRange(timezone.localdate(moment(90)) - timedelta(days=2), None)
    with acting(None, REASON):
        RuleSet.objects.bulk_create(
            RuleSet(key=f"reliability_{key}", authority=authority, value=value, valid_during=days, source="Docket of the tests")
            for key, value in values.items()
        )


def test_what_is_a_finding_is_law_by_day_and_regulator(world, ders):
    """O2, N13: the utility's regulator tightens and loosens; another regulator's rows, and days before, change nothing."""
    good, bad = ders
    for minutes in (50, 40):
        read(bad, 99, minutes)
    law(world, world.rerra2.slug, in_a_row=1)
    assert look() == 1 and found() == {("BAD", "limit", 2)}  # two in a row are no refusal by the default of three
    law(world, world.rerra.slug, in_a_row=2, tolerance_percent=0, tolerance_kw=100, poor_percent=1)
    facts = {"cadence_s": 300, "owed": 100, "incomplete": 0, "compared": 0, "differing": 0, "checked_at": moment()}
    day = timezone.localdate(moment(90)) - timedelta(days=1)
    TelemetryCheck.objects.create(der=good, aggregator=good.aggregator, edc=good.edc, day=day, delivered=98, late=0, **facts)
    read(bad, 99, 30)
    assert look() == 1 and found() == {("BAD", "limit", 2), ("GOOD", "telemetry", 1)}  # 100 kW more pass now, 2 % late do not
    with acting(None, REASON):
        row = RuleSet.objects.get(key="reliability_tolerance_kw", authority=world.rerra.slug)
        row.valid_during = DateRange(row.valid_during.lower, row.valid_during.lower + timedelta(days=1))
        row.save()
    assert look() == 1 and ("BAD", "response", 1) in found()  # its day is over: beyond again, and two in a row now suffice


def test_a_missing_bound_is_named_and_not_guessed(world, ders):
    with acting(None, REASON):
        RuleSet.objects.filter(key="reliability_least_pu").delete()
    read(ders[1], 99, 50)
    with pytest.raises(LookupError, match="reliability_least_pu"):
        look()


def test_a_finding_is_answered_asked_again_and_closed(world, ders, client_of, api_of):
    read(ders[1], 99, 50)
    look()
    finding, filer, utility = ReliabilityFinding.objects.get(), world.user("aggregator", "filer"), world.user("edc", "administrator")
    page = client_of(filer).get(f"{BASE}{finding.uuid}/")
    assert (
        page.status_code == 200 and b"kW injected" in page.content and [each["name"] for each in page.context["transitions"]] == ["answer"]
    )
    with pytest.raises(NotPermitted):
        findings.move(actor=utility, finding=finding, name="answer", reason="Not mine")
    findings.move(actor=filer, finding=finding, name="answer", reason="Firmware replaced")
    moved = api_of(utility).post(f"{API}{finding.uuid}/transitions/ask_again/", {"reason": "When?"}, format="json", HTTP_IF_MATCH="*")
    assert moved.json()["status"] == "open"
    findings.move(actor=utility, finding=finding, name="close", reason="Seen")
    with pytest.raises(TransitionRefused):
        findings.move(actor=filer, finding=finding, name="answer", reason="Again")
    read(ders[1], 99, 40)
    assert look() == 1 and ReliabilityFinding.objects.filter(status="open").get().count == 1
    assert client_of(world.user("edc2", "administrator")).get(f"{BASE}{finding.uuid}/").status_code == 404
    assert b"limit" in b"".join(client_of(world.user("edc", "administrator")).get(f"{BASE}export.csv").streaming_content)
