"""The base case of envelopes: metered points by their forecasts, the others by their shape, held with P10 and P90. O4."""

from datetime import date, timedelta

import numpy as np
import pytest
from django.utils import timezone

from moc.history import acting
from operations.envelopes import reports
from operations.envelopes.models import EnvelopePoint, EnvelopePolicy, EnvelopeRun
from operations.envelopes.services import base, computing, devices, life, reacting
from operations.forecasts.engine import blend, blocks
from operations.forecasts.models import Forecast
from operations.network.services import building
from registry.grid.models import Feeder, Transformer
from tests.factories.filings import store_in
from tests.factories.networks import current, der, midnight, ordered, points_of, rows
from tests.factories.world import REASON

pytestmark = pytest.mark.django_db
MODEL_KW, MODEL_KVAR = 3.0, 0.5


@pytest.fixture
def feeder(world, settings, tmp_path) -> Feeder:
    """Six points of 3 kW and 0.5 kvar in the model; the first has a DER; the first three are behind the transformer T-9."""
    store_in(settings, tmp_path)
    settings.VAR_DIR = tmp_path
    building._cached.cache_clear(), computing._machine.cache_clear()
    feeder = world.feeders["edc"][0]
    points = points_of(feeder)[:6]
    with acting(None, REASON):
        EnvelopePolicy.objects.create(edc=world.edc, method="proportional", robust=False, auto_publish=True)
        service = Transformer.objects.create(edc=world.edc, feeder=feeder, code="T-9", rated_kva=75)
        feeder.service_points.filter(usage_point_id__in=points[:3]).update(transformer=service)
        der(world, points[0], external_id="OWN", export=40, import_=40)
    current(world, feeder, rows(points, metres=60))
    return feeder


def told(feeder: Feeder, loads: list, *, day: date | None = None, minutes: int = 60, errors=(-1.2, 0.6), of_all=(-2.0, 1.0), ago: int = 60):
    """A forecast of a day (tomorrow) of as many of the feeder's points as there are loads (kW, one or one an interval), all behind T-9.

    errors: P10 and P90 of the transformer's, of_all: of the feeder's; injection positive."""
    day, at = day or timezone.localdate(midnight()), timezone.now() - timedelta(minutes=ago)
    starts = blend.starts_of(day, timezone.get_current_timezone(), minutes)
    kw = -np.array([np.broadcast_to(load, len(starts)) for load in loads], float)
    service, points = feeder.transformers.get(code="T-9"), feeder.service_points.order_by("usage_point_id")[: len(loads)]
    facts = {"edc": feeder.edc, "day": day, "starts_at": starts[0], "minutes": minutes, "published_at": at, "known_until": at, "unit": 0.01}
    facts |= {"points": [point.pk for point in points], "meters_block": blocks.pack(kw, 0.01), "transformers": [service.pk]}
    facts |= {"transformers_block": blocks.pack(kw.sum(0)[None], 0.01), "feeder_kw": kw.sum(0).tolist()}
    facts |= {f"{name}_kw": (kw.sum(0) + error).tolist() for name, error in zip(("low", "high"), of_all, strict=True)}
    facts |= {f"{name}_error_kw": [error] for name, error in zip(("low", "high"), errors or (), strict=False)}
    return Forecast.objects.create(feeder=feeder, kind="day_ahead", **facts)


def run_of(feeder: Feeder, *, days: int = 1, hours: int = 24, step: int = 60) -> EnvelopeRun:
    return life.order(actor=None, feeder=feeder, starts_at=midnight(days), hours=hours, step_minutes=step)


def base_of(run: EnvelopeRun) -> dict[str, np.ndarray]:
    """kVA of the points by name of the estimate."""
    return {name: values / 1e3 for name, values in base.of(run, building.feeder_of(run.network)).items()}


def test_each_point_has_its_own_load(feeder):
    """By hand: metered 3, 2 and 1 kW, of which the first has a DER. The second and third take theirs, with their parts of the transformer's
    errors (a third and a sixth); their 3 kW are half of their model's 6, and so all others have half of their 3 kW, ± the feeder's −2 and
    +1 of 6 kW, in proportion."""
    told(feeder, [3.0, 2.0, 1.0])
    found = base_of(run_of(feeder))
    expected = {
        "base": [1.5, 2.0, 1.0, 1.5, 1.5, 1.5],
        "least": [1.25, 1.8, 0.9, 1.25, 1.25, 1.25],  # 1.5 × (1 − 1 ÷ 6); 2 − 0.6 ÷ 3; 1 − 0.6 ÷ 6
        "most": [2.0, 2.4, 1.2, 2.0, 2.0, 2.0],  # 1.5 × (1 + 2 ÷ 6); 2 + 1.2 ÷ 3; 1 + 1.2 ÷ 6
    }
    for name, kw in expected.items():
        assert np.allclose(found[name].real, np.array(kw)[:, None]), name
        assert np.allclose(found[name].imag, found[name].real * MODEL_KVAR / MODEL_KW)


def test_margins_make_no_injection(feeder):
    """A load of nearly nothing is at least nothing; what is forecast as an injection may be a larger one, without reactive power."""
    told(feeder, [0.0, 1.0, -1.0], errors=(-1.0, 4.0), of_all=(0.0, 0.0))
    found = {name: values[1:3, 0] for name, values in base_of(run_of(feeder)).items()}
    assert np.allclose(found["least"], [0, -3]) and np.allclose(found["base"], [1 + 1j / 6, -1])
    assert np.allclose(found["most"], [1.5 + 1.5j / 6, -0.5])


def test_too_few_meters_tell_of_themselves_only(feeder):
    """One meter of 3 of 18 kW in the model tells its own point; the others keep the typical day, without margins."""
    told(feeder, [9.0, 2.0])
    found = base_of(run_of(feeder))
    assert np.allclose(found["base"][1].real, 2.0)
    for name in ("base", "least", "most"):
        assert np.allclose(found[name][5].real, MODEL_KW * base.TYPICAL_DAY)


def test_intervals_of_other_lengths(feeder):
    """Quarters in hours: their mean, least and most; an hour in quarters: held."""
    quarters = np.tile([1.0, 2.0, 3.0, 6.0], 24)
    told(feeder, [0.0, quarters], minutes=15, errors=(0.0, 0.0), of_all=(0.0, 0.0), ago=90)
    found = base_of(run_of(feeder))
    assert {name: values[1].real.round(6).tolist() for name, values in found.items()} == {
        "base": [3.0] * 24,
        "least": [1.0] * 24,
        "most": [6.0] * 24,
    }
    told(feeder, [0.0, np.arange(24.0)], errors=(0.0, 0.0), of_all=(0.0, 0.0))
    found = base_of(run_of(feeder, step=15))
    assert np.allclose(found["base"][1].real, np.arange(24).repeat(4))


@pytest.mark.parametrize("day, length", [(date(2026, 3, 8), 23), (date(2026, 11, 1), 25)])
def test_days_of_23_and_25_hours(feeder, day, length):
    """Each interval takes the forecast's of the same moment; the typical day follows the clock on the wall."""
    forecast = told(feeder, [0.0, np.arange(length)], day=day)
    run = EnvelopeRun(network=feeder.networks.get(), feeder=feeder, step_minutes=60, forecasts=[forecast.pk])
    run.starts_at, run.ends_at = forecast.starts_at, forecast.starts_at + timedelta(hours=length)
    assert np.allclose(base_of(run)["base"][1].real, np.arange(length))
    assert {timezone.localdate(each) for each in (run.starts_at, run.ends_at - base.INSTANT)} == {day}
    run.forecasts = []
    typical = base_of(run)["base"][1].real / MODEL_KW
    assert int(typical.argmax()) == 19 + length - 24 and len(typical) == length


def test_exports_are_held_against_p10_and_imports_against_p90(world, feeder):
    """O4: margins leave less room both ways; nothing is let go that the full check has not passed; both base cases raise alarms."""
    told(feeder, [3.0, 2.0, 1.0], errors=(0.0, 0.0), of_all=(0.0, 0.0), ago=90)
    plain = ordered(world, feeder)
    told(feeder, [3.0, 2.0, 1.0], errors=(-6.0, 3.0), of_all=(-8.0, 6.0))
    held = ordered(world, feeder)
    assert plain.pk != held.pk and plain.unchecked == held.unchecked == 0
    assert held.price["export"]["total_kw"] < plain.price["export"]["total_kw"] < 40
    assert held.price["import"]["total_kw"] < plain.price["import"]["total_kw"] < 40
    told(feeder, [3.0, 16.0, 1.0], errors=(-14.0, 3.0), ago=30)
    assert {alarm["kind"] for alarm in ordered(world, feeder).alarms} >= {"low voltage", "overload"}


def test_without_a_forecast_it_is_the_typical_day(world, feeder, client_of):
    """O4: none, one of points with DERs only, and one whose errors are not known: the same run, with the limits of the typical day."""
    before = ordered(world, feeder)
    told(feeder, [3.0], ago=90)
    assert ordered(world, feeder) == before and reacting.react() == []
    told(feeder, [3.0, 2.0, 1.0], errors=None)
    assert ordered(world, feeder) == before and before.forecasts == []
    request = computing.request_of(before, building.feeder_of(before.network), devices.active_points(devices.capabilities(before.network)))
    assert request.least_va is None and request.most_va is None
    assert np.allclose(request.base_va.real.sum(0), 6e3 * MODEL_KW * base.TYPICAL_DAY)
    page = client_of(world.user("edc", "viewer")).get(f"/operations/envelopes/runs/{before.uuid}/").content.decode()
    assert "typical day of the feeder" in page


def test_a_newer_forecast_orders_the_window_anew_once(world, feeder, client_of, api_of):
    """O4: the rest of the window that the forecast is of, and no other; published in place of the set before, or its people are told."""
    first, other = ordered(world, feeder), ordered(world, feeder, days=2)
    for run in (first, other):
        life.publish(actor=None, run=run)
    assert reacting.react() == []
    forecast = told(feeder, [3.0, 2.0, 1.0])
    (run,) = reacting.react()
    assert (run.starts_at, run.ends_at, run.forecasts) == (first.starts_at, first.ends_at, [forecast.pk]) and run.digest != first.digest
    assert reacting.react() == []
    with acting(None, REASON):
        EnvelopePolicy.objects.update(auto_publish=False)
    computing.carry_out(run, lambda *args: None)
    run.refresh_from_db()
    assert reacting._replaces(run)
    life.publish(actor=None, run=run)
    assert reacting.react() == [] and not reacting._replaces(run)
    newer = told(feeder, [3.0, 2.0, 1.5], ago=5)
    assert [each.forecasts for each in reacting.react()] == [[newer.pk]] and reacting.react() == []
    page = client_of(world.user("edc", "viewer")).get(f"/operations/envelopes/runs/{run.uuid}/").content.decode()
    assert (
        f"/operations/forecasts/{forecast.pk}/" in page and "held with P10 and P90" in page and reports.clock(forecast.published_at) in page
    )
    assert api_of(world.user("edc", "viewer")).get(f"/api/v1/operations/envelope-runs/{run.uuid}/").json()["forecasts"] == [forecast.pk]
    assert EnvelopePoint.objects.get().run == run
