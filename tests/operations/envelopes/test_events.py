"""What events and outages change: O3, O4, O5. Only what they touch is computed anew; whom it concerns is told; the log keeps both."""

import numpy as np
import pytest

from moc.history import acting
from moc.notices.models import Notice
from operations.envelopes import reports
from operations.envelopes.models import EnvelopePoint, EnvelopePolicy, EnvelopeReceipt, EnvelopeRun
from operations.envelopes.services import computing, life, reacting, situation
from operations.network.services import building
from operations.outages.models import GridEvent, LogEntry
from operations.outages.services import ders, events
from registry.grid.models import Transformer
from tests.factories.filings import store_in
from tests.factories.networks import current, der, ordered, points_of, rows
from tests.factories.readings import moment
from tests.factories.world import REASON

pytestmark = pytest.mark.django_db


@pytest.fixture
def feeder(world, settings, tmp_path):
    """A feeder of four points with DERs at the first and the last, another aggregator's, on one phase; tomorrow's set published."""
    store_in(settings, tmp_path)
    settings.VAR_DIR = tmp_path
    building._cached.cache_clear()
    computing._machine.cache_clear()
    feeder = world.feeders["edc"][0]
    points = points_of(feeder)[:4]
    with acting(None, REASON):
        EnvelopePolicy.objects.create(edc=world.edc, method="proportional", robust=False, auto_publish=True)
        der(world, points[0], external_id="NEAR")
        der(world, points[-1], external_id="FAR", aggregator=world.aggregator2)
    current(world, feeder, rows(points, metres=60))
    life.publish(actor=None, run=ordered(world, feeder, hours=2))
    return feeder


def happens(world, **said) -> GridEvent:
    given = {"kind": "outage", "starts_at": moment(5), "reason": "A tree fell"} | said
    return events.report(actor=world.user("edc", "administrator"), event=GridEvent(**given))


def carried_out() -> list[EnvelopeRun]:
    """What the worker does after an act: order, compute, publish."""
    runs = reacting.react()
    for run in runs:
        computing.carry_out(run, lambda *args: None)
        run.refresh_from_db()
        reacting.publish_or_tell(run)
        run.refresh_from_db()
    return runs


def export(name: str) -> list[float]:
    point = EnvelopePoint.objects.get(der__external_id=name)
    return reports.limits_of([point])[point.pk][0].max_kw


def test_an_open_line_takes_its_points_out_and_only_its_feeder_is_computed(world, feeder):
    before, other = export("NEAR"), world.feeders["edc"][1]
    current(world, other)
    untouched = ordered(world, other, hours=2)
    happens(world, feeder=feeder, element="line.l1")
    (run,) = carried_out()
    assert (run.feeder, run.status, run.number) == (feeder, "published", 2) and run.topology_hash != run.network.topology_hash
    assert set(export("FAR")) == {0.0} and np.mean(export("NEAR")) >= np.mean(before)
    point = EnvelopePoint.objects.get(der__external_id="FAR")
    (limits,) = reports.limits_of([point])[point.pk]
    assert reports.situation_of(run) == "line.l1 open"
    assert {each["why"] for each in reports.explained(limits)} == {reports.sentence(limits, (reports.NO_SUPPLY, 1))}
    assert reacting.react() == [] and EnvelopeRun.objects.filter(feeder=other).get() == untouched
    assert set(EnvelopeReceipt.objects.filter(run=run).values_list("aggregator", flat=True)) >= {world.aggregator2.pk}
    entry = LogEntry.objects.filter(act="envelopes_publish").latest("pk")
    assert entry.event and (entry.before["set"], entry.after["set"]) == (1, 2)
    assert entry.before["export_kw"] != entry.after["export_kw"]


def test_restored_the_window_is_as_it_was(world, feeder):
    before = export("FAR")
    event = happens(world, feeder=feeder)
    carried_out()
    assert set(export("NEAR")) == set(export("FAR")) == {0.0}
    events.move(actor=world.user("edc", "administrator"), event=event, name="restore")
    (run,) = carried_out()
    assert run.situation == {} and export("FAR") == before and run.number == 3


def test_derates_scale_ratings_and_a_transformer_is_found_in_the_network(world, feeder):
    """A smaller rating raises no limit under proportional allocation."""
    version, before = feeder.networks.get(), np.array(export("FAR"))
    happens(world, kind="derate", capacity_percent=5, feeder=feeder, element="line.l3")
    assert situation.of(version)["percent"] == {"line.l3": 5}
    carried_out()
    assert (np.array(export("FAR")) <= before + 0.1).all() and sum(export("FAR")) < before.sum()
    with acting(None, REASON):
        service = Transformer.objects.create(edc=world.edc, feeder=feeder, code="T-77")
        feeder.service_points.update(transformer=service)
    happens(world, kind="derate", capacity_percent=50, transformer=service)
    assert situation.of(version)["percent"] == {"line.l3": 5, "transformer.service": 50}
    happens(world, transformer=service)
    assert situation.of(version)["dark"] == [0, 1, 2, 3]


def test_switching_closes_what_was_open(world, feeder):
    """The same element twice is as it was; the derate of an interface leaves its feeders as they are."""
    version = feeder.networks.get()
    model = building.feeder_of(version)
    opened, kept = situation.changed(model, {"switched": ["line.l1"]})
    again, _ = situation.changed(opened, {"switched": ["line.l1"]})
    assert not kept.all() and (again.in_service == model.in_service).all()
    interface = feeder.substation.td_interface
    happens(world, kind="derate", capacity_percent=40, td_interface=interface)
    assert situation.of(version) == {} and reacting.react() == []
    happens(world, td_interface=interface)
    assert situation.of(version)["dark"] == ["*"]


def test_the_room_of_a_der_that_is_out_is_its_neighbours(world, feeder):
    one = EnvelopePoint.objects.get(der__external_id="NEAR").der
    before = sum(export("FAR"))
    told = ders.Told(der=str(one.uuid), kind="outage", cause="forced", starts_at=moment(5), reason="Inverter failed")
    (outage,) = ders.report(actor=world.user("aggregator", "filer"), rows=[told]).taken
    carried_out()
    assert set(export("NEAR")) == {0.0} and sum(export("FAR")) > before
    ders.move(actor=world.user("aggregator", "filer"), outage=outage, name="end")
    carried_out()
    assert sum(export("FAR")) == pytest.approx(before)


def test_an_operators_word_stands_and_without_publication_people_are_told(world, feeder):
    """A held set is not replaced; where sets are not published by themselves, the utility learns that one waits."""
    first = EnvelopeRun.objects.get()
    with acting(None, REASON):
        EnvelopePolicy.objects.update(auto_publish=False)
    happens(world, feeder=feeder, element="line.l1")
    (run,) = carried_out()
    assert run.status == "evaluated" and export("FAR") != [0.0, 0.0]
    assert Notice.objects.filter(user=world.user("edc", "administrator"), event="envelopes_waiting").count() == 1
    life.publish(actor=world.user("edc", "administrator"), run=run)
    run.refresh_from_db()
    life.hold(actor=world.user("edc", "administrator"), run=run, reason="Line work")
    happens(world, feeder=feeder)
    assert reacting.react() == [] and first.pk != run.pk
