"""The five questions about a feeder and a utility: O1. One page and one address of the API answer them, within the reader's scope."""

import pytest

from moc.history import acting
from operations.outages.models import GridEvent
from operations.outages.services import events
from operations.overview import reports
from operations.telemetry.services import taking_in
from tests.factories.networks import der, points_of
from tests.factories.readings import moment, reading, sent
from tests.factories.world import REASON

pytestmark = pytest.mark.django_db
BASE = "/operations/feeders/"


@pytest.fixture
def feeder(world):
    """Two DERs of two aggregators on the first feeder, of which one told of itself; one on the second."""
    taking_in.prepare()
    first, second = world.feeders["edc"][:2]
    with acting(None, REASON):
        one = der(world, points_of(first)[0], external_id="ONE")
        der(world, points_of(first)[1], external_id="TWO", aggregator=world.aggregator2)
        der(world, points_of(second)[0], external_id="THREE")
    sent(world.user("edc", "administrator"), reading(one, p_kw=3, up_kw=4, down_kw=2))
    for place in (first, second):
        event = GridEvent(kind="outage", feeder=place, starts_at=moment(5), reason="A tree fell")
        events.report(actor=world.user("edc", "administrator"), event=event)
    return first


def told(place) -> dict[str, list]:
    return {answer.question: answer.rows for answer in reports.answers(place)}


def test_each_question_is_answered_within_sight(world, feeder, monkeypatch):
    answers = told(reports.Place(world.user("edc", "viewer"), world.edc, feeder))
    assert answers["What is registered?"] == [("Photovoltaic", 2, 20.0)]
    assert answers["Doing what now?"][0] == ("DERs: ready", 1, 3.0, 4.0, 2.0)
    assert ("DERs: never heard of", 1, None, None, None) in answers["Doing what now?"]
    assert answers["What did they do?"][:2] == [("Readings of the last day", 1), ("Most that one DER injected (kW)", 3.0)]
    assert told(reports.Place(world.user("edc", "viewer"), world.edc))["What is registered?"] == [("Photovoltaic", 3, 30.0)]
    assert answers["What did they do?"][-1] == ("Acts in the operational log, seven days", 1)
    monkeypatch.setattr(reports, "MOST", 1)
    assert told(reports.Place(world.user("edc", "viewer"), world.edc))["Where?"] == [("F1", 2, 20.0), ("elsewhere", 1, 10.0)]
    assert told(reports.Place(world.user("aggregator2", "viewer"), world.edc, feeder))["What is registered?"] == [("Photovoltaic", 1, 10.0)]


def test_pages_and_api(world, feeder, client_of, api_of, django_assert_max_num_queries):
    client = client_of(world.user("edc", "viewer"))
    with django_assert_max_num_queries(60):
        page = client.get(f"{BASE}{feeder.pk}/")
    assert page.status_code == 200 and b"Able to which service?" in page.content
    assert client.get(f"{BASE}of/edc/").status_code == client.get(BASE).status_code == 200
    assert client_of(world.user("edc2", "viewer")).get(f"{BASE}{feeder.pk}/").status_code == 404
    assert client_of(world.user("edc2", "viewer")).get(f"{BASE}of/edc/").status_code == 404
    answers = api_of(world.user("edc", "viewer")).get(f"/api/v1/operations/feeders/{feeder.pk}/answers/").json()
    assert [each["question"] for each in answers][:2] == ["Who plans to take part?", "What is registered?"]
