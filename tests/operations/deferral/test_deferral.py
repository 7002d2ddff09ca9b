"""Transformer deferral: O4. Forecast overload, EVs curtailed first, the alarm's life, and the benefit by its formula."""

import math
from datetime import timedelta

import pytest
from django.utils import timezone

from moc.access.policy import NotPermitted
from moc.errors import UserError
from moc.history import acting
from moc.notices.models import Notice
from operations.deferral import reports, services
from operations.deferral.models import TransformerAlarm
from operations.envelopes import reports as envelopes
from operations.envelopes.models import EnvelopePoint, EnvelopePolicy
from operations.envelopes.reasons import OPERATOR, Reason, sentence
from operations.envelopes.reports import limits_of
from operations.envelopes.services import computing, life, reacting
from operations.forecasts.models import Forecast
from operations.network.services import building
from operations.outages.models import LogEntry
from registry.ders.models import Der
from registry.grid.models import Transformer
from tests.factories import networks
from tests.factories.filings import store_in
from tests.factories.networks import current, der, points_of, rows
from tests.factories.world import REASON

pytestmark = pytest.mark.django_db
API, BASE = "/api/v1/operations/transformer-alarms/", "/operations/transformers/"


@pytest.fixture
def feeder(world, settings, tmp_path):
    """A transformer of 25 kVA with an EV of 8 kW and a battery of 8 kW behind it, and envelopes of tomorrow."""
    store_in(settings, tmp_path)
    settings.VAR_DIR = tmp_path
    building._cached.cache_clear()
    computing._machine.cache_clear()
    feeder = world.feeders["edc"][0]
    points = points_of(feeder)
    with acting(None, REASON):
        EnvelopePolicy.objects.create(edc=world.edc, method="proportional", robust=False, auto_publish=True)
        service = Transformer.objects.create(edc=world.edc, feeder=feeder, code="T-9", rated_kva=25)
        feeder.service_points.filter(usage_point_id__in=points[:2]).update(transformer=service)
        for point, name, kind in zip(points, ("EV", "BATTERY"), ("evse", "storage"), strict=False):
            made = der(world, point, external_id=name)
            Der.objects.filter(pk=made.pk).update(der_type=kind, energy_capacity_kwh=20)
    current(world, feeder, rows(points[:4]))
    (*_, run) = life.order_days(feeder)
    finish(run)
    return feeder


def finish(run) -> None:
    computing.carry_out(run, lambda *args: None)
    run.refresh_from_db()
    life.publish(actor=None, run=run)


def forecast(feeder, kw: list[float], minutes_ago: int = 60, **more) -> Forecast:
    return networks.forecast(feeder.transformers.get(code="T-9"), kw, minutes_ago, **more)


def day(peak: float) -> list[float]:
    """Twenty kW all day but for the hours from six to eight in the evening."""
    return [20.0] * 18 + [peak, peak] + [20.0] * 4


@pytest.fixture
def alarm(feeder) -> TransformerAlarm:
    forecast(feeder, day(30))
    assert services.look() == 1
    return TransformerAlarm.objects.get()


def imports(name: str) -> list[float]:
    point = EnvelopePoint.objects.get(der__external_id=name)
    return [-low for low in limits_of([point])[point.pk][-1].min_kw]


def explained(name: str, element: str) -> list[dict]:
    """The limits of a DER whose reason is this one."""
    point = EnvelopePoint.objects.get(der__external_id=name)
    limits = limits_of([point])[point.pk][-1]
    return [each for each in envelopes.explained(limits) if each["why"] == sentence(Reason(element, 1))]


def test_an_overload_raises_an_alarm_once(world, feeder):
    """At the rating there is none; one that nobody dealt with follows the newest forecast; what is over passes."""
    forecast(feeder, day(25), minutes_ago=90)
    assert services.look() == 0
    forecast(feeder, day(30))
    assert services.look() == 1 and services.look() == 0
    alarm = TransformerAlarm.objects.get()
    assert (alarm.peak_kw, alarm.over_kwh, timezone.localtime(alarm.starts_at).hour) == (30, 10, 18)
    assert Notice.objects.filter(user=world.user("edc", "administrator"), event="transformer_alarm").count() == 1
    forecast(feeder, day(35), minutes_ago=5)
    assert services.look() == 0
    alarm.refresh_from_db()
    assert alarm.peak_kw == 35
    services.look(timezone.now() + timedelta(days=3))
    alarm.refresh_from_db()
    assert alarm.status == "over"


def test_evs_are_curtailed_first_in_the_hours_of_the_overload(world, feeder, alarm):
    """5 kW are too much: the EV's 8 kW become 3, the battery keeps its own; other hours are as they were."""
    before = imports("EV"), imports("BATTERY")
    services.evaluate(actor=world.user("edc", "administrator"), alarm=alarm)
    alarm.refresh_from_db()
    assert (alarm.status, alarm.covered_kw, len(alarm.parts)) == ("evaluated", 5, 1) and alarm.parts[0][1:] == [8, 3]
    finish(alarm.run)
    after, step = imports("EV"), alarm.run.step_minutes
    evening = slice(18 * 60 // step, 20 * 60 // step)
    assert max(after[evening]) <= 3.0 and after[: evening.start] == before[0][: evening.start]
    assert [timezone.localtime(each["since"]).hour for each in explained("EV", OPERATOR)] == [18]
    assert LogEntry.objects.get(act="alarm_evaluate").after["peak_kw"] == 25
    services.deactivate(actor=world.user("edc", "administrator"), alarm=alarm, reason="A line crew is there")
    finish(feeder.envelope_runs.order_by("-pk").first())
    assert imports("EV") == before[0] and imports("BATTERY") == before[1]
    assert services.look() == 0


def test_an_alarm_whose_set_is_out_of_force_is_deactivated(world, alarm):
    """O4: nothing curtails by then, and nothing is ordered."""
    actor = world.user("edc", "administrator")
    services.evaluate(actor=actor, alarm=alarm)
    alarm.refresh_from_db()
    finish(alarm.run)
    alarm.run.refresh_from_db()
    life.deactivate(actor=actor, run=alarm.run, reason="Wrong model")
    services.deactivate(actor=actor, alarm=alarm, reason="Wrong model")
    alarm.refresh_from_db()
    assert alarm.status == "deactivated" and alarm.run == alarm.feeder.envelope_runs.latest("pk")


def test_sets_that_wait_to_be_published_are_told(world, alarm):
    """O4, N10: with the curtailment, and without it again."""
    actor, told = (
        world.user("edc", "administrator"),
        Notice.objects.filter(event="envelopes_waiting", user=world.user("edc", "administrator")),
    )
    with acting(None, REASON):
        EnvelopePolicy.objects.update(auto_publish=False)
    for count, (name, said) in enumerate({"evaluate": {}, "deactivate": {"reason": "Rain"}}.items(), 1):
        services.MOVES[name](actor=actor, alarm=alarm, **said)
        run = alarm.feeder.envelope_runs.latest("pk")
        computing.carry_out(run, lambda *args: None)
        run.refresh_from_db()
        reacting.publish_or_tell(run)
        assert (run.status, told.count()) == ("evaluated", count) and told.latest("pk").url.endswith(f"/runs/{run.uuid}/")
        life.publish(actor=actor, run=run)


def test_the_p90_of_load_decides(world, feeder, client_of):
    """Of 24 kW and 22.5 an hour later, nine of ten hours stay below 27 and 25.5: 2 kW are too much, and as much is taken off the EV."""
    errors = {"low_error_kw": [-3.0], "high_error_kw": [1.0]}
    likeliest = [20.0] * 18 + [24, 22.5] + [20.0] * 4
    forecast(feeder, likeliest, minutes_ago=30)
    assert services.look() == 0
    forecast(feeder, likeliest, minutes_ago=5, **errors)
    assert services.look() == 1
    alarm = TransformerAlarm.objects.get()
    assert (alarm.peak_kw, alarm.over_kwh, alarm.over_kw) == (27, 2.5, 2)
    assert [timezone.localtime(each).hour for each in (alarm.starts_at, alarm.ends_at)] == [18, 20]
    assert reports.relief(alarm) == ([[Der.objects.get(external_id="EV").pk, 8, 6]], 2)
    client = client_of(world.user("edc", "administrator"))
    page = client.get(f"{BASE}{alarm.uuid}/")
    shown = page.context["series"]
    assert shown["labels"] == ["forecast", "P90 of the forecast", "rating"] and shown["rows"][18][1:] == (24, 27, 25)
    facts = {row[0]: row for row in page.context["facts"][0][1]}
    held, likeliest = facts["P90 of the forecast's peak"], facts["Likeliest peak of the forecast"]
    assert (held[1], likeliest[1]) == (27, 24) and "108.0 %" in held[3] and "96.0 %" in likeliest[3]
    assert ("P90 of the forecast's peak", 27, "kW") in client.get(f"{BASE}{alarm.uuid}/benefit/").context["measured"]


def test_measured_hours_have_no_margin(feeder):
    """What was drawn up to seven in the evening was 24 kW, and is not above the rating; the hour after may be."""
    until = networks.midnight() + timedelta(hours=19)
    errors = {"low_error_kw": [-3.0], "high_error_kw": [1.0], "known_until": until}
    (facts,) = reports.overloaded(forecast(feeder, [20.0] * 18 + [24, 24] + [20.0] * 4, **errors))
    assert (facts["peak_kw"], facts["over_kwh"], facts["starts_at"]) == (27, 2, until)


def test_where_errors_are_not_known_the_likeliest_load_decides(feeder):
    """And where load was nearly always less than forecast, that is what P90 says."""
    unknown = forecast(feeder, day(26), low_error_kw=[None], high_error_kw=[None])
    assert [facts["peak_kw"] for facts in reports.overloaded(unknown)] == [26]
    assert not reports.overloaded(forecast(feeder, day(26), minutes_ago=5, low_error_kw=[1.5], high_error_kw=[4.0]))


def test_what_evs_do_not_cover_is_taken_from_other_charging(world, feeder):
    forecast(feeder, day(37))
    services.look()
    parts, covered = reports.relief(TransformerAlarm.objects.get())
    assert [part[1:] for part in parts] == [[8, 0], [8, 4]] and covered == 12


def test_what_cannot_be_evaluated(world, alarm):
    with pytest.raises(NotPermitted):
        services.evaluate(actor=world.user("edc2", "administrator"), alarm=alarm)
    with acting(None, REASON):
        Der.objects.filter(external_id__in=["EV", "BATTERY"]).update(approved_import_kw=0)
    with pytest.raises(UserError) as refused:
        services.evaluate(actor=world.user("edc", "administrator"), alarm=alarm)
    assert refused.value.code == "ALARM-NOTHING"


def test_the_benefit_is_what_its_formula_says(alarm):
    found = reports.benefit(alarm, reports.Inputs(cost_usd=10_000, growth_percent=3, discount_percent=5))
    years = math.log(25 / 22) / math.log(1.03)
    assert found.years == pytest.approx(years, abs=0.01) and found.shifted_kwh == 10
    assert found.avoided_usd == pytest.approx(10_000 * (1 - 1.05**-years), abs=0.01)
    assert (found.curtailable_kw, found.covered_kw) == (8, 5)
    alarm.parts, alarm.covered_kw = [[1, 2.0, 0.0]], 2.0
    assert reports.benefit(alarm, reports.Inputs()) == reports.Benefit(0, 4, 0, 2, 2)


def test_pages_and_api(world, alarm, client_of, api_of):
    client, api = client_of(world.user("edc", "administrator")), api_of(world.user("edc", "administrator"))
    assert b"T-9" in client.get(BASE).content
    shown = client.get(f"{BASE}{alarm.uuid}/").context["series"]
    assert [row[1:] for row in shown["rows"]] == [(kw, 25) for kw in day(30)] and shown["labels"] == ["forecast", "rating"]
    done = api.post(f"{API}{alarm.uuid}/transitions/evaluate/", {}, format="json", HTTP_IF_MATCH="*")
    assert done.json()["status"] == "evaluated" and b"EV" in client.get(f"{BASE}{alarm.uuid}/").content
    page = client.get(f"{BASE}{alarm.uuid}/benefit/?growth_percent=1")
    assert page.status_code == 200 and b"cost of capital" in page.content
    assert client.get(f"{BASE}{alarm.uuid}/benefit/?growth_percent=x").status_code == 200
    told = api.get(f"{API}{alarm.uuid}/benefit/?cost_usd=5000").json()
    assert told["inputs"]["cost_usd"] == 5000 and len(told["formulas"]) == 3
    assert client_of(world.user("aggregator", "administrator")).get(f"{BASE}{alarm.uuid}/").status_code == 404


def test_charging_is_curtailed_once_its_set_is_in_force(world, alarm, client_of):
    """O4: not while the envelopes are computed or wait, nor once they were withdrawn."""
    actor, page = world.user("edc", "administrator"), f"{BASE}{alarm.uuid}/"
    with acting(None, REASON):
        EnvelopePolicy.objects.update(auto_publish=False)
    services.evaluate(actor=actor, alarm=alarm)
    alarm.refresh_from_db()
    assert alarm.get_status_display() == "Evaluated" and not alarm.is_curtailed
    computing.carry_out(alarm.run, lambda *args: None)
    assert not alarm.is_curtailed and curtailed(client_of(actor).get(page)) is False
    alarm.run.refresh_from_db()
    assert taken_off(client_of(actor), page) == [5, 0, 5, 0]
    life.publish(actor=actor, run=alarm.run)
    assert taken_off(client_of(actor), page) == [5, 5, 5, 5]
    assert alarm.is_curtailed and curtailed(client_of(actor).get(page)) is True
    alarm.run.refresh_from_db()
    life.hold(actor=actor, run=alarm.run, reason="A crew is out")
    assert not alarm.is_curtailed


def curtailed(response) -> bool:
    ((_, rows),) = response.context["facts"]
    return next(row[1] for row in rows if row[0] == "Charging is curtailed")


def taken_off(client, page: str) -> list[float]:
    """What can be and what is taken off, as the alarm's page and its benefit say."""
    ((_, rows),) = client.get(page).context["facts"]
    measured = client.get(f"{page}benefit/").context["measured"]
    names = ("Can be taken off the peak", "Is taken off")
    return [next(row[1] for row in each if row[0].startswith(name)) for each in (rows, measured) for name in names]
