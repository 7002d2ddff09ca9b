"""Grid events: O3, O5. What is behind a place is found by topology, whom it concerns is told, and the log keeps every act."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from moc import sight
from moc.access import policy
from moc.access.policy import NotPermitted
from moc.errors import UserError
from moc.history import acting
from moc.notices.models import Notice
from operations.network.services import building
from operations.outages import tasks
from operations.outages.models import GridEvent, LogEntry, TouchedDer
from operations.outages.services import events, log
from tests.factories.filings import store_in
from tests.factories.networks import current, der, points_of, rows
from tests.factories.readings import moment
from tests.factories.world import REASON

pytestmark = pytest.mark.django_db
API, BASE = "/api/v1/operations/grid-events/", "/operations/outages/events/"


@pytest.fixture(autouse=True)
def _files(settings, tmp_path) -> None:
    store_in(settings, tmp_path)
    settings.VAR_DIR = tmp_path
    building._cached.cache_clear()


@pytest.fixture
def feeder(world):
    """The utility's first feeder: its points stand one behind another, with DERs at the first and the last; the last is another's."""
    feeder = world.feeders["edc"][0]
    points = points_of(feeder)
    with acting(None, REASON):
        der(world, points[0], external_id="NEAR")
        der(world, points[-1], external_id="FAR", aggregator=world.aggregator2)
    return feeder


def told(world, **said) -> GridEvent:
    given = {"kind": "outage", "starts_at": moment(5), "reason": "A tree fell"} | said
    return events.report(actor=world.user("edc", "administrator"), event=GridEvent(**given))


def touched(event: GridEvent) -> set[str]:
    return set(event.touched.values_list("der__external_id", flat=True))


def test_a_feeder_takes_everything_on_it_along(world, feeder):
    event = told(world, feeder=feeder)
    assert (event.status, event.edc, event.point_count, event.der_count) == ("active", world.edc, len(points_of(feeder)), 2)
    assert event.kw == 20 and touched(event) == {"NEAR", "FAR"}
    people = Notice.objects.filter(event="grid_event").values_list("user__memberships__organization", flat=True)
    assert set(people) == {world.aggregator.pk, world.aggregator2.pk}


def test_an_element_takes_along_what_no_other_path_reaches(world, feeder):
    """The lines stand one behind another: the last feeds the last point alone; the transformer feeds them all."""
    points = points_of(feeder)
    current(world, feeder)
    last = told(world, feeder=feeder, element=f"line.l{len(points) - 1}")
    assert touched(last) == {"FAR"} and last.point_count == 1
    assert told(world, feeder=feeder, element="line.l1").point_count == len(points) - 1
    whole = told(world, feeder=feeder, element="transformer.service")
    assert touched(whole) == {"NEAR", "FAR"} and whole.point_count == len(points)
    with pytest.raises(UserError) as refused:
        told(world, feeder=feeder, element="nothing")
    assert refused.value.code == "EVENT-ELEMENT"


def test_without_a_network_an_element_tells_nothing(world, feeder):
    with pytest.raises(UserError) as refused:
        told(world, feeder=feeder, element="line.l1")
    assert refused.value.code == "EVENT-NETWORK" and not GridEvent.objects.exists()


def test_an_interface_is_told_by_its_rto(world, feeder):
    """Everything below it; the utility is told, and only the RTO restores it."""
    interface = feeder.substation.td_interface
    operator, utility = world.user("tso", "administrator"), world.user("edc", "administrator")
    event = GridEvent(kind="derate", capacity_percent=40, td_interface=interface, starts_at=moment(5), reason="Line 1 is out")
    events.report(actor=operator, event=event)
    assert (event.tso, event.edc) == (world.tso, world.edc) and {"NEAR", "FAR"} <= touched(event)
    assert Notice.objects.filter(user=utility, event="grid_event").exists()
    with pytest.raises(NotPermitted):
        events.move(actor=utility, event=event, name="restore")
    events.move(actor=operator, event=event, name="restore")
    event.refresh_from_db()
    assert event.status == "restored" and event.restored_at
    assert [(row.act, row.tso) for row in LogEntry.objects.order_by("id")] == [("event_told", world.tso), ("event_restore", world.tso)]
    other = GridEvent(kind="outage", td_interface=interface, starts_at=moment(5), reason="Not mine")
    with pytest.raises(NotPermitted):
        events.report(actor=world.user("tso2", "administrator"), event=other)


@pytest.mark.parametrize("said", [{"kind": "derate"}, {"capacity_percent": 50}, {"expected_until": moment(60)}])
def test_what_an_event_cannot_be(world, feeder, said):
    with pytest.raises(ValidationError):
        told(world, feeder=feeder, **said)
    with pytest.raises(UserError) as refused:
        told(world)
    assert refused.value.code == "EVENT-PLACE"
    assert not GridEvent.objects.exists() and not LogEntry.objects.exists()


def test_who_sees_an_event_and_what_of_it(world, feeder, client_of):
    """Its utility and those above it; aggregators with DERs behind it, each its own DERs: by the portal's scope and in the database."""
    event, names = told(world, feeder=feeder), ("edc", "tso", "aggregator", "edc2", "tso2")
    seen = {name: client_of(world.user(name, "viewer")).get(f"{BASE}{event.uuid}/") for name in names}
    assert {name: page.status_code for name, page in seen.items()} == {"edc": 200, "tso": 200, "aggregator": 200, "edc2": 404, "tso2": 404}
    assert [row["aggregator__name"] for row in seen["aggregator"].context["touched"]] == [str(world.aggregator)]
    assert len(seen["edc"].context["touched"]) == 2
    shown = {name: [row.cells[0][1] for row in seen[name].context["ders"].rows] for name in ("edc", "aggregator")}
    assert shown == {"edc": ["NEAR", "FAR"], "aggregator": ["NEAR"]}
    assert [len(seen[name].context["log"].rows) for name in ("edc", "aggregator")] == [1, 0]
    told_at = f"{timezone.localtime(event.starts_at):%Y-%m-%d %H:%M %Z}"
    assert all(told_at in notice.body for notice in Notice.objects.filter(event="grid_event"))
    assert "/operations/envelopes/?feeder=F1" in seen["aggregator"].content.decode()
    with sight.seeing(policy.sight_of(world.user("aggregator", "viewer"))):
        assert TouchedDer.objects.count() == 1 and GridEvent.objects.count() == 1
    with sight.seeing(policy.sight_of(world.user("edc2", "administrator"))):
        assert not TouchedDer.objects.exists() and not GridEvent.objects.exists()


def test_a_planned_switching_begins_is_restored_or_cancelled(world, feeder):
    later = timezone.now() + timedelta(hours=1)
    first, second = (told(world, kind="switching", feeder=feeder, starts_at=later) for _ in range(2))
    actor = world.user("edc", "administrator")
    events.move(actor=actor, event=second, name="cancel", reason="Rain")
    assert first.status == "planned" and tasks.begin_due() == 0
    with acting(None, REASON):
        GridEvent.objects.filter(pk=first.pk).update(starts_at=moment(1))
    assert tasks.begin_due() == 1 and tasks.begin_due() == 0
    events.move(actor=actor, event=first, name="restore")
    acts = [(row.act, row.before["status"], row.after["status"]) for row in LogEntry.objects.filter(event=first).order_by("id")]
    assert acts == [
        ("event_told", "in service", "planned"),
        ("event_begin", "planned", "active"),
        ("event_restore", "active", "restored"),
    ]


def test_by_form_and_by_program(world, feeder, client_of, api_of):
    client, when = client_of(world.user("edc", "administrator")), f"{timezone.localtime(moment(5)):%Y-%m-%dT%H:%M}"
    given = {"kind": "outage", "feeder": "F1", "starts_at": when, "reason": "A tree fell"}
    page = client.post(f"{BASE}new/", given)
    assert page.status_code == 302 and b"DERs behind it" in client.get(page["Location"]).content
    assert client.post(f"{BASE}new/", given | {"feeder": "F99"}).status_code == 422
    assert client.post(f"{BASE}new/", {name: value for name, value in given.items() if name != "feeder"}).status_code == 422
    assert client_of(world.user("aggregator", "administrator")).get(f"{BASE}new/").status_code in (403, 404)
    api = api_of(world.user("edc", "administrator"))
    told_ = api.post(API, given | {"starts_at": moment(5).isoformat(), "kind": "switching"}, format="json")
    assert (told_.status_code, told_.json()["der_count"], told_.json()["feeder"]) == (201, 2, "F1")
    assert api.post(API, given | {"starts_at": moment(5).isoformat(), "feeder": "F99"}, format="json").status_code == 400
    moved = api.post(f"{API}{told_.json()['id']}/transitions/restore/", {}, format="json", HTTP_IF_MATCH="*")
    assert moved.json()["status"] == "restored"
    assert client.get("/operations/outages/log/").status_code == 200
    assert b"event_restore" in b"".join(client.get("/operations/outages/log/export.csv").streaming_content)


def test_a_network_that_becomes_current_is_an_act_too(world, feeder, client_of, api_of):
    """O5: who approved it, and the one before; once. Readers look for acts by feeder, words and days."""
    for content in (rows(points_of(feeder)), rows(points_of(feeder)[:-1])):
        current(world, feeder, content)
    assert tasks.begin_due() == 2 and tasks.begin_due() == 0
    first, second = LogEntry.objects.filter(act="network_approve").order_by("pk")
    assert first.before == {"network": None} and second.before == first.after and second.after["points"] == first.after["points"] - 1
    assert second.actor == world.user("edc", "administrator") and second.feeder == feeder
    told(world, feeder=world.feeders["edc"][1])
    api, log = api_of(world.user("edc", "viewer")), "/api/v1/operations/log/"
    today = f"{timezone.localdate():%Y-%m-%d}"
    wanted = {
        f"feeder={feeder.code}": 2,
        f"feeder={feeder.code}&about=network&since={today}": 2,
        "until=2020-01-01": 0,
        "act=event_told": 1,
    }
    assert {asked: len(api.get(f"{log}?{asked}").json()["results"]) for asked in wanted} == wanted
    page = client_of(world.user("edc", "viewer")).get("/operations/outages/log/").content.decode()
    event = GridEvent.objects.get()
    assert f'href="/operations/outages/events/{event.uuid}/"' in page and "status: in service → active" in page
    assert f"points: {first.after['points']} → {second.after['points']}" in page


def test_an_act_that_nobody_could_look_for_is_not_written(world):
    with pytest.raises(ValueError, match="stands in no list"):
        log.write(actor=None, act="something", subject="Something", edc=world.edc, before={}, after={})


def test_what_is_not_back_when_it_was_expected_says_so(world, feeder, client_of):
    event = told(world, feeder=feeder, expected_until=moment(-60))
    client = client_of(world.user("edc", "viewer"))
    assert b"overdue: nobody" not in client.get(f"{BASE}{event.uuid}/").content
    with acting(None, REASON):
        GridEvent.objects.update(expected_until=moment(1))
    assert b"overdue: nobody" in client.get(f"{BASE}{event.uuid}/").content


def test_an_rto_ends_what_it_told_by_page_and_by_program(world, feeder, client_of, api_of):
    """O3: the one that told an event has its buttons and its address; the utility of the interface has neither."""
    operator, utility = world.user("tso", "administrator"), world.user("edc", "administrator")
    place = {"kind": "outage", "td_interface": feeder.substation.td_interface, "reason": "Line 1 is out"}
    now, later = (events.report(actor=operator, event=GridEvent(starts_at=at, **place)) for at in (moment(5), moment(-60)))
    for user, offered in ((operator, True), (utility, False)):
        assert ("/transitions/restore/" in client_of(user).get(f"{BASE}{now.uuid}/").content.decode()) is offered
    body = {"reason": "It is back"}
    refused = api_of(utility).post(f"{API}{now.uuid}/transitions/restore/", body, format="json", HTTP_IF_MATCH="*")
    assert refused.status_code == 403
    for event, name, status in ((now, "restore", "restored"), (later, "cancel", "cancelled")):
        answer = api_of(operator).post(f"{API}{event.uuid}/transitions/{name}/", body, format="json", HTTP_IF_MATCH="*")
        assert answer.json()["status"] == status
