"""Members come and go: R4, Order 2222 ¶159, ¶238, ¶336, ¶338. Each rule with a row that passes and one that fails; sets, all or nothing."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from moc.access.policy import NotPermitted
from moc.errors import Conflict, UserError
from moc.history import acting
from moc.jobs.models import Job
from moc.rules import registry
from registry.aggregations import tasks
from registry.aggregations.models import AggregationMember, AggregationUtility
from registry.aggregations.services import loads, membership
from registry.aggregations.services.membership import MembersRefused, Terms
from registry.ders.models import Der
from registry.submissions.services import members
from tests.factories.ders import register
from tests.factories.filings import store_in, table, upload
from tests.factories.world import REASON
from tests.registry.aggregations.making import chosen, filed, made

pytestmark = pytest.mark.django_db
TODAY = timezone.localdate()
YESTERDAY, TOMORROW = TODAY - timedelta(days=1), TODAY + timedelta(days=1)


@pytest.fixture(autouse=True)
def _files(settings, tmp_path) -> None:
    store_in(settings, tmp_path)


def by_file(world, aggregation, rows, *, leaving: bool = False, only_good: bool = False) -> Job:
    content = rows if isinstance(rows, bytes) else table(rows)
    actor = world.user("aggregator", "filer")
    job = loads.receive(actor=actor, aggregation=aggregation, upload=upload(content, "members.csv"), leaving=leaving, only_good=only_good)
    tasks.load(job.pk)
    job.refresh_from_db()
    return job


def codes(job: Job) -> set[tuple[int, str, str]]:
    return {(each["row"], each["code"], each["column"]) for each in job.outcome.get("problems", [])}


# rule → (what makes the row of an addition wrong, the column that is blamed)
CASES = {
    "MEMBER-DER": ({"der": "D-99"}, "der"),
    "MEMBER-SERVICE": ({"service": "capacity"}, "service"),
    "MEMBER-SHARE": ({"share_percent": "101"}, "share_percent"),
    "MEMBER-DAY": ({"from": "June"}, "from"),
    "MEMBER-PERIOD": ({"from": "2027-06-02", "until": "2027-06-01"}, "until"),
    "MEMBER-DUPLICATE": ({"der": "D-1"}, "der"),
    "MEMBER-GONE": ({"der": "G-1"}, "der"),
    "MEMBER-ALREADY": ({"der": "M-1"}, "der"),
    "MEMBER-TAKEN": ({"der": "T-1"}, "der"),
}
OTHER_TESTS = {"MEMBER-CONSENT", "MEMBER-PAST", "MEMBER-ABSENT", "MEMBER-TOO-MANY-CELLS", "MEMBER-TOO-FEW-CELLS"}


def test_every_rule_has_a_case():
    assert {code for code in registry if code.startswith("MEMBER-")} == set(CASES) | OTHER_TESTS


@pytest.mark.parametrize("code", CASES)
def test_rule(world, code):
    """The right row has no finding; the wrong one has this; and nothing was changed."""
    register(world, 2)
    with acting(None, REASON):
        Der.objects.filter(pk=register(world, 1, prefix="G")[0].pk).update(status="decommissioned")
    aggregation = made(world, ders=register(world, 1, prefix="M"))
    made(world, "Another", ders=register(world, 1, prefix="T"))
    before = AggregationMember.objects.count()
    wrong, column = CASES[code]
    job = by_file(world, aggregation, [{"der": "D-1"}, {"der": "D-2"} | wrong])
    assert (job.status, codes(job)) == (Job.Status.FAILED, {(3, code, column)})
    assert AggregationMember.objects.count() == before
    told = job.outcome["problems"][0]
    assert told["sentence"] == registry[code].sentence and told["remedy"]


def test_rows_of_another_width(world):
    job = by_file(world, made(world), b"der,service\nD-1,energy,more\nD-2\n")
    assert {code for _, code, _ in codes(job)} >= {"MEMBER-TOO-MANY-CELLS", "MEMBER-TOO-FEW-CELLS"}


def test_the_good_rows_of_a_file(world):
    """Those that are asked for: the others stay told."""
    register(world, 3)
    aggregation = made(world)
    rows = [{"der": "D-1", "share_percent": "40", "until": "2031-01-01"}, {"der": "D-9"}, {"der": "D-3", "from": "2030-01-01"}]
    job = by_file(world, aggregation, rows, only_good=True)
    assert (job.status, job.outcome["rows"], job.outcome["bad"], job.outcome["changed"]) == (Job.Status.DONE, 3, 1, 2)
    assert job.outcome["by_rule"] == [["MEMBER-DER", 1]]
    first, last = aggregation.members.order_by("der__external_id")
    assert (first.share_percent, first.valid_during.lower, str(first.valid_during.upper)) == (Decimal(40), TODAY, "2031-01-01")
    assert (first.aggregator, first.edc, first.wholesale) == (world.aggregator, world.edc, True)
    assert (str(last.valid_during.lower), last.valid_during.upper) == ("2030-01-01", None)
    tasks.load(job.pk)
    assert aggregation.members.count() == 2, "a job that ended is not done again"


def test_a_job_whose_worker_died_after_the_commit_is_not_done_twice(world):
    register(world, 1)
    aggregation = made(world)
    job = by_file(world, aggregation, [{"der": "D-1"}])
    Job.objects.filter(pk=job.pk).update(status=Job.Status.QUEUED)
    tasks.load(job.pk)
    job.refresh_from_db()
    assert (job.status, job.outcome["changed"], aggregation.members.count()) == (Job.Status.DONE, 1, 1)


def test_list_filter_and_file_say_the_same(world):
    """One engine: three ways leave equal rows, one for each service, named by DER id or by the aggregator's own id."""
    ders = register(world, 3)
    sought = ["energy", "peak_reduction"]
    found = []
    for number, way in enumerate(("list", "filter", "file")):
        aggregation = made(world, way, purpose="both", services=sought)
        terms = Terms(starts=TODAY + timedelta(days=10 * number), ends=TODAY + timedelta(days=10 * number + 9))
        actor = world.user("aggregator", "filer")
        if way == "file":
            days = {"from": str(terms.starts), "until": str(terms.ends)}
            by_file(world, aggregation, [{"der": str(der.uuid)} | days for der in ders])
        else:
            named = chosen(ders) if way == "filter" else [ders[0].external_id, *(str(der.uuid) for der in ders[1:])]
            membership.add(actor=actor, aggregation=aggregation, ders=named, terms=terms)
        found.append(set(aggregation.members.values_list("der", "service", "edc", "wholesale", "share_percent")))
    assert found[0] == found[1] == found[2] and len(found[0]) == 6
    assert {(service, wholesale) for _, service, _, wholesale, _ in found[0]} == {("energy", True), ("peak_reduction", False)}


def test_one_wholesale_aggregation_per_service_at_a_time(world):
    """¶159, ¶160: refused for the same service and days; not for another service, other days, or a distribution service."""
    ders, actor = register(world, 2), world.user("aggregator", "filer")
    first = made(world, "First", ders=ders)
    second = made(world, "Second", purpose="both", services=["energy", "capacity", "peak_reduction"])
    with pytest.raises(MembersRefused) as refusal:
        membership.add(actor=actor, aggregation=second, ders=chosen(ders), terms=Terms())
    assert {each["code"] for each in refusal.value.problems} == {"MEMBER-TAKEN"} and not second.members.exists()
    others = Terms(services=("capacity", "peak_reduction"))
    assert membership.add(actor=actor, aggregation=second, ders=chosen(ders), terms=others).changed == 4
    membership.drop(actor=actor, aggregation=first, ders=chosen(ders), terms=Terms(ends=TOMORROW))
    later = Terms(services=("energy",), starts=TOMORROW)
    assert membership.add(actor=actor, aggregation=second, ders=chosen(ders), terms=later).changed == 2


def test_the_database_refuses_what_a_service_forgot(world):
    """The exclusion constraint holds for any writer."""
    der = register(world, 1)[0]
    made(world, "First", ders=[der])
    second = made(world, "Second")
    row = {"der": der, "service_id": "energy", "aggregator": world.aggregator, "edc": world.edc, "valid_during": (TOMORROW, None)}
    with pytest.raises(IntegrityError, match="member_of_one_wholesale"), acting(None, REASON), transaction.atomic():
        AggregationMember.objects.create(aggregation=second, wholesale=True, **row)
    with acting(None, REASON):
        AggregationMember.objects.create(aggregation=second, wholesale=False, **row)


def test_drops_end_what_began_and_undo_what_did_not(world):
    """¶336: an exit touches no other member."""
    ders, actor = register(world, 3), world.user("aggregator", "filer")
    aggregation = made(world, ders=ders[:2])
    with acting(None, REASON):
        AggregationMember.objects.filter(der=ders[0]).update(valid_during=(YESTERDAY, None))
    outcome = membership.drop(actor=actor, aggregation=aggregation, ders=["D-1", "D-2"], terms=Terms(ends=TODAY))
    assert outcome.changed == 2
    left = aggregation.members.get()
    assert (left.der, left.valid_during.upper) == (ders[0], TODAY)
    job = by_file(world, aggregation, [{"der": "D-1"}, {"der": "D-3"}], leaving=True)
    assert codes(job) == {(2, "MEMBER-ABSENT", "der"), (3, "MEMBER-ABSENT", "der")}


def test_of_a_filed_aggregation_the_past_stays(world):
    """¶238: who was a member on a day of the past is a record, once it was filed."""
    ders, actor = register(world, 2), world.user("aggregator", "filer")
    aggregation = made(world, ders=ders[:1])
    back = Terms(starts=YESTERDAY, ends=YESTERDAY)
    assert membership.add(actor=actor, aggregation=aggregation, ders=["D-2"], terms=Terms(starts=YESTERDAY)).changed == 1
    filed(world, aggregation, "submit", "register")
    for kind, named in (("add", "D-2"), ("drop", "D-1")):
        with pytest.raises(MembersRefused) as refusal:
            members.start(actor=actor, aggregation=aggregation, kind=kind, ders=[named], terms=back, reason="As asked")
        assert "MEMBER-PAST" in {each["code"] for each in refusal.value.problems}


def test_while_it_is_validated_members_stay(world):
    ders, actor = register(world, 2), world.user("aggregator", "filer")
    aggregation = filed(world, made(world, ders=ders[:1]))
    with pytest.raises(Conflict):
        membership.add(actor=actor, aggregation=aggregation, ders=["D-2"], terms=Terms())
    assert aggregation.members.count() == 1


def test_utilities_see_a_filed_aggregation_of_their_ders(world):
    ders = [*register(world, 1), *register(world, 1, edc="edc2", prefix="E")]
    aggregation = made(world, ders=ders[:1])
    assert not AggregationUtility.objects.exists()
    filed(world, aggregation, "submit", "register")
    assert set(AggregationUtility.objects.values_list("edc", flat=True)) == {world.edc.pk}
    returned = filed(world, made(world, "Both", ders=ders[1:], services=["capacity"]), "submit", "return")
    membership.add(actor=world.user("aggregator", "filer"), aggregation=returned, ders=chosen(ders[:1]), terms=Terms())
    assert set(AggregationUtility.objects.filter(aggregation=returned).values_list("edc", flat=True)) == {world.edc.pk, world.edc2.pk}


def test_who_may(world):
    register(world, 1)
    aggregation = made(world)
    for actor in (world.user("aggregator", "viewer"), world.user("aggregator2", "filer"), world.user("edc", "administrator")):
        with pytest.raises(NotPermitted):
            membership.add(actor=actor, aggregation=aggregation, ders=["D-1"], terms=Terms())
    register(world, 1, aggregator="aggregator2", prefix="F")
    with pytest.raises(MembersRefused):
        membership.add(actor=world.user("aggregator", "filer"), aggregation=aggregation, ders=["F-1"], terms=Terms())
    with pytest.raises(UserError, match="No DER"):
        membership.add(actor=world.user("aggregator", "filer"), aggregation=aggregation, ders=Der.objects.none(), terms=Terms())
    assert not AggregationMember.objects.exists()


def test_one_and_a_hundred_members_cost_the_same_statements(world):
    ders, counted = register(world, 101), []
    for number in (1, 100):
        aggregation = made(world, f"Of {number}")
        with CaptureQueriesContext(connection) as queries:
            membership.add(
                actor=world.user("aggregator", "filer"),
                aggregation=aggregation,
                ders=chosen(ders[number - 1 : 2 * number - 1]),
                terms=Terms(),
            )
        counted.append(len(queries))
    assert counted[0] == counted[1]


def test_every_membership_has_its_versions(world):
    aggregation = made(world, ders=register(world, 2))
    membership.drop(actor=world.user("aggregator", "filer"), aggregation=aggregation, ders=["D-1"], terms=Terms(ends=TOMORROW))
    kinds = AggregationMember.history.model.objects.order_by("history_id").values_list("history_type", "history_change_reason")
    assert list(kinds) == [("+", "Added members"), ("+", "Added members"), ("~", "Dropped members")]
