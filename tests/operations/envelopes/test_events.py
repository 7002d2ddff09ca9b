"""What events and outages change: O3, O4, O5. Only what they touch is computed anew; whom it concerns is told; the log keeps both."""

from datetime import timedelta

import numpy as np
import pytest

from moc.errors import UserError
from moc.history import acting
from moc.notices.models import Notice
from moc.portal.versions import version_of
from operations.envelopes import reports
from operations.envelopes.models import EnvelopePoint, EnvelopePolicy, EnvelopeReceipt, EnvelopeRun
from operations.envelopes.reasons import NO_SUPPLY, Reason, sentence
from operations.envelopes.services import computing, life, reacting, situation
from operations.network.services import building
from operations.outages.models import GridEvent, LogEntry
from operations.outages.services import ders, events
from registry.grid.models import Transformer
from tests.factories.filings import store_in
from tests.factories.networks import current, der, midnight, ordered, points_of, rows
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
    limits = reports.limits_of([point])[point.pk][0]
    assert reports.situation_of(run) == "line.l1 open"
    assert {each["why"] for each in reports.explained(limits)} == {sentence(Reason(NO_SUPPLY, 1))}
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


def test_what_is_planned_takes_its_own_intervals(world, feeder):
    """O3, O4: ahead, with the network as it is then; moved, begun or cancelled it computes anew what it touched, and nothing else."""
    before, first = export("FAR"), midnight(1)
    actor, hour = world.user("edc", "administrator"), timedelta(hours=1)
    other = world.feeders["edc"][1]
    current(world, other)
    ordered(world, other, hours=2)
    at = {"starts_at": first + 1.2 * hour, "expected_until": first + 1.7 * hour}
    event = happens(world, feeder=feeder, element="line.l1", **at)
    (run,) = carried_out()
    assert run.feeder == feeder and export("FAR") == [before[0], 0.0]
    assert reports.situation_of(run).endswith("02:00: line.l1 open") and reacting.react() == []
    (limits,) = reports.limits_of([EnvelopePoint.objects.get(der__external_id="FAR")]).values()
    assert [each["why"] == sentence(Reason(NO_SUPPLY, 1)) for each in reports.explained(limits[0])][:2] == [
        False,
        True,
    ]
    events.reschedule(actor=actor, event=event, starts_at=first + 0.2 * hour, expected_until=first + 0.4 * hour, reason="Crew is early")
    (run,) = carried_out()
    assert export("FAR") == [0.0, before[1]]
    entry = LogEntry.objects.get(act="event_reschedule")
    assert entry.before["starts_at"] != entry.after["starts_at"] == event.starts_at.isoformat()
    events.move(actor=actor, event=event, name="cancel", reason="Rain")
    (run,) = carried_out()
    assert export("FAR") == before and (run.situation, run.feeder) == ({}, feeder)


def test_an_event_that_outlasts_its_end_counts_until_it_is_restored(world, feeder):
    """O3: what is expected to be over frees the intervals after; what should have been over by now frees none."""
    version, actor = feeder.networks.get(), world.user("edc", "administrator")
    window = {"since": midnight(1), "until": midnight(1) + timedelta(hours=2), "step": timedelta(hours=1)}
    event = happens(world, feeder=feeder, expected_until=midnight(1) + timedelta(minutes=30))
    assert [said for _, said in situation.of(version, **window)["spans"]] == [{"dark": ["*"]}, {}]
    with acting(None, REASON):
        GridEvent.objects.filter(pk=event.pk).update(starts_at=moment(60), expected_until=moment(5))
    assert situation.of(version, **window) == {"dark": ["*"], "events": [event.pk]}
    event.refresh_from_db()
    for said in ({"starts_at": midnight(1)}, {"expected_until": moment(1)}):
        times = {"starts_at": event.starts_at, "expected_until": None} | said
        with pytest.raises(UserError) as refused:
            events.reschedule(actor=actor, event=event, reason="Longer", **times)
        assert refused.value.code == "EVENT-TIME"
    events.move(actor=actor, event=event, name="restore")
    with pytest.raises(UserError) as refused:
        events.reschedule(actor=actor, event=event, starts_at=event.starts_at, expected_until=None, reason="Longer")
    assert refused.value.code == "EVENT-OVER" and situation.of(version, **window) == {}


def test_a_planned_outage_of_a_der_is_its_neighbours_room_then(world, feeder):
    """M8, O4: not before, and not after."""
    one, before = EnvelopePoint.objects.get(der__external_id="NEAR").der, (export("NEAR"), export("FAR"))
    said = {"starts_at": midnight(1), "expected_until": midnight(1) + timedelta(minutes=50)}
    told = ders.Told(der=str(one.uuid), kind="outage", cause="planned", reason="New inverter", **said)
    ders.report(actor=world.user("aggregator", "filer"), rows=[told])
    (run,) = carried_out()
    assert export("NEAR") == [0.0, before[0][1]] and export("FAR")[0] > before[1][0] and export("FAR")[1] == before[1][1]
    assert run.topology_hash == run.network.topology_hash, "no other network, so no other factors"


def test_operating_limits_of_a_feeder_compute_its_envelopes_anew(world, feeder):
    """O4: a policy with other limits is followed as an event is, on its feeders only; the same policy again is no news."""
    before, other = sum(export("FAR")), world.feeders["edc"][1]
    current(world, other)
    ordered(world, other, hours=2)
    assert reacting.react() == []
    with acting(None, REASON):
        own = EnvelopePolicy.objects.create(edc=world.edc, feeder=feeder, method="proportional", robust=False, auto_publish=True)
    assert reacting.react() == []
    with acting(None, REASON):
        EnvelopePolicy.objects.filter(pk=own.pk).update(v_max_pu="1.02")
    (run,) = carried_out()
    assert run.feeder == feeder and sum(export("FAR")) < before and reacting.react() == []


def test_other_times_by_form_and_by_program(world, feeder, client_of, api_of):
    """O3: who told an event gives it other times; a wrong one names its remedy."""
    actor, event = world.user("edc", "administrator"), happens(world, feeder=feeder, starts_at=midnight(2))
    client, page = client_of(actor), f"/operations/outages/events/{event.uuid}/"
    assert b"Other times" in client.get(page).content
    given = {"starts_at": f"{midnight(3):%Y-%m-%dT%H:%M}", "expected_until": "", "reason": "Crew", "opened_version": version_of(event)}
    assert client.post(f"{page}times/", given).status_code == 302
    event.refresh_from_db()
    assert (event.starts_at, event.expected_until) == (midnight(3), None)
    given = {"starts_at": midnight(3).isoformat(), "expected_until": midnight(2).isoformat(), "reason": "Crew"}
    url = f"/api/v1/operations/grid-events/{event.uuid}/reschedule/"
    refused = api_of(actor).post(url, given, format="json", HTTP_IF_MATCH="*")
    assert (refused.status_code, refused.json()["code"]) == (422, "EVENT-TIME")
    taken = api_of(actor).post(url, given | {"expected_until": midnight(4).isoformat()}, format="json", HTTP_IF_MATCH="*")
    assert taken.status_code == 200 and event.log.filter(act="event_reschedule").count() == 2
