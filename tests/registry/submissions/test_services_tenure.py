"""Filings of an aggregator whose tenure has ended change nothing any more: R1, R3, N3."""

from decimal import Decimal

import pytest
from django.utils import timezone

from moc.errors import Conflict
from moc.notices.models import Notice
from registry.ders.models import Der
from registry.ders.services import begin_tenure, hand_over
from registry.submissions.models import StagedDer, UtilityReview
from registry.submissions.services import reviewing
from registry.submissions.services.deadlines import withdraw_lost
from registry.submissions.tasks import apply_tenures
from tests.factories.filings import found_in, reviewed, row, staged, store_in
from tests.factories.tenures import days_pass

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _files(settings, tmp_path) -> None:
    store_in(settings, tmp_path)


@pytest.fixture
def again(world) -> UtilityReview:
    """Three registered DERs, filed again a day later and under review."""
    registered = reviewed(world, [row(n) for n in range(1, 4)])
    approve(world, registered)
    days_pass(1)
    return reviewed(world, [row(n, nameplate_ac_kw="7.5", approved_export_kw="7.5") for n in range(1, 4)])


def approve(world, review: UtilityReview, **narrow):
    rows = StagedDer.objects.filter(submission=review.submission, **narrow)
    return reviewing.decide(actor=world.user("edc", "reviewer"), review=review, rows=rows, kind="approve")


def lose(world, *names: str) -> None:
    """The second aggregator takes over the DERs of these names."""
    ders = Der.objects.filter(aggregator=world.aggregator, external_id__in=names)
    hand_over(actor=world.user("edc", "approver"), ders=ders, aggregator=world.aggregator2, on=timezone.localdate(), reason="Customer left")


def test_a_row_about_a_der_that_is_no_longer_ones_own_is_a_finding(world, again):
    lose(world, "A-1")
    assert found_in(staged(world, [row(1), row(2)])) >= {(2, "FILING-TENURE-ENDED")}
    days_pass(1)
    begin = {"actor": world.user("edc", "approver"), "on": timezone.localdate(), "reason": "Customer came back"}
    hand_over(ders=Der.objects.filter(aggregator=world.aggregator2), aggregator=world.aggregator, **begin)
    assert found_in(staged(world, [row(1), row(2)])) == set()


def test_what_was_lost_is_not_approved_and_the_rest_is(world, again):
    lose(world, "A-1")
    with pytest.raises(Conflict) as refused:
        approve(world, again)
    assert refused.value.code == "TENURE-ENDED"
    assert set(Der.objects.values_list("nameplate_ac_kw", flat=True).distinct()) == {Decimal("7.6")}, "nothing was changed"
    approve(world, again, external_id__in=["A-2", "A-3"])
    assert Der.objects.get(external_id="A-1").aggregator == world.aggregator2
    assert list(Der.objects.order_by("external_id").values_list("nameplate_ac_kw", flat=True)) == [
        Decimal(kw) for kw in ("7.6", "7.5", "7.5")
    ]


def test_undecided_rows_of_the_loser_are_withdrawn_and_both_are_told(world, again):
    lose(world, "A-1", "A-2")
    assert apply_tenures() == {"moved": 0, "withdrawn": 2}
    assert withdraw_lost() == 0
    rows = again.submission.rows.order_by("external_id")
    assert list(rows.values_list("status", flat=True)) == ["withdrawn", "withdrawn", "pending"]
    told = set(Notice.objects.filter(event="rows_withdrawn").values_list("user__email", flat=True))
    assert {"reviewer@edc.example.org", "filer@aggregator.example.org"} <= told
    lose(world, "A-3")
    assert withdraw_lost() == 1
    again.refresh_from_db()
    assert again.status == "closed"


def test_a_review_that_waited_for_lost_rows_goes_on(world, again):
    asked = StagedDer.objects.filter(submission=again.submission, external_id="A-1")
    reviewing.decide(actor=world.user("edc", "reviewer"), review=again, rows=asked, kind="request_info", statement="Which meter?")
    lose(world, "A-1")
    assert withdraw_lost() == 1
    again.refresh_from_db()
    assert (again.status, again.paused_at) == ("open", None)


def test_the_next_aggregator_takes_nothing_over_of_the_filing(world, again):
    lose(world, "A-1")
    withdraw_lost()
    with pytest.raises(Conflict):
        begin_tenure(
            actor=world.user("edc", "approver"),
            ders=Der.objects.filter(external_id="A-1"),
            aggregator=world.aggregator,
            on=timezone.localdate(),
            reason="Customer came back",
        )
    assert Der.objects.get(external_id="A-1").nameplate_ac_kw == Decimal("7.6")
