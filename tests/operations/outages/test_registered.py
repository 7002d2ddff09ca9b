"""The operational log of what the registry decided: O5. One entry an act, with its set, before and after; told once, however late."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import connection, transaction
from django.utils import timezone

from moc.access.models import User
from moc.history import acting
from moc.portal import paging
from operations.outages import tasks
from operations.outages.filters import BY_TIME
from operations.outages.models import LogEntry
from operations.outages.services import log, registered
from registry.customers import services as customers
from registry.customers.models import OwnerAccount
from registry.ders.models import Der
from registry.reconfigurations.services import acts
from registry.submissions.models import StagedDer
from registry.submissions.services import changes, filing, reviewing
from tests.factories.ders import register
from tests.factories.filings import reviewed, row, store_in
from tests.factories.personal import registered_owner
from tests.factories.world import REASON

pytestmark = pytest.mark.django_db
API, PAGE = "/api/v1/operations/log/", "/operations/outages/log/"
PARTIES = {"edc": "log_of_utility_by_time", "tso": "log_of_rto_by_time", "aggregator": "log_of_aggregator_by_time"}
END = 1 << 62  # after every transaction
WINDOW = [{"starts": "10:00", "ends": "14:00", "rrule": "FREQ=DAILY", "export_kw": 1}]


@pytest.fixture(autouse=True)
def _files(settings, tmp_path) -> None:
    store_in(settings, tmp_path)


@pytest.fixture
def settled(monkeypatch) -> None:
    """The acts of the test count as committed: its own transaction does not end before it."""
    monkeypatch.setattr(registered, "horizon", lambda: END)


def decide(world, review, numbers, kind="approve_limited", **terms):
    rows = StagedDer.objects.of_review(review).filter(external_id__in=[f"A-{n}" for n in numbers])
    return reviewing.decide(actor=world.user("edc", "reviewer"), review=review, rows=rows, kind=kind, **terms)


def change(world, how: str, values=None, **terms) -> None:
    """All DERs change; what the utility reviews it decides by the terms."""
    filer, approver = world.user("aggregator", "filer"), world.user("aggregator", "approver")
    made = changes.start(actor=filer, aggregator=world.aggregator, kind=how, ders=Der.objects.all(), reason="Roof work", values=values)
    version, _, _ = filing.attestation()
    filing.submit(actor=approver, submission=made, attestation_version=version)
    if terms:
        review = made.reviews.get()
        reviewing.decide(actor=world.user("edc", "reviewer"), review=review, rows=StagedDer.objects.of_review(review), **terms)


def test_a_limiting_decision_is_one_act_with_its_set(world, settled, api_of, client_of):
    """Who, why, how many DERs, on which feeders; a plain approval is none. Readers find it as any other act, and go to the decision."""
    review = reviewed(world, [row(n) for n in (1, 2, 3)])
    decide(world, review, [3], kind="approve")
    decision = decide(world, review, [1, 2], export_limit_kw=Decimal(5), statement="The feeder is full", inverter_settings={"max_w": 60})
    assert tasks.begin_due() == 1 and tasks.begin_due() == 0
    entry = LogEntry.objects.get()
    assert (entry.act, entry.actor, entry.reason) == ("decision_limits", world.user("edc", "reviewer"), "The feeder is full")
    assert (entry.edc, entry.aggregator, entry.decision, entry.at) == (world.edc, world.aggregator, decision, decision.decided_at)
    assert entry.before["ders"] == 0
    told = {name: entry.after[name] for name in ("ders", "status", "export_limit_kw", "import_limit_kw", "inverter_settings")}
    assert told == {"ders": 2, "status": "active", "export_limit_kw": 5.0, "import_limit_kw": None, "inverter_settings": {"max_w": 60}}
    feeders = set(Der.objects.filter(external_id__in=["A-1", "A-2"]).values_list("feeder__code", flat=True))
    assert set(entry.after["feeders"]) == feeders
    for party in ("edc", "aggregator"):
        api, client = api_of(world.user(party, "viewer")), client_of(world.user(party, "viewer"))
        for code in feeders:
            (seen,) = api.get(f"{API}?act=decision_limits&feeder={code}").json()["results"]
            assert seen["decision"] == str(decision.uuid)
        assert api.get(f"{API}?feeder=F99").json()["results"] == []
        link = f"/registry/reviews/{review.uuid}/"
        page = client.get(PAGE).content.decode()
        assert f'href="{link}"' in page and "export limit kW" in page and client.get(link).status_code == 200
        assert b"decision_limits" in b"".join(client.get(f"{PAGE}export.csv").streaming_content)
    for party in ("edc2", "aggregator2"):
        assert api_of(world.user(party, "administrator")).get(API).json()["results"] == []


def written(world, *hours: int) -> None:
    """Acts so many hours ago, written in this order."""
    parties = {party: getattr(world, party) for party in PARTIES}
    for n, ago in enumerate(hours):
        at = timezone.now().replace(microsecond=0) - timedelta(hours=ago)
        log.write(actor=None, act="event_told", subject=f"S{n}", before={}, after={}, at=at, **parties)


def test_what_was_taken_in_late_stands_where_it_was_done(world, api_of, client_of):
    """By page, CSV and API, newest first and back, page after page; of one moment the last that was written is the newest."""
    written(world, 3, 1, 5, 3, 0)
    newest = ["S4", "S1", "S3", "S0", "S2"]
    for party in PARTIES:
        api, client = api_of(world.user(party, "administrator")), client_of(world.user(party, "administrator"))
        for asked, wanted in (("", newest), ("&sort=at", newest[::-1]), ("&sort=-id", ["S4", "S3", "S2", "S1", "S0"])):
            seen, link = [], f"{API}?page_size=2{asked}"
            while link:
                said = api.get(link).json()
                seen, link = seen + [row["subject"] for row in said["results"]], said["next"]
            assert seen == wanted, (party, asked)
        for asked, wanted in (("", newest), ("?sort=at", newest[::-1])):
            assert [row["subject"] for row in client.get(f"{PAGE}{asked}").context["view"].page_rows()] == wanted
            lines = b"".join(client.get(f"{PAGE}export.csv{asked}").streaming_content).decode("utf-8-sig").splitlines()[1:]
            assert [line.split(",")[2] for line in lines] == wanted


def test_a_page_of_the_log_is_a_range_of_an_index(world, client_of, django_assert_num_queries):
    """However many acts there are, and wherever in time: no rows are sorted, and a page costs the same queries."""
    written(world, *range(3))
    client = client_of(world.user("edc", "viewer"))
    client.get(PAGE)
    with django_assert_num_queries(8):  # session, user, rights, parties, page, rows, role, what waits
        client.get(PAGE)
    written(world, *range(60))
    with django_assert_num_queries(9):  # and how many there are
        client.get(PAGE)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off")
        edge = [timezone.now() - timedelta(hours=9), 10**6]
        for party, index in (PARTIES | {None: "log_by_time"}).items():
            sort = BY_TIME[0]
            after = paging.RowComparison(sort.names, edge, "<", sort.fields_of(LogEntry))
            rows = LogEntry.objects.filter(after, **({party: getattr(world, party)} if party else {}))
            plan = rows.order_by(*sort.fields)[:51].explain()
            assert index in plan and "Sort" not in plan, plan


def test_before_and_after_are_of_history(world, settled):
    """A change with other limits, however different they were: what each DER had, and what all have."""
    review = reviewed(world, [row(n) for n in (1, 2, 3)])
    decide(world, review, [1], export_limit_kw=Decimal(3))
    decide(world, review, [2], export_limit_kw=Decimal("4.5"))
    decide(world, review, [3], kind="approve")
    assert registered.look() == 2
    meters = {der.pk: {"meter_id": f"M-{der.pk}"} for der in Der.objects.all()}
    change(world, "modify", meters, kind="approve_limited", export_limit_kw=Decimal(2), temporal_limits=WINDOW)
    assert registered.look() == 1
    entry = LogEntry.objects.order_by("pk").last()
    assert (entry.before["ders"], entry.before["export_limit_kw"], entry.before["limits_by_time"]) == (3, "3 to 4.5, or none", None)
    assert (entry.after["ders"], entry.after["export_limit_kw"], entry.after["limits_by_time"]) == (3, 2.0, WINDOW)
    change(world, "modify", {pk: {"meter_id": "M"} for pk in meters}, kind="approve")
    assert registered.look() == 0, "limits stay, and nothing else is an act"


def test_out_of_service_and_back_is_the_aggregators_act(world, settled):
    decide(world, reviewed(world, [row(1), row(2)]), [1, 2], kind="approve")
    assert registered.look() == 0
    for kind, act, states in (
        ("suspend", "ders_suspend", ("active", "inactive", 15.2, 0)),
        ("reinstate", "ders_reinstate", ("inactive", "active", 0, 15.2)),
    ):
        change(world, kind)
        assert registered.look() == 1
        entry = LogEntry.objects.get(act=act)
        assert (entry.actor, entry.reason) == (world.user("aggregator", "approver"), "Roof work")
        assert (entry.before["status"], entry.after["status"]) == states[:2]
        assert (entry.before["in_service_kw"], entry.after["in_service_kw"]) == states[2:] and entry.after["ders"] == 2
    change(world, "retire", kind="approve")
    assert registered.look() == 1 and LogEntry.objects.get(act="ders_retire").after["status"] == "decommissioned"


def test_what_an_owner_keeps_is_an_act_without_the_owners_name(world, settled, api_of, client_of):
    """N12: that the owner keeps it concerns both parties, who the owner is only who has a purpose. A new reserve replaces the former."""
    owner = registered_owner(world.aggregator, world.edc, edc_account_no="A-1", owner_name="Ann Smith", owner_email="ann@example.org")
    (der,) = register(world, 1, owner=owner)
    with acting(None, REASON):
        ann = User.objects.create_user("ann@example.org", "not used", name="Ann Smith")
        OwnerAccount.objects.create(user=ann, owner=owner, edc=world.edc)
    use = customers.state_use(actor=ann, der=der, kind="reserve", reserve_percent=20)
    assert registered.look() == 1
    customers.end_use(actor=ann, use=use)
    assert registered.look() == 1 and registered.look() == 0
    entries = LogEntry.objects.order_by("pk")
    assert [(entry.act, entry.before["kept"], entry.after["kept"]) for entry in entries] == [
        ("owner_keeps", None, "20 % stays in reserve"),
        ("owner_gives_back", "20 % stays in reserve", None),
    ]
    assert {(entry.actor, entry.edc, entry.aggregator, entry.feeder) for entry in entries} == {
        (None, world.edc, world.aggregator, der.feeder)
    }
    for party in ("edc", "aggregator"):
        page = client_of(world.user(party, "viewer")).get(PAGE).content.decode()
        assert "20 % stays in reserve" in page and "The owner" in page and "Ann" not in page
    assert api_of(world.user("aggregator2", "administrator")).get(API).json()["results"] == []


def test_a_reserve_in_place_of_another_is_one_act(world, settled):
    owner = registered_owner(world.aggregator, world.edc, edc_account_no="A-1")
    (der,) = register(world, 1, owner=owner)
    with acting(None, REASON):
        ann = User.objects.create_user("ann@example.org", "not used", name="Ann")
        OwnerAccount.objects.create(user=ann, owner=owner, edc=world.edc)
    for percent in (20, 30):
        customers.state_use(actor=ann, der=der, kind="reserve", reserve_percent=percent)
    assert registered.look() == 2
    assert LogEntry.objects.order_by("pk").last().before["kept"] == "20 % stays in reserve"


def test_points_that_move_to_another_feeder_are_one_act(world, settled, api_of, client_of):
    """Found by either feeder, with whom it was that carried it out; a preview is none."""
    first, second = world.feeders["edc"][:2]
    manager = world.user("edc", "administrator")
    register(world, 4)
    given = {"edc": world.edc, "reason": "Relief", "starts_on": date(2026, 3, 1), "from_feeder": first, "to_feeder": second}
    made = acts.prepare(actor=manager, **given)
    assert registered.look() == 0
    made = acts.carry_out(actor=manager, reconfiguration=made)
    assert registered.look() == 1 and registered.look() == 0
    entry = LogEntry.objects.get()
    assert (entry.act, entry.actor, entry.reason, entry.at) == ("points_move", manager, "Relief", made.done_at)
    assert (entry.before["feeders"], entry.after["feeders"]) == ([first.code], [second.code])
    assert (entry.after["service_points"], entry.after["ders"]) == (made.point_count, made.der_count) and made.der_count
    api = api_of(world.user("edc", "viewer"))
    assert [len(api.get(f"{API}?feeder={feeder.code}").json()["results"]) for feeder in (first, second)] == [1, 1]
    link = f"/registry/reconfigurations/{made.uuid}/"
    client = client_of(world.user("edc", "viewer"))
    assert f'href="{link}"' in client.get(PAGE).content.decode() and client.get(link).status_code == 200
    assert api_of(world.user("edc2", "administrator")).get(API).json()["results"] == []


def test_a_look_stops_before_what_is_not_committed_and_costs_little(world, monkeypatch, django_assert_num_queries):
    """A transaction that is open still may have written more: its acts are told when it has ended. Nothing new is two queries a kind,
    one of acts of grids."""
    decide(world, reviewed(world, [row(1)]), [1], export_limit_kw=Decimal(5), temporal_limits=WINDOW)
    assert registered.look() == 0
    monkeypatch.setattr(registered, "horizon", lambda: END)
    assert registered.look() == 1 and LogEntry.objects.get().after["limits_by_time"]
    with django_assert_num_queries(5):
        assert registered.look() == 0
