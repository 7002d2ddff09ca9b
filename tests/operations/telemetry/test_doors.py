"""Readings by the API, and readiness as each party sees it. M7, N9."""

import json
from datetime import UTC, timedelta

import pytest
from django.db import connection
from django.utils import timezone

from moc.history import acting
from operations.telemetry.models import DerState, Reading
from operations.telemetry.tasks import prepare_months
from registry.catalogue import services as catalogue
from tests.factories.networks import der, points_of
from tests.factories.readings import as_csv, moment, ndjson, reading, sent
from tests.registry.aggregations.making import made

pytestmark = pytest.mark.django_db
SEND, STATES = "/api/v1/operations/telemetry/", "/api/v1/operations/states/"


@pytest.fixture
def ders(world) -> list:
    points = points_of(world.feeders["edc"][0])
    with acting(None, "system: tests"):
        return [der(world, point, aggregator=world.aggregator if n < 3 else world.aggregator2) for n, point in enumerate(points[:4])]


@pytest.mark.parametrize("media_type, written", [("application/json", json.dumps), ("application/x-ndjson", ndjson), ("text/csv", as_csv)])
def test_a_batch_by_the_api(world, ders, api_of, media_type, written):
    """N9: the answer says what was stored, what was known and what was refused, and why."""
    rows = [reading(ders[0]), reading(ders[3]), reading(ders[1], p_kw=500)]
    api = api_of(world.user("aggregator", "filer"))
    said = api.post(SEND, written(rows), content_type=media_type).json()
    assert [(each["row"], each["code"]) for each in said["refused"]] == [(2, "TEL-DER"), (3, "TEL-RANGE")]
    assert all(each["sentence"] and each["remedy"] for each in said["refused"])
    assert (said["received"], said["stored"], said["known"], said["refused_count"]) == (3, 1, 0, 2)
    assert api.post(SEND, written(rows), content_type=media_type).json()["known"] == 1 and Reading.objects.count() == 1


def test_who_may_not_send_stores_nothing(world, ders, api_of):
    """N3: a viewer, a market operator, a stranger; and a body of which nothing can be read is one problem."""
    body = json.dumps([reading(ders[0])])
    for user in (world.user("aggregator", "viewer"), world.user("tso", "viewer")):
        assert api_of(user).post(SEND, body, content_type="application/json").status_code == 403
    assert api_of(None).post(SEND, body, content_type="application/json").status_code == 401
    answer = api_of(world.user("aggregator", "filer")).post(SEND, "{oops", content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (422, "TEL-BODY")
    assert api_of(world.user("aggregator", "filer")).get(SEND).status_code == 405
    assert not Reading.objects.exists() and not DerState.objects.exists()


def test_states_are_filtered_and_each_sees_its_own(world, ders, api_of):
    """M7: ready, not available, not heard of; by party, and the readings of one DER with corrections."""
    at = moment(60)
    sent(
        world.user("edc", "administrator"),
        reading(ders[0]),
        reading(ders[1], operating="off"),
        reading(ders[2], at=at.isoformat()),
        reading(ders[2], at=at.isoformat(), p_kw=2, published_at=moment(50).isoformat()),
        reading(ders[3]),
    )
    api = api_of(world.user("aggregator", "viewer"))
    for readiness, expected in (("ready", ders[0]), ("unavailable", ders[1]), ("stale", ders[2])):
        found = api.get(f"{STATES}?readiness={readiness}").json()["results"]
        assert [row["der"] for row in found] == [str(expected.uuid)]
    assert len(api_of(world.user("edc", "viewer")).get(STATES).json()["results"]) == 4
    assert [row["der"] for row in api_of(world.user("aggregator2", "viewer")).get(STATES).json()["results"]] == [str(ders[3].uuid)]
    state = DerState.objects.get(der=ders[2])
    told = api.get(f"{STATES}{state.pk}/readings/").json()["results"]
    assert [row["p_kw"] for row in told] == [2, 3.5] or [row["p_kw"] for row in told] == [3.5, 2]
    assert state.p_kw == 2
    assert api_of(world.user("aggregator2", "viewer")).get(f"{STATES}{state.pk}/readings/").status_code == 404


def test_pages(world, ders, client_of):
    """M7: the list with its filters, one DER with its last day, aggregations as the sum of their members."""
    catalogue.load()
    filer = world.user("aggregator", "filer")
    sent(filer, *(reading(ders[0], at=moment(5 * n).isoformat(), p_kw=n) for n in range(1, 5)), reading(ders[1], operating="off"))
    aggregation = made(world, ders=ders[:3])
    page = client_of(filer)
    listed = page.get("/operations/readiness/?readiness=ready").content.decode()
    assert ders[0].external_id in listed and ders[1].external_id not in listed
    assert all(f'href="/operations/{below}/"' in listed for below in ("readiness/grid", "readiness/owed", "forecasts"))
    shown = page.get(f"/operations/readiness/{DerState.objects.get(der=ders[0]).pk}/").content.decode()
    assert "uPlot.iife.min.js" in shown and shown.count("<tr>") >= 4
    told = page.get("/operations/readiness/aggregations/").content.decode()
    row = next(part for part in told.split("<tr") if str(aggregation.name) in part)
    cells = [cell.split("<")[0] for cell in row.split('<td class="moc-num">')[1:]]
    assert cells == ["3", "1", "0", "1", "0", "1", "1", "0", "0"]
    other = client_of(world.user("aggregator2", "administrator"))
    assert ders[0].external_id not in other.get("/operations/readiness/").content.decode()


def test_the_partitions_of_two_months_are_there_ahead(db):
    """N9: made before midnight on the first, and once."""
    prepare_months()
    prepare_months()
    today = timezone.now().astimezone(UTC)
    months = {f"operations_reading_{month:%Y_%m}" for month in (today, today.replace(day=1) + timedelta(days=32))}
    with connection.cursor() as cursor:
        cursor.execute("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'operations_reading'::regclass")
        assert months <= {name for (name,) in cursor.fetchall()}
