"""Sets beside each other: an hour's within a day's, what each changes, and what aggregators' programs are told of it. O4."""

import csv
import json
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from moc.history import acting
from moc.notices.models import Notice
from moc.webhooks.models import Event
from operations.coordination.reports import capabilities
from operations.envelopes import reports, tasks
from operations.envelopes.models import EnvelopePoint, EnvelopePolicy, EnvelopeReceipt, EnvelopeRun
from operations.envelopes.services import computing, life, streaming
from operations.network.services import building
from registry.ders.models import Der
from tests.factories.filings import store_in
from tests.factories.networks import current, der, midnight, ordered, points_of, rows

pytestmark = pytest.mark.django_db
Status = EnvelopeRun.Status
ENVELOPES, STREAM = "/api/v1/operations/envelopes/", "/api/v1/operations/envelope-receipts/stream/"
TEN = timedelta(hours=10)


@pytest.fixture
def feeder(world, settings, tmp_path):
    """A DER of each aggregator behind points of a feeder with a network; tomorrow's set in hours, the number 1."""
    store_in(settings, tmp_path)
    settings.VAR_DIR = tmp_path
    building._cached.cache_clear(), computing._machine.cache_clear()
    feeder = world.feeders["edc"][0]
    with acting(None, "system: tests"):
        EnvelopePolicy.objects.create(edc=world.edc, method="proportional", robust=False)
        der(world, points_of(feeder)[0], external_id="ONE")
        der(world, points_of(feeder)[1], external_id="OTHER", aggregator=world.aggregator2)
    current(world, feeder, rows(points_of(feeder)[:2], kw=0.01))
    published(world, ordered(world, feeder))
    return feeder


def published(world, run: EnvelopeRun) -> EnvelopeRun:
    life.publish(actor=world.user("edc", "administrator"), run=run)
    run.refresh_from_db()
    return run


def hour(world, feeder, minute: int = 0, **more) -> EnvelopeRun:
    """Envelopes of tomorrow's hour from ten on, by five minutes, checked."""
    facts = {"starts_at": midnight() + TEN + timedelta(minutes=minute), "step_minutes": 5} | more
    run = life.order_until(actor=None, feeder=feeder, ends_at=facts["starts_at"] + timedelta(hours=1), **facts)
    computing.carry_out(run, lambda *args: None)
    run.refresh_from_db()
    return run


def capped(feeder, name: str, kw: float) -> dict:
    return {"caps": {str(Der.objects.get(external_id=name).pk): [-kw, kw]}}


def pieces(name: str = "ONE") -> list[tuple]:
    """Of a DER's limits the set, the hours from tomorrow's midnight on, the interval and the most it may inject."""
    point = EnvelopePoint.objects.get(der__external_id=name)
    found = reports.limits_of([point])[point.pk]
    first = [(each.times[0] - midnight()) / timedelta(hours=1) for each in found]
    last = [(each.times[-1] - midnight()) / timedelta(hours=1) + each.step_minutes / 60 for each in found]
    return [(each.number, a, pytest.approx(b), each.step_minutes, max(each.max_kw)) for each, a, b in zip(found, first, last)]


def test_an_hours_set_leaves_the_rest_of_the_day_in_force(world, feeder):
    """O4: the day's set is the last that is valid before and after the hour; then, and while nothing else is, the limits without."""
    day, actor = EnvelopeRun.objects.get(), world.user("edc", "administrator")
    short = published(world, hour(world, feeder, **capped(feeder, "ONE", 1)))
    day.refresh_from_db()
    assert (day.status, short.status, short.number) == (Status.PUBLISHED, Status.PUBLISHED, 2)
    assert pieces() == [(1, 0, 10, 60, 10), (2, 10, 11, 5, 1), (1, 11, 24, 60, 10)]
    (behind,) = capabilities([feeder.substation.td_interface_id], short.starts_at)
    assert behind.run == short and behind.interval == 0
    life.hold(actor=actor, run=short, reason="A crew is out")
    assert pieces() == [(1, 0, 24, 60, 10)]
    told = Notice.objects.filter(event="envelopes_withdrawn").latest("pk").body
    assert "older sets say of its hours holds again: set 1" in told
    life.deactivate(actor=actor, run=day, reason="Wrong model")
    point = EnvelopePoint.objects.get(der__external_id="ONE")
    assert [each.source for each in reports.limits_of([point])[point.pk]] == [reports.STATIC]


def test_an_hour_that_cuts_an_interval_is_told_to_the_minute(world, feeder):
    """O4: what an older set says of a part of an interval is said in shorter ones."""
    published(world, hour(world, feeder, minute=20, **capped(feeder, "ONE", 1)))
    assert pieces() == [
        (1, 0, pytest.approx(10 + 1 / 3), 20, 10),
        (2, 10 + 1 / 3, pytest.approx(11 + 1 / 3), 5, 1),
        (1, 11 + 1 / 3, 24, 20, 10),
    ]


def test_a_days_set_takes_the_place_of_all_within_it(world, feeder):
    """O4: superseded is what has nothing left; the next hour takes the place of the last one's rest."""
    day, first = EnvelopeRun.objects.get(), published(world, hour(world, feeder))
    second = published(world, hour(world, feeder, minute=30))
    first.refresh_from_db()
    assert first.status == Status.PUBLISHED and [each[0] for each in pieces()] == [1, 2, 3, 1]
    new = published(world, ordered(world, feeder, **capped(feeder, "ONE", 2)))
    for run in (day, first, second):
        run.refresh_from_db()
    assert {run.status for run in (day, first, second)} == {Status.SUPERSEDED} and new.number == 4
    assert pieces() == [(4, 0, 24, 60, 2)]


def test_an_hours_set_does_not_stand_for_its_day(world, feeder):
    """O4: a day of which only an hour was ordered is due all the same."""
    life.order(actor=None, feeder=feeder, starts_at=midnight(0) + TEN, hours=1, step_minutes=5)
    (run,) = life.order_days(feeder)
    assert (run.starts_at, run.ends_at) == (midnight(0), midnight(1))


def test_an_order_begins_with_the_interval_that_is_running(world, feeder):
    """O4: so that sets of other intervals fit between each other."""
    at = midnight() + timedelta(hours=3, minutes=7, seconds=31)
    run = life.order(actor=None, feeder=feeder, starts_at=at, hours=1, step_minutes=15)
    assert run.starts_at == midnight() + timedelta(hours=3)


def test_a_receipt_names_what_its_set_changed_and_only_that_is_read(world, feeder, api_of):
    """O4: an hour in which one DER gets another limit is news of that DER to its aggregator, and to nobody else."""
    first = EnvelopeReceipt.objects.get(aggregator=world.aggregator)
    assert first.ders == [Der.objects.get(external_id="ONE").pk] and EnvelopeReceipt.objects.count() == 2
    short = published(world, hour(world, feeder, **capped(feeder, "ONE", 1)))
    receipt = short.receipts.get()
    assert (receipt.aggregator, receipt.changed, receipt.ders) == (world.aggregator, 1, first.ders)
    event = Event.objects.filter(kind="envelopes_published").latest("pk")
    link = f"{ENVELOPES}?receipt={receipt.uuid}"
    assert event.organization == world.aggregator and link in event.body
    for party, count in (("aggregator", 1), ("edc", 1), ("aggregator2", 0)):
        found = api_of(world.user(party, "administrator")).get(link).json()["results"]
        assert [each["der"] for each in found] == [str(Der.objects.get(external_id="ONE").uuid)] * count
    same = published(world, hour(world, feeder, minute=5, **capped(feeder, "ONE", 1)))
    assert same.receipts.get().ders == first.ders, "five minutes of the next hour are other limits"
    again = hour(world, feeder, minute=5, step_minutes=15, **capped(feeder, "ONE", 1))
    assert not published(world, again).receipts.exists(), "the same limits by other intervals are no news"


def test_a_receipt_counts_the_ders_that_it_names(world, feeder, client_of):
    """O4: by the database; of the oldest receipts only the count was kept, and their page says so instead of showing nobody."""
    receipts = EnvelopeReceipt.objects.filter(aggregator=world.aggregator)
    page, asked = f"/operations/envelopes/receipts/{receipts.get().uuid}/", client_of(world.user("aggregator", "filer"))
    assert "What the set changed" in asked.get(page).content.decode()
    with pytest.raises(IntegrityError, match="envelope_receipt_counts"), transaction.atomic(), acting(None, "system: tests"):
        receipts.update(changed=2)
    with acting(None, "system: tests"):
        receipts.update(changed=2, ders=[])
    shown = asked.get(page).content.decode()
    assert "What the set changed" not in shown and "which they are was not kept then" in shown


def test_envelopes_by_place(world, feeder, api_of, client_of):
    """O4: per service point and per transformer, by program and page."""
    api = api_of(world.user("edc", "administrator"))
    point = points_of(feeder)[1]
    (found,) = api.get(f"{ENVELOPES}?service_point={point}").json()["results"]
    assert found["der"] == str(Der.objects.get(external_id="OTHER").uuid)
    assert api.get(f"{ENVELOPES}?transformer=none").json()["results"] == []
    page = client_of(world.user("edc", "administrator")).get(f"/operations/envelopes/?service_point={point}").content.decode()
    assert "OTHER" in page and ">ONE<" not in page


def told(api) -> list[dict]:
    response = api.get(STREAM, HTTP_ACCEPT="text/event-stream")
    assert response["Content-Type"] == "text/event-stream"
    return [
        json.loads(line.removeprefix("data: "))
        for line in b"".join(response.streaming_content).decode().splitlines()
        if line[:5] == "data:"
    ]


def test_sets_are_streamed_to_whom_they_are_sent(world, feeder, api_of):
    """O4: an aggregator's program hears of its sets, of each that is published or withdrawn, with where only the changes are."""
    user, run = world.user("aggregator", "filer"), EnvelopeRun.objects.get()
    (said,) = told(api_of(user))
    assert (said["number"], said["standing"], said["changed"], said["aggregator"]) == (1, "published", 1, world.aggregator.slug)
    assert len(api_of(user).get(said["envelopes"]).json()["results"]) == 1
    assert told(api_of(world.user("aggregator2", "filer")))[0]["receipt"] != said["receipt"]
    assert told(api_of(world.user("edc2", "administrator"))) == []
    before = streaming.standing(user, "view_registry")
    life.acknowledge(actor=user, receipt=EnvelopeReceipt.objects.get(uuid=said["receipt"]))
    after = streaming.standing(user, "view_registry")
    assert b"".join(streaming.news(after, after)) == b"" and len(list(streaming.news(before, after))) == 1
    life.hold(actor=world.user("edc", "administrator"), run=run, reason="A crew is out")
    short = published(world, hour(world, feeder, **capped(feeder, "ONE", 1)))
    (held, new) = [
        json.loads(each.decode().split("data: ")[1]) for each in streaming.news(after, streaming.standing(user, "view_registry"))
    ]
    assert (held["standing"], new["standing"], new["number"]) == ("held", "published", short.number)


def test_the_next_hour_is_computed_as_it_begins_where_the_policy_says_so(world, feeder):
    """O4: in shorter intervals over the day's set, with the operator's own limits; programs are told, inboxes are not."""
    at = midnight() + TEN + timedelta(minutes=7, seconds=30)
    assert life.order_hour(feeder, at) is None
    with acting(None, "system: tests"):
        EnvelopePolicy.objects.update(rolling_minutes=5, auto_publish=True)
    day = published(world, ordered(world, feeder, **capped(feeder, "ONE", 1)))
    told, notices = Event.objects.count(), Notice.objects.count()
    run = life.order_hour(feeder, at)
    assert (run.starts_at, run.intervals, run.step_minutes, run.caps) == (midnight() + TEN + timedelta(minutes=5), 12, 5, day.caps)
    assert life.order_hour(feeder, at + timedelta(minutes=2)) == run and run.is_rolling
    with acting(None, "system: tests"):
        EnvelopeRun.objects.filter(pk=run.pk).update(caps=capped(feeder, "ONE", 2)["caps"])
    tasks.compute(run.job_id)
    run.refresh_from_db(), day.refresh_from_db()
    assert (run.status, day.status) == (Status.PUBLISHED, Status.PUBLISHED) and [each[0] for each in pieces()] == [2, 3, 2]
    assert Event.objects.count() == told + 1 and Notice.objects.count() == notices
    life.hold(actor=world.user("edc", "administrator"), run=run, reason="A crew is out")
    assert life.order_hour(feeder, at + timedelta(minutes=5)) is None, "what an operator holds is not passed by"


def test_an_hour_that_is_not_computed_in_time_leaves_the_last_that_is_valid(world, feeder):
    """O4: the day's set goes on; when that ends, the limits without envelope hold."""
    with acting(None, "system: tests"):
        EnvelopePolicy.objects.update(rolling_minutes=15, auto_publish=True)
    run = life.order_hour(feeder, midnight() + TEN)
    assert run.status == Status.COMPUTING and pieces() == [(1, 0, 24, 60, 10)]
    with pytest.raises(IntegrityError), transaction.atomic(), acting(None, "system: tests"):
        EnvelopePolicy.objects.update(auto_publish=False)


def test_what_holds_after_the_last_set_is_said(world, feeder, client_of):
    """O4: today's set stands and tomorrow's is out of force: from midnight on the limits without envelope, to tomorrow's end."""
    today = published(world, ordered(world, feeder, days=0))
    life.hold(actor=world.user("edc", "administrator"), run=EnvelopeRun.objects.get(number=1), reason="A crew is out")
    point = EnvelopePoint.objects.get(der__external_id="ONE")
    one, rest = reports.limits_of([point])[point.pk]
    assert (one.number, rest.source, rest.starts_at, rest.ends_at) == (today.number, reports.STATIC, midnight(1), midnight(2))
    assert set(rest.max_kw) == {1.5} and set(rest.min_kw) == {-5.0}
    page = client_of(world.user("aggregator", "filer")).get(f"/operations/envelopes/{point.pk}/").content.decode()
    assert "a published set" in page and "the limit without envelope holds" in page


def test_a_set_of_tomorrow_is_not_in_force_today(world, feeder, client_of):
    """O4: the page says what holds now."""
    point = EnvelopePoint.objects.get(der__external_id="ONE")
    page = client_of(world.user("aggregator", "filer")).get(f"/operations/envelopes/{point.pk}/").content.decode()
    assert "a published set from" in page and "until then the limits without envelope" in page and "Set 1" in page


def test_what_must_draw_is_told_so(world, feeder, client_of, api_of):
    """O4: both ends on one side, in words on the page and by program; in the CSV below zero, which the page of the list explains."""
    caps = {str(Der.objects.get(external_id=name).pk): pair for name, pair in (("ONE", [-5, -2]), ("OTHER", [2, 5]))}
    published(world, ordered(world, feeder, caps=caps))
    utility = client_of(world.user("edc", "administrator"))
    lines = b"".join(utility.get("/operations/envelopes/export.csv").streaming_content).decode("utf-8-sig").splitlines()
    told = {
        (each["der"], each["import_limit_kw"], each["export_limit_kw"]) for each in csv.DictReader(lines) if each["source"] == "published"
    }
    assert told == {("ONE", "5.0", "-2.0"), ("OTHER", "-2.0", "5.0")}, "one draws 2 kW at least, the other injects as much"
    assert "an import limit of −2 kW has it inject 2 kW at least" in utility.get("/operations/envelopes/").content.decode()
    point = EnvelopePoint.objects.get(der__external_id="ONE")
    user, said = world.user("aggregator", "filer"), "Below zero: it must draw 2 kW at least."
    assert said in client_of(user).get(f"/operations/envelopes/{point.pk}/").content.decode()
    limits = api_of(user).get(f"{ENVELOPES}{point.pk}/").json()["limits"][0]
    assert (set(limits["min_kw"]), set(limits["max_kw"])) == ({-5}, {-2})
    assert {each["bound"] for each in limits["reasons"] if said in each["why"]} == {"export"}
