"""The demonstration's readings: plausible, marked as generated, the same for the same seed, and going on. M7, N9."""

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from moc.demo import readings
from moc.history import acting
from operations.envelopes.models import EnvelopePoint
from operations.reliability.models import ReliabilityFinding
from operations.telemetry.models import DerState, Reading, SubjectReading, SubjectState, TelemetryCheck
from registry.aggregations.models import Aggregation
from registry.ders.models import Der
from tests.factories.networks import der, points_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def ders(world) -> list[Der]:
    """Two photovoltaic DERs of which one fell silent, and a battery; all with envelopes."""
    with acting(None, "system: tests"):
        named = [f"E-{n}" for n in range(200)]
        silent = next(name for name in named if readings._one_of(Der(external_id=name), readings.SILENT))
        well = [name for name in named if not any(readings._one_of(Der(external_id=name), n) for n in (readings.SILENT, readings.FAULTY))]
        points = points_of(world.feeders["edc"][0])
        made = [der(world, point, export=60, external_id=name) for point, name in zip(points, [well[0], silent, well[1]], strict=False)]
        Der.objects.filter(pk=made[2].pk).update(der_type="storage", max_charge_kw=60, max_discharge_kw=60, energy_capacity_kwh=120)
        for row, each in enumerate(made):  # the keys of runs are not checked
            facts = {"edc": each.edc, "aggregator": each.aggregator, "feeder": each.feeder, "run_id": 0}
            EnvelopePoint.objects.create(der=each, row=row, published_at=timezone.now(), **facts)
    return list(Der.objects.filter(pk__in=[each.pk for each in made]).order_by("pk"))


def test_a_day_of_readings(world, ders, monkeypatch):
    """M7, O2: readiness and compliance have something to show; nothing is late, the silent one is stale and found, the sum is that of the
    members but for the period in which one falls silent."""
    monkeypatch.setattr(readings, "LOST", 0)  # what is lost, and so how far means lie apart, depends on the time of day
    readings.readings({"KITTATINNY": world.aggregator, "JCPL": world.edc})
    sunny, silent, battery = ders
    assert (
        set(Reading.objects.values_list("source", flat=True))
        == {"generated"}
        == set(SubjectReading.objects.values_list("source", flat=True))
    )
    moments = len(readings._moments(timezone.now()))
    assert 0.95 * moments < Reading.objects.filter(der=sunny).count() <= moments > 287
    assert Reading.objects.filter(der=silent).count() == readings.HEARD
    assert [(each.der, each.rule) for each in ReliabilityFinding.objects.all()] == [(silent, ReliabilityFinding.Rule.TELEMETRY)]
    assert {state.der_id: state.readiness for state in DerState.objects.all()} == {
        sunny.pk: "ready",
        silent.pk: "stale",
        battery.pk: "ready",
    }
    assert DerState.objects.get(der=battery).soc_percent is not None
    checks = TelemetryCheck.objects.all()
    assert (
        checks.exists()
        and not checks.filter(late__gt=0).exists()
        and checks.of_aggregations().filter(compared__gt=0, differing__lte=1).exists()
    )
    state, count = SubjectState.objects.get(aggregation__isnull=False), Reading.objects.count()
    assert state.aggregation == Aggregation.objects.get(name=readings.NAME)
    above = SubjectState.objects.get(td_interface__isnull=False)
    assert above.td_interface == readings.above() and -readings.LOAD_KW < above.p_kw < 0
    assert SubjectReading.objects.filter(td_interface=above.td_interface).count() == moments
    readings.go_on()
    assert Reading.objects.count() - count in (0, 2)


def test_the_sun_shines_by_day_and_the_same_seed_says_the_same(ders):
    """M7: no power by night, less than the nameplate by day, and nothing random in between."""
    midnight = timezone.make_aware(datetime(2026, 6, 21))
    moments = [midnight + timedelta(minutes=30 * n) for n in range(48)]
    power, charge = readings.series(ders[0], moments)
    assert charge is None and max(power[0], power[47]) < 1e-9 and 20 < power[24] < 60
    stored, charge = readings.series(ders[2], moments)
    assert stored.min() < 0 < stored.max() and 0 < charge.min() < charge.max() < 100
    assert (readings.series(ders[0], moments)[0] == power).all()
