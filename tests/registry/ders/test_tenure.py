"""Who sees a DER, and as it stood when, once it has changed hands: list, page, history, export, API and workplace (N3, N12)."""

import csv
import io
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from moc.history import acting
from registry.ders.models import Der, DerTenure
from registry.ders.services import apply_due, begin_tenure, end_tenure, hand_over
from tests.factories.ders import register
from tests.factories.tenures import days_pass, ends_on, recorded_at

pytestmark = pytest.mark.django_db(transaction=True)
LIST, API, ADMIN = "/registry/ders/", "/api/v1/registry/ders/", "/admin/registry/der/"
PAGE_QUERIES = 3  # an empty list needs not read its rows: each read tells its transaction who looks, reads, and ends it
FIRST, SECOND = "aggregator", "aggregator2"  # who had it, who has it next


class Doors:
    """What a party finds of one DER behind every door: kW tells the versions apart, None is nothing."""

    def __init__(self, world, client_of, api_of):
        self.world, self.client_of, self.api_of = world, client_of, api_of

    def of(self, party: str, der: Der, query: str = "") -> dict:
        """Everything behind the doors, for the party's auditor; `query` narrows ("tenure=former", "as_of=…")."""
        user = self.world.user(party, "auditor")
        client, api = self.client_of(user), self.api_of(user)
        return {**self._portal(client, der, query), **self._api(api, der, query), **self._admin(client, der, query)}

    @staticmethod
    def _portal(client, der: Der, query: str) -> dict:
        rows = client.get(f"{LIST}?{query}").context["table"].rows
        page = client.get(f"{LIST}{der.uuid}/?{query}")
        text = b"".join(client.get(f"{LIST}export.csv?{query}").streaming_content).decode("utf-8-sig")
        exported = [line for line in csv.DictReader(io.StringIO(text)) if line["der_id"] == str(der.uuid)]
        return {
            "list": [row.cells[3][1] for row in rows if str(der.uuid) in row.url],
            "page": page.context["object"].nameplate_ac_kw if page.status_code == 200 else None,
            "history": len(page.context["timeline"]) if page.status_code == 200 else 0,
            "export": [float(line["nameplate_ac_kw"]) for line in exported],
            "certificate": client.get(f"{LIST}{der.uuid}/certificate.pdf?{query}").status_code,
        }

    @staticmethod
    def _api(api, der: Der, query: str) -> dict:
        one, versions = api.get(f"{API}{der.uuid}/?{_moment_only(query)}"), api.get(f"{API}{der.uuid}/versions/")
        listed = [record for record in api.get(f"{API}?{query}").json()["results"] if record["id"] == str(der.uuid)]
        return {
            "api list": [record["nameplate_ac_kw"] for record in listed],
            "api": one.json()["nameplate_ac_kw"] if one.status_code == 200 else None,
            "api versions": len(versions.json()["results"]) if versions.status_code == 200 else 0,
        }

    @staticmethod
    def _admin(client, der: Der, query: str) -> dict:
        listed = client.get(f"{ADMIN}?{query}").context["cl"].result_list
        page, history = client.get(f"{ADMIN}{der.pk}/change/?{_moment_only(query)}"), client.get(f"{ADMIN}{der.pk}/history/")
        return {
            "admin list": [row.nameplate_ac_kw for row in listed if row.uuid == der.uuid],
            "admin": page.context["original"].nameplate_ac_kw if page.status_code == 200 else None,
            "admin history": len(history.context["page_obj"].object_list) if history.status_code == 200 else 0,
        }


def _moment_only(query: str) -> str:
    return query if query.startswith("as_of") else ""


def found(listed: int | None, shown: int | None, versions: int) -> dict:
    """The same behind every door: what lists have, what the record's page shows, and how many versions there are."""
    rows = [] if listed is None else [listed]
    return {
        **dict.fromkeys(("list", "export", "api list", "admin list"), rows),
        **dict.fromkeys(("page", "api", "admin"), shown),
        **dict.fromkeys(("history", "api versions", "admin history"), versions),
        "certificate": 404 if shown is None else 200,
    }


NOTHING = found(None, None, 0)


@pytest.fixture
def doors(world, client_of, api_of, monkeypatch) -> Doors:
    """Paper is printed elsewhere; who gets it is decided before."""
    monkeypatch.setattr("moc.pdf.to_pdf", lambda html, given=None: b"paper")
    return Doors(world, client_of, api_of)


@pytest.fixture
def der(world) -> Der:
    """Registered fifty days ago with 1 kW, made 2 kW ten days ago."""
    (der,) = register(world, 1)
    days_pass(40)
    sized(der, 2)
    days_pass(10)
    return der


def sized(der: Der, kw: int, **facts) -> None:
    with acting(None, "system: tests"):
        Der.objects.filter(pk=der.pk).update(nameplate_ac_kw=kw, **facts)


def only(der: Der):
    return Der.objects.filter(pk=der.pk)


def today(days: int = 0) -> date:
    return timezone.localdate() + timedelta(days=days)


def then(days: int) -> str:
    return f"as_of={today(days)}"


def handed(world, der: Der, days: int = 0) -> None:
    hand_over(
        actor=world.user("edc", "approver"), ders=only(der), aggregator=world.organizations[SECOND], on=today(days), reason="Customer left"
    )


def ended(world, der: Der, days: int = 0) -> None:
    end_tenure(actor=world.user("edc", "approver"), ders=only(der), on=today(days), reason="Customer left")


def begun(world, der: Der, party: str, days: int = 0) -> None:
    begin_tenure(
        actor=world.user("edc", "approver"), ders=only(der), aggregator=world.organizations[party], on=today(days), reason="Customer came"
    )


def test_the_former_sees_it_as_its_tenure_ended_and_the_next_from_then_on(world, doors, der):
    handed(world, der)
    sized(der, 5)
    days_pass(3)
    assert doors.of(FIRST, der, "tenure=former") == found(2, 2, 2)
    assert doors.of(FIRST, der) == found(None, 2, 2), "not among those held now"
    assert doors.of(SECOND, der) == found(5, 5, 2)
    assert doors.of(SECOND, der, "tenure=former") == found(None, 5, 2)
    assert doors.of("edc", der) == found(5, 5, 4)
    assert doors.of("edc2", der) == doors.of("edc2", der, "tenure=former") == NOTHING


def test_of_a_past_moment_each_sees_its_own_days(world, doors, der):
    handed(world, der)
    days_pass(3)
    assert doors.of(FIRST, der, then(-20)) == found(1, 1, 2)
    assert doors.of(FIRST, der, then(-5)) == found(2, 2, 2)
    assert doors.of(FIRST, der, then(-1)) == found(None, None, 0) | {"api versions": 2, "admin history": 2}
    assert doors.of(SECOND, der, then(-5)) == found(None, None, 0) | {"api versions": 1, "admin history": 1}
    assert doors.of(SECOND, der, then(-1)) == found(2, 2, 1)


def test_the_last_day_counts_and_the_first_day_without_does_not(world, doors, der):
    """The clock of the platform looks every few minutes; what is changed in between is not the former's any more."""
    ended(world, der, 1)
    sized(der, 3)
    days_pass(1)
    sized(der, 4)
    assert apply_due() == 1 and apply_due() == 0
    assert doors.of(FIRST, der, "tenure=former") == found(3, 3, 3)
    assert doors.of("edc", der)["page"] == 4


def test_a_future_tenure_shows_nothing_yet(world, doors, der):
    handed(world, der, 5)
    assert doors.of(FIRST, der) == found(2, 2, 2)
    assert doors.of(SECOND, der) == doors.of(SECOND, der, then(-1)) == NOTHING
    days_pass(4)
    assert apply_due() == 0
    days_pass(1)
    assert apply_due() == 1
    assert doors.of(FIRST, der, "tenure=former") == found(2, 2, 2)
    assert doors.of(SECOND, der) == found(2, 2, 1)


def test_a_gap_and_a_second_tenure(world, doors, der):
    ended(world, der)
    days_pass(4)
    sized(der, 5)
    assert doors.of(FIRST, der, "tenure=former") == found(2, 2, 2)
    assert doors.of("edc", der)["page"] == 5
    days_pass(4)
    begun(world, der, FIRST)
    sized(der, 6)
    days_pass(1)
    assert doors.of(FIRST, der) == found(6, 6, 4), "current again: the record as it is, but nothing of the gap in its history"
    assert doors.of(FIRST, der, "tenure=former")["list"] == []
    assert doors.of(FIRST, der, then(-3))["page"] is None, "in the gap"
    assert doors.of(FIRST, der, then(-12))["page"] == 2
    handed(world, der)
    assert doors.of(FIRST, der, "tenure=former") == found(6, 6, 4), "as the second tenure ended, once"


def test_a_der_retired_after_the_tenure_ended_is_in_operation_for_the_former(world, doors, der, client_of):
    handed(world, der)
    with acting(None, "system: tests"):
        only(der).update(status=Der.Status.DECOMMISSIONED, decommissioned_on=today())
    assert doors.of(FIRST, der, "tenure=former") == found(2, 2, 2)
    assert doors.of(FIRST, der, "tenure=former&status=active")["list"] == [2]
    page = client_of(world.user(FIRST, "approver")).get(f"{LIST}{der.uuid}/")
    assert page.context["object"].status == "active" and page.context["transitions"] == []
    assert b"as it stood when your tenure ended" in page.content
    assert doors.of(SECOND, der, "status=decommissioned")["list"] == [2]


@pytest.mark.parametrize("upper", [date(2026, 3, 8), date(2026, 3, 9), date(2025, 11, 2), date(2025, 11, 3)], ids=str)
def test_days_end_at_local_midnight_when_the_clocks_change(world, doors, der, upper):
    """New Jersey's clocks changed on 8 March 2026 and on 2 November 2025."""
    midnight = datetime.combine(upper, time.min, tzinfo=ZoneInfo(settings.TIME_ZONE))
    ended(world, der, 1)
    sized(der, 3)
    registered, second, third = Der.history.model.objects.filter(id=der.pk).order_by("history_id").values_list("history_id", flat=True)
    recorded_at(registered, midnight - timedelta(days=3))
    recorded_at(second, midnight - timedelta(microseconds=1))
    recorded_at(third, midnight)
    ends_on(DerTenure.objects.get(der=der).pk, upper)
    apply_due()
    assert DerTenure.objects.get(der=der).closing_id == second
    assert doors.of(FIRST, der, "tenure=former") == found(2, 2, 2)
    held = doors.api_of(world.user(FIRST, "viewer")).get(f"{API}{der.uuid}/")["Tenure-Ended"]
    assert datetime.fromisoformat(held) == midnight - timedelta(microseconds=1)


def test_a_former_party_finds_nothing_by_what_came_later_nor_the_next_by_what_was(world, doors, der):
    handed(world, der)
    sized(der, 5, serial_no="LATER-1", premise_address="9 Later Road, Red Bank", external_id="B-1")
    for query, former, present in (("DSN1", 2, None), ("LATER-1", None, 5), ("later+road", None, 5), ("D-1", 2, None), ("B-1", None, 5)):
        for party, asked, size in ((FIRST, f"tenure=former&q={query}", former), (SECOND, f"q={query}", present)):
            seen = doors.of(party, der, asked)
            assert [seen[door] for door in ("list", "api list", "admin list")] == [[size] if size else []] * 3, (query, party)


def test_pages_of_former_records_follow_each_other_both_ways(world, client_of, api_of):
    ders = register(world, 7)
    days_pass(2)
    actor = world.user("edc", "approver")
    hand_over(actor=actor, ders=Der.objects.all(), aggregator=world.aggregator2, on=today(), reason="Sold")
    api = api_of(world.user(FIRST, "viewer"))
    first = api.get(f"{API}?tenure=former&page_size=3&count=exact").json()
    second = api.get(first["next"]).json()
    third = api.get(second["next"]).json()
    names = [record["external_id"] for page in (first, second, third) for record in page["results"]]
    assert names == [der.external_id for der in reversed(ders)] and first["count"] == 7
    assert (first["previous"], third["next"]) == (None, None)
    assert api.get(third["previous"]).json()["results"] == second["results"]
    client = client_of(world.user(FIRST, "viewer"))
    client.get(LIST)
    counts = {}
    for query in ("", "tenure=former"):
        with CaptureQueriesContext(connection) as captured:
            page = client.get(f"{LIST}?{query}")
        counts[query] = len(captured)
    assert len(page.context["table"].rows) == 7 and counts["tenure=former"] <= counts[""] + PAGE_QUERIES


@pytest.mark.parametrize("query", ["tenure=mine", "tenure=former&as_of=2026-01-01"])
def test_the_api_refuses_what_it_does_not_know(world, api_of, query):
    answer = api_of(world.user(FIRST, "viewer")).get(f"{API}?{query}")
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "tenure")
