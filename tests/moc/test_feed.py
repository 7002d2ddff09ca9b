"""The feed of changes (N11): a party's copy is kept in step from empty, through every change, also of what it loses sight of."""

from datetime import date
from threading import Event as Signal
from threading import Thread

import psycopg
import pytest
from django.conf import settings
from django.db import connection, transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils import timezone

from moc import sight
from moc.access.models import Oversight
from moc.history import acting
from moc.rest import feed
from moc.rulesets.models import RuleSet
from registry.aggregations.models import Aggregation, AggregationMember
from registry.aggregations.services import agents
from registry.catalogue import services as catalogue
from registry.catalogue.models import GridService
from registry.ders.models import Der
from registry.ders.services import hand_over
from registry.jurisdictions.models import AnnualSales, Jurisdiction
from registry.jurisdictions.services import reference
from registry.participants.models import UtilityProfile
from registry.prequalification.services import passes
from registry.submissions.switching import SwitchNotice
from tests.contracts.scene_aggregations import ALWAYS, make
from tests.factories.ders import register
from tests.factories.filings import reviewed, row, store_in
from tests.factories.tenures import days_pass

pytestmark = pytest.mark.django_db(transaction=True)
URL = "/api/v1/changes/"
REASON = "system: test"


def settled() -> int:
    """The horizon of this database alone: what runs beside it in others of the same server shall not hold a test up."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint")
        upper = cursor.fetchone()[0]
    with psycopg.connect(settings.DATABASE_SUPERUSER_URL) as server:
        name = connection.settings_dict["NAME"]
        open_ = "SELECT min(backend_xid::text::bigint) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()"
        return server.execute(open_, [name]).fetchone()[0] or upper


@pytest.fixture(autouse=True)
def _alone(monkeypatch) -> None:
    monkeypatch.setattr(feed, "horizon", settled)


FILED = "".join(f"&kind={kind}" for kind in ("der", "aggregation", "member", "submission", "review", "decision"))


class Copy:
    """A party's own database, kept in step by the feed."""

    def __init__(self, api, query: str = f"?page_size=2{FILED}"):
        self.api, self.next, self.rows, self.told = api, f"{URL}{query}", {}, []

    def follow(self) -> "Copy":
        """Until there is no more now."""
        more = True
        while more:
            page = self.api.get(self.next).json()
            for each in page["results"]:
                self.told.append((each["change"], each["kind"], each["id"]))
                key = each["kind"], each["id"]
                self.rows[key] = each["record"]
                if each["change"] == "gone":
                    del self.rows[key]
            more, self.next = page["more"], page["next"]
        return self

    def of(self, kind: str) -> dict:
        return {key: record for (each, key), record in self.rows.items() if each == kind}


def listed(api, name: str) -> dict:
    """What the resource's own list shows."""
    return {each["id"]: each for each in api.get(f"/api/v1/registry/{name}/?page_size=500").json()["results"]}


def in_step(copy: Copy) -> bool:
    names = {"der": "ders", "aggregation": "aggregations", "submission": "submissions", "review": "reviews", "decision": "decisions"}
    return all(copy.of(kind) == listed(copy.api, name) for kind, name in names.items())


@pytest.fixture
def api(world, api_of):
    return api_of(world.user("aggregator", "auditor"))


@pytest.fixture
def files(settings, tmp_path) -> None:
    store_in(settings, tmp_path)


@pytest.fixture
def services(db) -> None:
    if not GridService.objects.exists():
        with acting(None, REASON):
            catalogue.load()


def change(*ders, **facts) -> None:
    with acting(None, REASON):
        Der.objects.filter(pk__in=[der.pk for der in ders]).update(**facts)


def test_a_copy_is_filled_from_empty_and_kept_in_step(world, api, files):
    ders = register(world, 5)
    register(world, 3, edc="edc2", aggregator="aggregator2", prefix="X")
    reviewed(world, [row(1)])
    copy = Copy(api).follow()
    assert in_step(copy) and len(copy.of("der")) == 5 and len(copy.of("review")) == 1
    copy.told.clear()
    assert copy.follow().told == []
    change(ders[0], model="another")
    register(world, 2, prefix="N")
    reviewed(world, [row(2)])
    assert in_step(copy.follow()) and len(copy.of("der")) == 7 and copy.of("der")[str(ders[0].uuid)]["model"] == "another"


def test_what_a_party_loses_is_gone_and_later_changes_are_not_told(world, api_of):
    """The former aggregator removes it, the next gets it, and the former learns nothing of what follows."""
    ders = register(world, 3)
    days_pass(2)
    former, following = (Copy(api_of(world.user(each, "auditor"))).follow() for each in ("aggregator", "aggregator2"))
    utility = Copy(api_of(world.user("edc", "auditor"))).follow()
    change(ders[0], model="on the day itself")
    facts = {"aggregator": world.aggregator2, "on": timezone.localdate(), "reason": "Customer left"}
    hand_over(actor=world.user("edc", "approver"), ders=Der.objects.filter(pk=ders[0].pk), **facts)
    former.told.clear()
    assert set(former.follow().told) == {("gone", "der", str(ders[0].uuid))}
    for copy in (former, following, utility):
        assert in_step(copy.follow())
    assert len(former.of("der")) == 2 and len(following.of("der")) == 1 and len(utility.of("der")) == 3
    former.told.clear()
    change(ders[0], model="theirs")
    assert former.follow().told == [] and following.follow().of("der")[str(ders[0].uuid)]["model"] == "theirs"


def test_a_transaction_that_commits_late_is_not_passed_over(world, api):
    early, late = register(world, 2)
    copy = Copy(api).follow()
    written, go_on = Signal(), Signal()

    def slow() -> None:
        with sight.engine(), acting(None, REASON):
            Der.objects.filter(pk=early.pk).update(model="slow")
            written.set()
            go_on.wait(20)
        connection.close()

    thread = Thread(target=slow)
    thread.start()
    written.wait(20)
    change(late, model="fast")
    assert {record["model"] for record in copy.follow().of("der").values()} == {""}, "it waits for what is still open"
    go_on.set()
    thread.join()
    assert {record["model"] for record in copy.follow().of("der").values()} == {"slow", "fast"}


def test_what_is_written_while_the_first_pages_are_read_comes_after_them(world, api):
    ders = register(world, 4)
    copy = Copy(api)
    page = api.get(copy.next).json()
    copy.next, copy.rows = page["next"], {("der", each["id"]): each["record"] for each in page["results"]}
    change(ders[0], model="meanwhile")
    register(world, 1, prefix="N")
    assert in_step(copy.follow())


def test_a_cursor_is_replayed_and_a_strange_one_refused(world, api):
    ders = register(world, 3)
    copy = Copy(api).follow()
    change(*ders, model="one")
    first = api.get(copy.next).json()
    assert [each["id"] for each in api.get(copy.next).json()["results"]] == [each["id"] for each in first["results"]] != []
    assert api.get(f"{URL}?after=nonsense").status_code == 400
    for query in ("kind=nothing", "page_size=0", "page_size=5000", "strange=1"):
        assert api.get(f"{URL}?{query}").status_code == 400


def test_a_cursor_of_another_reach_starts_again(world, api_of):
    """A regulator that oversees one utility less cannot know by itself what to remove."""
    api = api_of(world.user("rerra", "auditor"))
    register(world, 1)
    copy = Copy(api).follow()
    with acting(None, REASON):
        Oversight.objects.filter(overseer=world.rerra).delete()
    refused = api.get(copy.next)
    assert refused.status_code == 409 and refused.json()["code"] == "FEED-SCOPE"
    assert api_of(world.user("aggregator", "auditor")).get(copy.next).status_code == 409


def test_what_others_change_is_passed_over_in_bounded_steps(world, api, monkeypatch):
    monkeypatch.setattr(feed, "EXAMINED", 4)
    mine = register(world, 1)
    theirs = register(world, 9, edc="edc2", aggregator="aggregator2", prefix="X")
    copy = Copy(api).follow()
    change(*theirs, model="theirs")
    change(*mine, model="mine")
    page = api.get(copy.next).json()
    assert page["results"] == [] and page["more"] and page["next"] != copy.next
    assert [record["model"] for record in copy.follow().of("der").values()] == ["mine"]


def test_an_aggregation_that_is_filed_comes_into_the_rtos_sight_with_its_members(world, api_of, services):
    """¶238: members are told one by one; those that were there before the filing are read anew."""
    der = register(world, 1)[0]
    with acting(None, REASON):
        aggregation = make(world.aggregator, world.tso, name="An aggregation")
        seat = {"aggregation": aggregation, "aggregator": world.aggregator, "edc": world.edc, "wholesale": True}
        member = AggregationMember.objects.create(der=der, service_id="energy", valid_during=ALWAYS, **seat)
    copy = Copy(api_of(world.user("tso", "auditor"))).follow()
    assert copy.of("aggregation") == {} == copy.of("member")
    with acting(None, REASON):
        Aggregation.objects.filter(pk=aggregation.pk).update(status="submitted")
    told = next(each for each in copy.api.get(f"{copy.next}&page_size=100").json()["results"] if each["kind"] == "aggregation")
    assert told["below"] == ["members", "qualifications"] and told["record"]["status"] == "submitted"
    assert in_step(copy.follow())
    with acting(None, REASON):
        AggregationMember.objects.filter(pk=member.pk).update(share_percent=50)
    assert [each["share_percent"] for each in copy.follow().of("member").values()] == [50]
    with acting(None, REASON):
        AggregationMember.objects.filter(pk=member.pk).delete()
    assert copy.follow().of("member") == {}
    with acting(None, REASON):
        Aggregation.objects.filter(pk=aggregation.pk).update(name="Another name")
    again = next(each for each in copy.api.get(copy.next).json()["results"] if each["kind"] == "aggregation")
    assert again["below"] == []


def test_a_page_costs_the_same_queries_however_much_changed(world, api, django_assert_max_num_queries):
    ders = register(world, 20)
    copy = Copy(api, "?kind=der&page_size=5").follow()
    change(*ders[:5], model="few")
    with django_assert_max_num_queries(40) as few:
        api.get(copy.next)
    change(*ders, model="many")
    with django_assert_max_num_queries(len(few.captured_queries)):
        api.get(copy.next)


def test_a_rolled_back_change_is_not_told(world, api):
    ders = register(world, 1)
    copy = Copy(api).follow()
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        change(*ders, model="never")
        raise ZeroDivisionError
    copy.told.clear()
    assert copy.follow().told == []


def test_an_agents_copy_follows_its_grant(world, api_of, services):
    """An agent's copy gets the aggregation when the agency is granted and loses it when that ends; what it does for itself it keeps."""
    with acting(None, REASON):
        aggregation = make(world.aggregator, world.tso, name="Run by another", dispatch_agent=world.aggregator2)
        own = make(world.aggregator2, world.tso, name="Its own")
        Aggregation.objects.filter(pk=aggregation.pk).update(status="submitted")
    copy = Copy(api_of(world.user("aggregator2", "auditor"))).follow()
    assert set(copy.of("aggregation")) == {str(own.uuid)}
    aggregation.refresh_from_db()
    with transaction.atomic(), acting(None, REASON):
        agents.settle(aggregation)
    assert in_step(copy.follow()) and set(copy.of("aggregation")) == {str(own.uuid), str(aggregation.uuid)}
    copy.told.clear()
    agents.end(actor=world.user("aggregator", "filer"), aggregation=aggregation, role="dispatch_agent")
    assert copy.follow().told == [("gone", "aggregation", str(aggregation.uuid))] and in_step(copy)


PUBLIC = {"jurisdiction": "jurisdictions", "annual-sales": "annual-sales", "utility": "utilities", "retail-program": "retail-programs"}


def of_list(api, address: str) -> list[str]:
    return sorted(str(each) for each in api.get(f"/api/v1/{address}/?page_size=500").json()["results"])


def alike(copy: Copy) -> bool:
    """Whether the copy holds what the lists of reference data, verdicts and switches show its reader."""
    names = {kind: f"registry/{name}" for kind, name in PUBLIC.items()}
    names |= {"ruleset": "rulesets", "qualification": "registry/qualifications", "switch": "registry/switches"}
    return all(sorted(map(str, copy.of(kind).values())) == of_list(copy.api, name) for kind, name in names.items())


def test_reference_data_and_the_law_are_kept_in_step(world, api_of):
    """What is public reaches every reader: added, ended, changed from a day on, drafted; and a row of the law."""
    copy, keeper = Copy(api_of(world.user("aggregator", "auditor")), "").follow(), world.user("operator", "administrator")
    assert alike(copy) and len(copy.of("ruleset")) == RuleSet.objects.count()
    days = {"valid_during": DateRange(date(2026, 1, 1), None)}
    county = world.counties[0]
    made = reference.add(actor=keeper, record=Jurisdiction(rerra=world.rerra, edc=world.edc, county=county, **days))
    reference.add(actor=keeper, record=AnnualSales(edc=world.edc, year=2020, sales_mwh=1, source="EIA-861 2020"))
    with acting(None, REASON):
        RuleSet.objects.filter(key="telemetry_late_s").update(value=900)
        UtilityProfile.objects.filter(edc=world.edc).update(nerc_region="SERC")
    assert alike(copy.follow()) and len(copy.of("jurisdiction")) == 1
    reference.end(actor=keeper, record=made, on=date(2026, 6, 1))
    assert alike(copy.follow()) and next(iter(copy.of("jurisdiction").values()))["valid_until"] == "2026-06-01"


def test_verdicts_are_told_to_those_who_see_them_and_gone_when_they_go(world, api_of, services):
    """One entry for each verdict that changed: to its parties, and gone for the former aggregator and when nobody buys the service."""
    ders = register(world, 2)
    days_pass(2)
    passes.qualify()
    mine, theirs = (Copy(api_of(world.user(each, "auditor")), "?kind=qualification").follow() for each in ("aggregator", "aggregator2"))
    all_, told = len(mine.of("qualification")), len(mine.told)
    assert all_ > 2 and alike_verdicts(mine) and theirs.rows == {}
    passes.qualify()
    assert len(mine.follow().told) == told, "a pass that changes nothing tells nothing"
    facts = {"aggregator": world.aggregator2, "on": timezone.localdate(), "reason": "Customer left"}
    hand_over(actor=world.user("edc", "approver"), ders=Der.objects.filter(pk=ders[0].pk), **facts)
    passes.qualify(ders=[ders[0].pk])
    assert alike_verdicts(mine.follow()) and alike_verdicts(theirs.follow())
    assert len(mine.rows) == all_ / 2 == len(theirs.rows) and {change for change, *_ in mine.told[told:]} == {"gone"}
    with acting(None, REASON):
        Der.objects.filter(pk=ders[1].pk).update(status="decommissioned")
    passes.qualify(ders=[ders[1].pk])
    assert mine.follow().rows == {} == listed(mine.api, "qualifications")


def alike_verdicts(copy: Copy) -> bool:
    return sorted(map(str, copy.of("qualification").values())) == of_list(copy.api, "registry/qualifications")


def test_a_switch_is_told_to_its_three_parties(world, api_of, files):
    """The former aggregator, the new one and the utility; not to the other utility. Its end is told too."""
    copies = {
        each: Copy(api_of(world.user(each, "auditor")), "?kind=switch").follow() for each in ("aggregator", "aggregator2", "edc", "edc2")
    }
    review = reviewed(world, [row(1)])
    with acting(None, REASON):
        notice = SwitchNotice.objects.create(
            submission=review.submission,
            review=review,
            aggregator=world.aggregator2,
            former=world.aggregator,
            edc=world.edc,
            row_count=1,
            ders=[],
            starts_on=timezone.localdate(),
            due_at=timezone.now(),
        )
    seen = {each: set(copy.follow().of("switch")) for each, copy in copies.items()}
    assert seen == {"aggregator": {str(notice.uuid)}, "aggregator2": {str(notice.uuid)}, "edc": {str(notice.uuid)}, "edc2": set()}
    with acting(None, REASON):
        SwitchNotice.objects.filter(pk=notice.pk).update(status="silent")
    assert copies["edc"].follow().of("switch")[str(notice.uuid)]["status"] == "silent"
