"""Rule rows that bind how room is shared, by regulator and date; and weights of retail programs. O4, N13."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils import timezone

from moc.history import acting
from moc.rulesets.kinds import METHODS
from moc.rulesets.models import RuleSet
from operations.envelopes.models import EnvelopePoint, EnvelopePolicy, EnvelopeRun
from operations.envelopes.services import computing, life, reacting, ruled, ruling
from operations.network.services import building
from operations.outages.models import LogEntry
from operations.outages.services import registered
from registry.ders.models import Der
from tests.factories.filings import store_in
from tests.factories.networks import current, der, midnight, ordered, points_of, rows
from tests.factories.world import REASON

pytestmark = pytest.mark.django_db


@pytest.fixture
def feeder(world, settings, tmp_path):
    """A feeder with a DER at its third and its sixth point, on one phase, shared proportionally by the utility's own policy."""
    store_in(settings, tmp_path)
    settings.VAR_DIR = tmp_path
    building._cached.cache_clear(), computing._machine.cache_clear()
    feeder, points = world.feeders["edc"][0], points_of(world.feeders["edc"][0])[:6]
    with acting(None, REASON):
        EnvelopePolicy.objects.create(edc=world.edc, method="proportional", robust=False, auto_publish=True)
        for point, name in ((points[2], "NEAR"), (points[5], "FAR")):
            der(world, point, external_id=name)
    current(world, feeder, rows(points, metres=60))
    return feeder


def row(key: str, value, *, authority: str = "rerra", starts=None) -> RuleSet:
    during = DateRange(starts or timezone.localdate() - timedelta(days=9), None)
    with acting(None, REASON):
        made = RuleSet(key=key, authority=authority, value=value, valid_during=during, source="Docket 1")
        made.full_clean()
        made.save()
        return made


def values(world, feeder, day: int = 1) -> dict:
    return life.values_for(feeder, midnight(day))


def exports(run: EnvelopeRun) -> dict[str, float]:
    """The export limit of each DER in the first interval."""
    life.publish(actor=None, run=run)
    points = EnvelopePoint.objects.select_related("der")
    return {each.der.external_id: life.reports.limits_of([each])[each.pk][0].max_kw[0] for each in points}


def test_without_a_row_and_by_a_row_that_says_nothing_the_utilitys_policy_holds(world, feeder):
    own = values(world, feeder)
    assert own["method"] == "proportional" and "ruled" not in own
    row("envelope_method", "none")
    row("envelope_weights", {"NEM": 3})  # weights are of the method weighted only
    row("envelope_method", "equal", authority="rerra2")
    assert values(world, feeder) == own


def test_a_row_binds_its_regulators_utilities_from_its_day_on(world, feeder):
    """O4, N13: a set of the day before keeps the utility's own; the RTO's row goes before the regulator's; a row of all comes last."""
    row("envelope_method", "equal", starts=timezone.localdate() + timedelta(days=2))
    assert [values(world, feeder, day).get("ruled") for day in (1, 2)] == [None, {"method": "rerra"}]
    row("envelope_method", "maximum", authority="")
    assert [values(world, feeder, day)["method"] for day in (1, 2)] == ["maximum", "equal"]
    other = life.values_for(world.feeders["edc2"][0], midnight(2))
    assert (other["method"], other["ruled"]) == ("maximum", {"method": ""})


def test_a_new_row_is_followed_and_the_run_says_whose_policy_it_is(world, feeder, client_of):
    """O4: what was ordered by the utility's own policy is ordered anew, once, and only where the row holds by then."""
    first = ordered(world, feeder, hours=2)
    page = client_of(world.user("edc", "viewer")).get(f"/operations/envelopes/runs/{first.uuid}/").content.decode()
    assert "the utility&#x27;s own" in page or "the utility's own" in page
    assert reacting.react() == []
    changed = row("envelope_method", "equal", starts=timezone.localdate() + timedelta(days=5))
    assert reacting.react() == []
    with acting(None, REASON):
        RuleSet.objects.filter(pk=changed.pk).update(valid_during=DateRange(timezone.localdate() + timedelta(days=1), None))
    (run,) = reacting.react()
    assert run.policy["method"] == "equal" and run.policy["ruled"] == {"method": "rerra"} and reacting.react() == []
    page = client_of(world.user("edc", "viewer")).get(f"/operations/envelopes/runs/{run.uuid}/").content.decode()
    assert "regulator" in page and "rule row envelope_method (Rerra of the tests)" in page


def test_weights_of_programs_move_room_to_their_ders(world, feeder, client_of):
    """O4: where room is shared by weight, the DER of a program with a greater weight gets more, the other less; else nothing changes."""
    with acting(None, REASON):
        EnvelopePolicy.objects.update(method="weighted")
        Der.objects.filter(external_id="FAR").update(retail_programs=["OTHER", "NEM"])
    before = exports(ordered(world, feeder, hours=1))
    row("envelope_weights", {"NEM": 3, "OTHER": 0.5})
    run = ordered(world, feeder, hours=1)
    assert run.policy["weights"] == {"NEM": 3, "OTHER": 0.5} and run.policy["ruled"] == {"weights": "rerra"}
    assert ruled.whose(run.policy, "weights").endswith("envelope_weights (Rerra of the tests)") and not ruled.whose(run.policy, "method")
    page = client_of(world.user("edc", "administrator")).get(f"/operations/envelopes/runs/{run.uuid}/").content.decode()
    assert "shares by what each can do, times the weight of its programs" in page and "NEM" in page
    after = exports(run)
    assert before["FAR"] < 10 and after["FAR"] > before["FAR"] + 0.5 and after["NEAR"] < before["NEAR"] - 0.5


def test_a_rule_row_is_an_act_of_each_utility_that_it_binds(world, feeder, monkeypatch, django_assert_num_queries):
    """O5: its value and days before and after; another regulator's row binds nobody here, and a row told once is not told again."""
    monkeypatch.setattr(registered, "horizon", lambda: 1 << 62)
    row("readback_days", 30)
    with django_assert_num_queries(2):
        assert ruling.look() == 0
    first = row("envelope_method", "equal")
    row("envelope_method", "maximum", authority="rerra2")
    assert ruling.look() == 1 and ruling.look() == 0
    entry = LogEntry.objects.get()
    assert (entry.act, entry.edc, entry.before, entry.reason) == ("rule_change", world.edc, {}, "Docket 1")
    assert entry.after["value"] == "equal" and entry.after["in_force"].endswith("to further notice")
    with acting(None, REASON):
        RuleSet.objects.filter(pk=first.pk).update(valid_during=DateRange(first.valid_during.lower, timezone.localdate()))
        RuleSet.objects.filter(pk=first.pk).update(verified=True)
    row("envelope_method", "group", starts=timezone.localdate())
    assert ruling.look() == 2
    ended, begun = LogEntry.objects.order_by("pk")[1:]
    assert ended.before == entry.after and begun.before == ended.after
    assert ended.after["in_force"].endswith(f"to {timezone.localdate()}") and begun.after["value"] == "group"


@pytest.mark.parametrize(("key", "value"), [("envelope_method", "fair"), ("envelope_weights", {"NEM": 0}), ("envelope_weights", {})])
def test_a_row_of_another_type_is_refused(db, key, value):
    with pytest.raises(ValidationError, match=key):
        row(key, value)


def test_the_law_knows_every_method(db):
    assert set(EnvelopePolicy.Method.values) == METHODS
