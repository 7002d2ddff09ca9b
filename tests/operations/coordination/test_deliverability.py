"""Interfaces live, their limits, and what can be delivered through them: O1, O4, O5."""

import json
from datetime import datetime, timedelta

import numpy as np
import pytest
from asgiref.sync import async_to_sync
from django.utils import timezone

from moc import sight
from moc.access import policy
from moc.access.policy import NotPermitted
from moc.demo import happenings, readings
from moc.errors import UserError
from moc.history import acting
from moc.jobs.models import Job
from moc.notices.models import Notice
from moc.portal.versions import version_of
from operations.coordination import reports, tasks, views
from operations.coordination.engine.program import Answer
from operations.coordination.models import DeliverabilityRun, InterfaceResult, LineEvent, MonitoredLine
from operations.coordination.services import deliverability, limits, line_events, ordering
from operations.envelopes.models import EnvelopePolicy
from operations.envelopes.services import computing, life
from operations.network.services import building
from operations.outages.models import GridEvent, LogEntry
from operations.outages.services import events
from operations.responses.models import OutageResponse
from operations.telemetry.services import taking_in
from registry.ders.models import Der
from tests.factories.filings import store_in
from tests.factories.networks import current, der, midnight, ordered, points_of, rows
from tests.factories.readings import moment, reading, sent
from tests.factories.world import REASON
from tests.registry.aggregations.making import filed, made

pytestmark = pytest.mark.django_db
API, BASE = "/api/v1/operations/", "/operations/interfaces/"


@pytest.fixture
def feeder(world, settings, tmp_path):
    """A feeder with two DERs of 10 kW, tomorrow's set published, and its interface at 900 kW towards distribution."""
    store_in(settings, tmp_path)
    settings.VAR_DIR = tmp_path
    building._cached.cache_clear()
    computing._machine.cache_clear()
    taking_in.prepare()
    feeder = world.feeders["edc"][0]
    points = points_of(feeder)
    with acting(None, REASON):
        EnvelopePolicy.objects.create(edc=world.edc, method="proportional", robust=False)
        one, _ = (der(world, point, external_id=f"I-{n}") for n, point in enumerate(points[:2]))
    current(world, feeder, rows(points))
    life.publish(actor=None, run=ordered(world, feeder, hours=2))
    code = feeder.substation.td_interface.code
    flow = {"td_interface": code, "edc": world.edc.slug, "at": moment().isoformat(), "p_kw": -900}
    sent(world.user("edc", "administrator"), reading(one, p_kw=3, up_kw=4, down_kw=2), flow)
    return feeder


@pytest.fixture
def interface(feeder):
    return feeder.substation.td_interface


def limit(world, interface, import_kw: float = 1000, export_kw: float = 500):
    actor = world.user("edc", "administrator")
    return limits.set_limit(actor=actor, interface=interface, import_kw=import_kw, export_kw=export_kw, source="Study")


def line_of(world, interface, code: str = "L-1") -> MonitoredLine:
    """A line that carries half of what the interface injects, with room for 4 kW more."""
    said = {"code": code, "flow_kw": 96, "limit_kw": 100, "factors": {f"edc/{interface.code}": 0.5}}
    return limits.set_line(actor=world.user("tso", "administrator"), tso=world.tso, **said)


def computed(world, **said):
    run = ordering.order(actor=world.user("tso", "administrator"), tso=world.tso, at=midnight(1), **said)
    deliverability.carry_out(run, lambda *args: None)
    run.refresh_from_db()
    return run


def test_flow_limits_headroom_and_what_is_behind(world, interface):
    limit(world, interface)
    state = reports.state_of([interface.pk])[interface.pk]
    assert (state["flow_kw"], state["low_kw"], state["high_kw"]) == (-900, -1000, 500)
    assert (state["room_up_kw"], state["room_down_kw"], state["up_kw"], state["down_kw"]) == (1400, 100, 4, 2)
    event = GridEvent(kind="derate", capacity_percent=95, td_interface=interface, starts_at=moment(5), reason="Line 1")
    events.report(actor=world.user("edc", "administrator"), event=event)
    assert reports.state_of([interface.pk])[interface.pk]["room_down_kw"] == 50
    times = {"starts_at": event.starts_at, "expected_until": midnight(1)}
    events.reschedule(actor=world.user("edc", "administrator"), event=event, reason="Until tonight", **times)
    of = {at: reports.bounds_at([interface.pk], at)[interface.pk] for at in (timezone.now(), midnight(1))}
    assert list(of.values()) == [(-950, 475), (-1000, 500)], "at a moment counts what holds then"


def test_limits_are_set_by_both_sides_and_logged(world, interface, client_of, api_of):
    limit(world, interface)
    body = {"edc": "edc", "td_interface": interface.code, "import_kw": 800, "export_kw": 1, "source": "Outage"}
    told = api_of(world.user("tso", "administrator")).post(f"{API}interface-limits/", body, format="json")
    assert (told.status_code, told.json()["import_kw"]) == (201, 800)
    entries = LogEntry.objects.filter(act="interface_limit").order_by("pk")
    assert [(each.before, each.after["import_kw"]) for each in entries][1] == ({"import_kw": 1000.0, "export_kw": 500.0}, 800)
    with pytest.raises(NotPermitted):
        limits.set_limit(actor=world.user("tso2", "administrator"), interface=interface, import_kw=1, export_kw=1, source="Not mine")
    page = client_of(world.user("edc", "administrator")).post(
        f"{BASE}{interface.pk}/limit/", {"import_kw": 5, "export_kw": 5, "source": "S"}
    )
    assert page.status_code == 302 and interface.limit.history.count() == 3


def test_another_limit_is_followed_at_once(world, interface):
    """O1: what can be delivered is ordered anew; two changes before it begins are one run."""
    for kw in (1000, 900):
        limit(world, interface, import_kw=kw)
    followed = Job.objects.filter(task=limits.FOLLOWS).order_by("pk")
    for job in followed:
        tasks.follow(job.pk)
    assert [each.outcome for each in followed.all()] == [{"ordered": True}, {"ordered": False}]
    run = DeliverabilityRun.objects.get()
    deliverability.carry_out(run, lambda *args: None)
    run.job.status = Job.Status.DONE
    run.job.save()
    assert run.created_by is None and InterfaceResult.objects.get(run=run).low_kw == -900
    assert ordering.follow(world.tso) is not None


def test_all_that_is_capable_is_deliverable_where_nothing_binds(world, interface):
    run = computed(world)
    result = InterfaceResult.objects.get(run=run, td_interface=interface)
    assert run.status == "done" and result.capable_up_kw > 0 and result.capable_down_kw > 0
    assert (result.deliverable_up_kw, result.deliverable_down_kw) == pytest.approx((result.capable_up_kw, result.capable_down_kw), abs=0.2)
    assert (result.derate_up_kw, result.value_up, run.lines) == (0, 0, [])


def test_events_and_new_envelopes_are_followed(world, interface):
    """O1, O3: each hour one run, and another where something changed since; not more often than every few minutes."""
    limit(world, interface)
    now = timezone.now()
    first = DeliverabilityRun.objects.filter(pk__in=[each.pk for each in ordering.due(now)])
    assert first.get().at.minute == 0 and not ordering.due(now)
    event = GridEvent(kind="derate", capacity_percent=95, td_interface=interface, starts_at=moment(1), reason="Line 1")
    events.report(actor=world.user("edc", "administrator"), event=event)
    assert not ordering.due(now)  # the last run is seconds old
    with acting(None, REASON):
        first.update(created_at=now - ordering.LEAST)
    assert [each.at for each in ordering.due(now)] == [now] and not ordering.due(now)
    later = now + 3 * ordering.LEAST
    assert not [each for each in ordering.due(later) if each.at.minute]  # nothing else changed: at most the next hour's


def test_only_moments_of_which_there_may_be_envelopes(world):
    with pytest.raises(UserError) as refused:
        ordering.order(actor=world.user("tso", "administrator"), tso=world.tso, at=midnight(400))
    assert refused.value.code == "DELIVER-AT"


def test_limits_and_lines_bind_with_their_value(world, feeder, interface, client_of):
    limit(world, interface, import_kw=905)
    limits.set_line(
        actor=world.user("tso", "administrator"),
        tso=world.tso,
        code="L-1",
        flow_kw=96,
        limit_kw=100,
        factors={f"edc/{interface.code}": 0.5},
    )
    run = computed(world)
    result = InterfaceResult.objects.get(run=run, td_interface=interface)
    assert result.deliverable_down_kw == pytest.approx(5) and result.value_down == pytest.approx(1)
    assert result.deliverable_up_kw == pytest.approx(8) and run.lines == [["L-1", "up", 4.0, 2.0]]
    page = client_of(world.user("tso", "viewer")).get(f"{BASE}deliverability/{run.uuid}/").content.decode()
    assert "By feeder" in page and f'<th scope="row">{feeder.code}</th>' in page
    for flow, limit_kw in ((80, 100), (80, 90)):  # another flow is a measurement, another limit an act
        said = {"tso": world.tso, "code": "L-1", "flow_kw": flow, "limit_kw": limit_kw, "factors": {f"edc/{interface.code}": 0.5}}
        limits.set_line(actor=world.user("tso", "administrator"), **said)
    first, second = LogEntry.objects.filter(act="line_limit").order_by("pk")
    assert first.before == {} and second.before == first.after == {"limit_kw": 100, f"edc/{interface.code}": 0.5}
    assert (second.after["limit_kw"], second.tso, second.edc) == (90, world.tso, None)
    with pytest.raises(UserError):
        limits.set_line(actor=world.user("tso", "administrator"), tso=world.tso, code="L", flow_kw=0, limit_kw=1, factors={"edc/none": 1})


def test_what_is_left_of_a_line_is_on_the_side_to_which_it_is_moved():
    """O4: delivering more relieves this line first, and loads it the other way; one over its limit has less than nothing left."""
    line, over = (MonitoredLine(code="L", flow_kw=60, limit_kw=limit_kw) for limit_kw in (100, 50))
    nothing, value = np.zeros(0), np.ones(1)
    for way, kw, of, left in (("up", -160, line, 160), ("up", 40, line, 40), ("down", 160, line, 160), ("up", 0, over, -10)):
        answer = Answer(nothing, nothing, nothing, np.array([float(kw)]), value, 0.0)
        assert deliverability._binding(way, [of], answer) == [["L", way, left, 1]]


def test_what_the_power_flow_does_not_bear_is_a_derate(world, interface, monkeypatch):
    """Half of what was assigned stands: the rest is taken away and logged."""
    monkeypatch.setattr(deliverability.Case, "safe", lambda case, push: push.sum(0) <= 0.6 * case.room.sum(0))
    monkeypatch.setattr(deliverability, "_capable", lambda each, way: 20.0 if way == "up" else 0.0)
    result = InterfaceResult.objects.get(run=computed(world), td_interface=interface)
    assert (result.deliverable_up_kw, result.derate_up_kw) == (10, 10)
    entry = LogEntry.objects.get(act="deliverability_derate")
    assert (entry.before["up"], entry.after["up"], entry.tso) == (20, 10, world.tso)


def test_pages_stream_history_and_export(world, interface, client_of):
    """The stream tells the state at once and again; readings are a list and a file; others see nothing."""
    limit(world, interface)
    computed(world)
    client = client_of(world.user("edc", "administrator"))
    page = client.get(f"{BASE}{interface.pk}/")
    assert page.status_code == 200 and b"data-moc-stream" in page.content and b"Deliverable at" in page.content
    stream = client.get(f"{BASE}{interface.pk}/stream/")
    assert stream["Content-Type"] == "text/event-stream"
    event = b"".join(stream.streaming_content).decode()
    assert json.loads(event.split("data: ")[1])["room_down_kw"] == 100 and "event: state" in event
    assert b"-900" in b"".join(client.get(f"{BASE}{interface.pk}/history/export.csv").streaming_content)
    assert client.get(BASE).status_code == client.get(f"{BASE}{interface.pk}/history/").status_code == 200
    assert client_of(world.user("edc2", "administrator")).get(f"{BASE}{interface.pk}/stream/").status_code == 404
    with sight.seeing(policy.sight_of(world.user("edc2", "administrator"))):
        assert not InterfaceResult.objects.exists()


def test_an_open_stream_sends_what_changed(monkeypatch):
    states = iter([b"one", b"two"])
    monkeypatch.setattr(views, "EVERY_S", 0)
    monkeypatch.setattr(views, "MOST", 3)
    monkeypatch.setattr(views, "_seen", lambda pk, seen: next(states, b"two"))

    async def read() -> list[bytes]:
        return [each async for each in views._stream(1, b"one", sight.NOTHING)]

    assert async_to_sync(read)() == [b"one", b": unchanged\n\n", b"two"]


def test_something_happens_in_the_demonstration(world, interface):
    """Told once: a battery is out and its aggregation derated; of the limits of the interface and of a line a derate leaves a part."""
    battery = Der.objects.filter(external_id="I-0")
    with acting(None, REASON):
        battery.update(der_type="storage", energy_capacity_kwh=20)
    filed(world, made(world, readings.NAME, ders=list(battery)))
    for _ in range(2):
        happenings.happenings({"JCPL": world.edc})
    assert MonitoredLine.objects.get().factors == {str(interface.pk): happenings.FACTOR}
    assert GridEvent.objects.get().tso == world.tso and OutageResponse.objects.get().lost_up_kw > 0
    assert reports.state_of([interface.pk])[interface.pk]["high_kw"] == happenings.EXPORT_KW * 0.8
    outage, derate = LineEvent.objects.order_by("pk")
    assert (outage.status, derate.status) == ("restored", "planned") and derate.touched.get(aggregator=world.aggregator).der_count == 2
    left = reports.lines_at(world.tso.pk, derate.starts_at)[0]
    assert reports.lines_at(world.tso.pk, timezone.now())[0].limit_kw == happenings.LINE_KW > left.limit_kw > left.flow_kw > 0


def up_and_down(world, interface) -> tuple[float, float]:
    result = InterfaceResult.objects.get(run=computed(world), td_interface=interface)
    return result.deliverable_up_kw, result.deliverable_down_kw


def test_a_line_that_is_out_carries_nothing_until_it_is_restored(world, interface):
    """O1, O3, O5: before, during and after an outage; whom it concerns is told, what changes is computed anew and logged."""
    operator, line = world.user("tso", "administrator"), line_of(world, interface)
    before = up_and_down(world, interface)
    assert before[0] == pytest.approx(8) and before[1] > 8
    Job.objects.all().update(status=Job.Status.DONE)
    event = LineEvent(line=line, kind="outage", starts_at=moment(5), reason="A tower fell")
    line_events.report(actor=operator, event=event)
    assert up_and_down(world, interface) == (0, 0)
    assert Job.objects.filter(task=limits.FOLLOWS, status=Job.Status.QUEUED).count() == 1
    rows = event.touched.order_by("pk").values_list("td_interface", "aggregator", "der_count", "edc")
    assert list(rows) == [(interface.pk, world.aggregator.pk, 2, world.edc.pk)]
    line_events.move(actor=operator, event=event, name="restore")
    assert up_and_down(world, interface) == before
    page = f"{BASE}lines/{event.uuid}/"
    for party, role, others in (("edc", "administrator", "edc2"), ("aggregator", "filer", "aggregator2")):
        subjects = Notice.objects.filter(user=world.user(party, role), url=page).order_by("pk").values_list("subject", flat=True)
        assert list(subjects) == ["Outage of line L-1: now", "Outage of line L-1: restored"]
        assert not Notice.objects.filter(user=world.user(others, role), url=page).exists()
    told, restored = LogEntry.objects.filter(act__startswith="line_event").order_by("pk")
    assert (told.act, told.edc, told.tso, told.actor) == ("line_event_told", world.edc, world.tso, operator)
    assert told.after == {"status": "active", "capacity_percent": 0, "ders": 2, "kw": 20.0, "interfaces": interface.code}
    assert (restored.before, restored.after["status"]) == ({"status": "active"}, "restored")


def test_a_line_without_ders_behind_it_concerns_its_utility(world):
    """O3: the interface is named though no aggregator has anything there."""
    line, operator = line_of(world, world.feeders["edc"][0].substation.td_interface), world.user("tso", "administrator")
    event = line_events.report(actor=operator, event=LineEvent(line=line, kind="outage", starts_at=moment(5), reason="A tower fell"))
    assert list(event.touched.values_list("edc", "aggregator", "der_count")) == [(world.edc.pk, None, 0)]
    told = Notice.objects.filter(event="grid_event").values_list("user__memberships__organization", flat=True)
    assert set(told) == {world.edc.pk}


def test_a_derate_of_a_line_holds_while_it_is_told_to(world, interface):
    """O1: a part of the limit is left, in the intervals that the event covers; a planned one counts from its beginning, and begins."""
    operator, line = world.user("tso", "administrator"), line_of(world, interface)
    said = {"line": line, "kind": "derate", "capacity_percent": 97, "reason": "Heat"}
    event = line_events.report(actor=operator, event=LineEvent(starts_at=midnight(1), expected_until=midnight(2), **said))
    limit_of = {day: reports.lines_at(world.tso.pk, midnight(day))[0].limit_kw for day in (0, 1, 2)}
    assert event.status == "planned" and limit_of == {0: 100, 1: 97, 2: 100}
    assert up_and_down(world, interface)[0] == pytest.approx(2)
    line_events.move(actor=operator, event=event, name="cancel", reason="Cooler than expected")
    assert up_and_down(world, interface)[0] == pytest.approx(8)
    planned = line_events.report(actor=operator, event=LineEvent(starts_at=moment(-60), **said))
    with acting(None, REASON):
        LineEvent.objects.filter(pk=planned.pk).update(starts_at=moment(9), expected_until=moment(3))
    assert (line_events.begin_due(), line_events.begin_due()) == (1, 0)
    assert reports.lines_at(world.tso.pk, midnight(1))[0].limit_kw == 97  # overdue: until it is restored


def test_an_rto_tells_of_its_lines_by_page_and_by_program(world, interface, client_of, api_of):
    """O3: by form and by API, with an error at the field; what is not one's own is not found."""
    operator, line = world.user("tso", "administrator"), line_of(world, interface)
    client, form = client_of(operator), {"line": line.pk, "kind": "derate", "starts_at": "2026-01-01T00:00", "reason": "Heat"}
    for wrong, sentence in (
        ({}, "A derate leaves between 1 and 99 % of the capacity"),
        ({"kind": "outage", "capacity_percent": 5}, "anything else none"),
        ({"capacity_percent": 50, "expected_until": "2025-12-31T00:00"}, "It ends after it begins."),
        ({"capacity_percent": 50, "line": 0}, "Choose one of the list"),
    ):
        assert sentence in client.post(f"{BASE}lines/new/", form | wrong).content.decode()
    page = client.post(f"{BASE}lines/new/", form | {"capacity_percent": 50})["Location"]
    assert "/transitions/restore/" in client.get(page).content.decode()
    seen = client_of(world.user("aggregator", "filer")).get(page).content.decode()
    assert "Derate of line L-1" in seen and "/transitions/restore/" not in seen
    assert b"Derate of line L-1" in client_of(world.user("edc", "administrator")).get(f"{BASE}{interface.pk}/").content
    assert b"L-1" in client_of(world.user("edc", "administrator")).get(f"{BASE}lines/").content
    for other in ("aggregator2", "edc2", "tso2"):
        assert client_of(world.user(other, "administrator")).get(page).status_code == 404
    body = {"tso": "tso", "line": "L-1", "kind": "outage", "starts_at": moment(-60).isoformat(), "reason": "Works"}
    assert api_of(world.user("tso2", "administrator")).post(f"{API}line-events/", body, format="json").status_code == 404
    api = api_of(operator)
    refused = api.post(f"{API}line-events/", body | {"capacity_percent": 5}, format="json")
    assert refused.status_code == 400 and "anything else none" in refused.content.decode()
    told = api.post(f"{API}line-events/", body, format="json")
    assert (told.status_code, told.json()["status"], told.json()["line"]) == (201, "planned", "L-1")
    moved = api.post(f"{API}line-events/{told.json()['id']}/transitions/cancel/", {"reason": "Put off"}, format="json", HTTP_IF_MATCH="*")
    assert moved.json()["status"] == "cancelled"
    assert client.post(f"{page}transitions/restore/", {"reason": "Cool"}).status_code == 302
    assert LineEvent.objects.get(kind="derate").status == "restored"


def test_an_rto_gives_an_event_of_its_line_other_times(world, interface):
    """O1, O3, O5: what is to come begins at another moment, what goes on ends at another; logged, told, and computed anew where asked."""
    operator, line = world.user("tso", "administrator"), line_of(world, interface)
    asked, sooner = computed(world), midnight(1)
    Job.objects.filter(pk=asked.job_id).update(status=Job.Status.DONE)
    ordering.order(actor=operator, tso=world.tso, at=sooner + timedelta(hours=1))  # has not begun: it will see the change
    event = LineEvent(line=line, kind="derate", capacity_percent=97, starts_at=midnight(2), expected_until=midnight(3), reason="Heat")
    line_events.report(actor=operator, event=event)
    assert DeliverabilityRun.objects.count() == 2, "it was asked of no moment that the event may cover"
    line_events.reschedule(actor=operator, event=event, starts_at=sooner, expected_until=None, reason="Sooner")
    anew = DeliverabilityRun.objects.filter(created_by=None).get()
    assert anew.at == asked.at and reports.lines_at(world.tso.pk, asked.at)[0].limit_kw == 97
    assert ordering.follow(world.tso).at <= timezone.now(), "what waits is of moments to come"
    entry = LogEntry.objects.get(act="line_event_reschedule")
    assert [datetime.fromisoformat(state["starts_at"]) for state in (entry.before, entry.after)] == [midnight(2), sooner]
    assert entry.before["expected_until"] and entry.after["expected_until"] is None and entry.reason == "Sooner"
    told = Notice.objects.filter(user=world.user("aggregator", "filer"), event="grid_event").order_by("-pk").first()
    assert told.subject == "Derate of line L-1: other times"


def test_other_times_of_a_line_event_by_page_and_by_program(world, interface, client_of, api_of):
    """O3: wrong ones name the rule; who did not tell it has no such page."""
    operator, line = world.user("tso", "administrator"), line_of(world, interface)
    event = LineEvent(line=line, kind="outage", starts_at=moment(9), reason="A tower fell")
    page = f"{BASE}lines/{line_events.report(actor=operator, event=event).uuid}/"
    given = {"starts_at": event.starts_at.isoformat(), "expected_until": midnight(2).isoformat(), "reason": "It takes longer"}
    client, api, url = client_of(operator), api_of(operator), f"{API}line-events/{event.uuid}/reschedule/"
    assert f"{page}times/" in client.get(page).content.decode()
    for stranger, status in (("edc", 403), ("tso2", 404)):
        user = world.user(stranger, "administrator")
        assert client_of(user).post(f"{page}times/", given | {"opened_version": version_of(event)}).status_code == 404
        assert api_of(user).post(url, given, format="json", HTTP_IF_MATCH="*").status_code == status
    for wrong in ({"starts_at": midnight(1).isoformat()}, {"expected_until": moment(1).isoformat()}):
        refused = api.post(url, given | wrong, format="json", HTTP_IF_MATCH="*")
        assert (refused.status_code, refused.json()["code"]) == (422, "EVENT-TIME")
    assert not LogEntry.objects.filter(act="line_event_reschedule").exists()
    assert api.post(url, given, format="json", HTTP_IF_MATCH="*").status_code == 200
    event.refresh_from_db()
    assert event.expected_until == midnight(2)
    assert client.post(f"{page}times/", given | {"expected_until": "", "opened_version": version_of(event)}).status_code == 302
    event.refresh_from_db()
    assert (event.status, event.expected_until) == ("active", None)
    line_events.move(actor=operator, event=event, name="restore")
    assert api.post(url, given, format="json", HTTP_IF_MATCH="*").json()["code"] == "EVENT-OVER"


@pytest.mark.parametrize(
    ("deliverable", "derate", "value", "held"),
    [(100, 0, 0, ""), (80, 20, 0, "the feeders' power flow"), (60, 0, 1, "this interface's limit"), (60, 10, 0, "a transmission line")],
)
def test_a_result_says_what_holds_the_rest(interface, deliverable, derate, value, held):
    """O2: whoever may not see an RTO's lines reads that one of them binds."""
    names = {f"{name}_{way}_kw": 0 for name in ("capable", "deliverable", "derate") for way in ("up", "down")}
    said = names | {"capable_up_kw": 100, "deliverable_up_kw": deliverable, "derate_up_kw": derate, "value_up": value, "value_down": 0}
    up, down = InterfaceResult(td_interface=interface, **said).rows
    assert up["held"].startswith(held) and bool(up["held"]) is bool(held) and down["held"] == ""
