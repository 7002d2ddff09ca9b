"""Ending, beginning and handing over tenures: who may, what is refused, sets in few statements, and what the database holds fast (N3)."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from moc.access.policy import NotPermitted
from moc.errors import Conflict, UserError
from moc.history import acting
from moc.notices.models import Notice
from registry.ders.models import Der, DerTenure
from registry.ders.services import apply_due, begin_tenure, end_tenure, hand_over
from tests.factories.ders import own, register

pytestmark = pytest.mark.django_db
REASON = "The customers chose another aggregator"


class Acts:
    """The verbs as a utility's approver calls them, for tomorrow and with a reason unless said otherwise."""

    def __init__(self, world):
        self.world = world

    def _call(self, verb, **said) -> int:
        usual = {"actor": self.world.user("edc", "approver"), "ders": Der.objects.all(), "on": day(1), "reason": REASON}
        return verb(**usual | said)

    def end(self, **said) -> int:
        return self._call(end_tenure, **said)

    def begin(self, **said) -> int:
        return self._call(begin_tenure, **{"aggregator": self.world.aggregator2} | said)

    def hand_over(self, **said) -> int:
        return self._call(hand_over, **{"aggregator": self.world.aggregator2} | said)


def day(days: int):
    return timezone.localdate() + timedelta(days=days)


def tenures(der: Der) -> list[tuple]:
    """(who, status, first day known, end as days from today) of a DER, in order."""
    rows = DerTenure.objects.filter(der=der).order_by("id").values_list("aggregator__slug", "status", "valid_during")
    return [(who, status, days.upper and (days.upper - day(0)).days) for who, status, days in rows]


@pytest.fixture
def acts(world) -> Acts:
    return Acts(world)


@pytest.fixture
def ders(world) -> list[Der]:
    return register(world, 3)


def test_registration_begins_tenures_in_one_statement(world, ders):
    """All tenures of a batch stand in one version each, written at one reading of the clock."""
    assert [tenures(der) for der in ders] == [[("aggregator", "running", None)]] * 3
    assert DerTenure.objects.get(der=ders[0]).valid_during.lower == ders[0].registered_on
    assert DerTenure.history.values("history_date").distinct().count() == 1
    with acting(None, "system: tests"), CaptureQueriesContext(connection) as few:
        register(world, 1, prefix="F")
    with acting(None, "system: tests"), CaptureQueriesContext(connection) as many:
        register(world, 40, prefix="M")
    assert len(few) == len(many)


def test_a_hand_over_moves_der_name_and_owner_on_its_day(world, ders, acts):
    mine = own(world, ders[0])
    only = Der.objects.filter(pk=ders[0].pk)
    assert acts.hand_over(ders=only, on=day(0)) == 1
    der = only.get()
    assert (der.aggregator, der.external_id, der.owner) == (world.aggregator2, "D-1", None), "the next does not know the former's customer"
    assert tenures(der) == [("aggregator", "ended", 0), ("aggregator2", "running", None)]
    former = DerTenure.objects.get(der=der, status="ended")
    assert (former.closing, former.service_point) == (None, None), "the tenure ended before the first version was written"
    acts.hand_over(ders=only, aggregator=world.aggregator, on=day(1))
    assert only.get().aggregator == world.aggregator2
    assert apply_due(day(1)) == 1
    assert (only.get().aggregator, only.get().external_id, mine.pk is not None) == (world.aggregator, "D-1", True)
    assert DerTenure.objects.filter(der=der, closing__isnull=False).get().aggregator == world.aggregator2


def test_a_name_that_the_next_uses_already_gives_way_to_the_mrid(world, ders, acts):
    register(world, 1, aggregator="aggregator2")
    acts.hand_over(ders=Der.objects.filter(aggregator=world.aggregator), on=day(0))
    names = set(Der.objects.filter(aggregator=world.aggregator2).values_list("external_id", flat=True))
    assert names == {"D-1", "D-2", "D-3", str(ders[0].uuid)}


def test_between_two_tenures_a_der_is_nobodys(world, ders, acts):
    assert acts.end(on=day(0)) == 3
    assert set(Der.objects.values_list("aggregator", "external_id")) == {(None, "D-1"), (None, "D-2"), (None, "D-3")}
    assert acts.begin(on=day(0)) == 3
    assert set(Der.objects.values_list("aggregator", flat=True)) == {world.aggregator2.pk}


def test_an_end_not_carried_out_yet_is_taken_back(world, ders, acts):
    acts.end(on=day(3))
    acts.begin(aggregator=world.aggregator, on=day(3))
    assert tenures(ders[0]) == [("aggregator", "running", None)]
    assert apply_due(day(4)) == 0


def test_a_planned_tenure_can_be_dropped(world, ders, acts):
    acts.hand_over(on=day(3))
    assert acts.end(on=day(3)) == 3
    assert tenures(ders[0]) == [("aggregator", "running", 3)]
    assert apply_due(day(3)) == 3
    assert tenures(ders[0]) == [("aggregator", "ended", 3)]


def test_a_set_costs_as_many_statements_as_one(world, acts):
    register(world, 1)
    with CaptureQueriesContext(connection) as one:
        acts.hand_over(on=day(0))
    register(world, 40, prefix="M")
    with CaptureQueriesContext(connection) as many:
        acts.hand_over(ders=Der.objects.filter(aggregator=world.aggregator), on=day(0))
    assert len(many) <= len(one)


def test_both_aggregators_are_told(world, ders, acts):
    acts.hand_over(on=day(0))
    told = {(notice.event, notice.user.memberships.get().organization.slug) for notice in Notice.objects.all()}
    assert told == {("tenure_ended", "aggregator"), ("tenure_began", "aggregator2")}
    assert {notice.subject for notice in Notice.objects.all()} == {
        "Your tenure of 3 DERs has ended",
        "Your tenure of 3 DERs has begun",
    }


@pytest.mark.parametrize(
    "seat", [("edc", "reviewer"), ("aggregator", "administrator"), ("edc2", "administrator"), ("rerra", "administrator")]
)
def test_who_may_not_changes_nothing(world, ders, acts, seat):
    for verb in (acts.end, acts.begin, acts.hand_over):
        with pytest.raises(NotPermitted):
            verb(actor=world.user(*seat))
    assert DerTenure.objects.filter(status="running", valid_during__upper_inf=True).count() == DerTenure.objects.count() == 3


def test_a_selection_that_reaches_beyond_the_utility_changes_nothing(world, ders, acts):
    register(world, 1, edc="edc2", prefix="E")
    with pytest.raises(NotPermitted):
        acts.end()
    assert DerTenure.objects.filter(valid_during__upper_inf=True).count() == 4


REFUSED = {
    "REASON_MISSING": ("end", {"reason": "  "}, UserError),
    "TENURE-PAST": ("end", {"on": day(-1)}, UserError),
    "TENURE-AGGREGATOR": ("begin", {"aggregator": "tso"}, UserError),
    "TENURE-EMPTY": ("hand_over", {"ders": "none"}, UserError),
    "TENURE-HELD": ("begin", {}, Conflict),
    "TENURE-NONE": ("end", {"on": "registration"}, Conflict),
}


@pytest.mark.parametrize("code", REFUSED)
def test_refusals(world, ders, acts, code):
    verb, said, kind = REFUSED[code]
    said = dict(said)
    if "aggregator" in said:
        said["aggregator"] = world.organizations[said["aggregator"]]
    if said.get("ders") == "none":
        said["ders"] = Der.objects.none()
    if said.get("on") == "registration":
        acts.end(on=day(0))
        said["on"] = day(0)
    before = list(DerTenure.objects.order_by("id").values())
    with pytest.raises(kind) as refused:
        getattr(acts, verb)(**said)
    assert refused.value.code == code and refused.value.remedy
    assert list(DerTenure.objects.order_by("id").values()) == before


def test_handing_over_to_whom_holds_it_is_refused(world, ders, acts):
    with pytest.raises(Conflict, match="holds some of these DERs"):
        acts.hand_over(aggregator=world.aggregator)


def test_a_decommissioned_der_is_handed_to_nobody(world, ders, acts):
    with acting(None, "system: tests"):
        Der.objects.filter(pk=ders[0].pk).update(status="decommissioned")
    with pytest.raises(Conflict) as refused:
        acts.hand_over()
    assert refused.value.code == "TENURE-RETIRED"
    assert tenures(ders[1]) == [("aggregator", "running", None)], "all or nothing"


def test_the_database_refuses_two_holders_on_one_day(world, ders, acts):
    same = {"der": ders[0], "edc": world.edc, "aggregator": world.aggregator2, "status": "planned"}
    with pytest.raises(IntegrityError, match="tenure_open"), acting(None, "system: tests"), transaction.atomic():
        DerTenure.objects.create(**same, valid_during=DateRange(day(9), None))
    acts.end(on=day(5))
    for first in (day(-3), day(4)):
        with pytest.raises(IntegrityError, match="tenure_one_at_a_time"), acting(None, "system: tests"), transaction.atomic():
            DerTenure.objects.create(**same, valid_during=DateRange(first, None))
    with acting(None, "system: tests"):
        DerTenure.objects.create(**same, valid_during=DateRange(day(5), None))


@pytest.mark.parametrize("change", [{"is_first": True}, {"valid_during": DateRange(day(1), day(2))}, {"status": "ended"}])
def test_the_database_refuses_tenures_that_nobody_plans(world, ders, change):
    plan = {"status": "planned", "valid_during": DateRange(day(1), None)} | change
    with pytest.raises(IntegrityError), acting(None, "system: tests"), transaction.atomic():
        DerTenure.objects.create(der=ders[0], edc=world.edc, aggregator=world.aggregator2, **plan)


def test_no_other_writer_moves_a_der(world, ders):
    for holder in (world.aggregator2, None):
        with pytest.raises(IntegrityError, match="running"), acting(None, "system: transfer"), transaction.atomic():
            Der.objects.filter(pk=ders[0].pk).update(aggregator=holder)


def test_a_der_that_comes_to_another_utility_takes_its_tenures_along(world, ders):
    with acting(None, "system: tests"):
        Der.objects.filter(pk=ders[0].pk).update(edc=world.edc2)
    assert DerTenure.objects.get(der=ders[0]).edc == world.edc2
    assert DerTenure.objects.get(der=ders[1]).edc == world.edc
