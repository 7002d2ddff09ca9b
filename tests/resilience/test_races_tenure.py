"""A tenure is switched while its aggregator files and the utility decides: one outcome, and the loser is told (N3, N11)."""

import pytest
from django.utils import timezone

from moc.errors import UserError
from registry.ders.models import Der, DerTenure
from registry.ders.services import hand_over
from registry.submissions.models import StagedDer, Submission, UtilityReview
from registry.submissions.services import filing, reviewing
from registry.submissions.services.deadlines import withdraw_lost
from tests.factories.filings import reviewed, row, staged, store_in
from tests.factories.tenures import days_pass
from tests.resilience.races import one_after_the_other
from tests.resilience.test_races import BOTH_WAYS, loser, meet

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _files(settings, tmp_path) -> None:
    store_in(settings, tmp_path)


@pytest.fixture
def registered(world) -> UtilityReview:
    """Two DERs of the first aggregator's, registered yesterday."""
    review = reviewed(world, [row(1), row(2)])
    decide(world, review)
    days_pass(1)
    return review


def decide(world, review: UtilityReview):
    rows = StagedDer.objects.filter(submission=review.submission)
    return reviewing.decide(actor=world.user("edc", "reviewer"), review=review, rows=rows, kind="approve")


def switch(world, party: str = "aggregator2") -> int:
    """The utility hands the first DER over, as of today."""
    ders = Der.objects.filter(external_id="A-1")
    said = {"on": timezone.localdate(), "reason": "Customer left"}
    return hand_over(actor=world.user("edc", "approver"), ders=ders, aggregator=world.organizations[party], **said)


def submit(world, submission: Submission) -> Submission:
    version, _, _ = filing.attestation()
    return filing.submit(actor=world.user("aggregator", "approver"), submission=submission, attestation_version=version)


@BOTH_WAYS
def test_a_switch_against_a_decision(world, registered, swapped):
    again = reviewed(world, [row(n, nameplate_ac_kw="7.5", approved_export_kw="7.5") for n in (1, 2)])
    results = meet(lambda: decide(world, again), lambda: switch(world), swapped)
    assert results[1] == 1 and Der.objects.get(external_id="A-1").aggregator == world.aggregator2
    sizes = set(Der.objects.values_list("nameplate_ac_kw", flat=True))
    if swapped:
        assert loser(results, 0).code == "TENURE-ENDED" and float(sizes.pop()) == 7.6 and not sizes
        assert withdraw_lost() == 1
    else:
        assert not isinstance(results[0], UserError) and float(sizes.pop()) == 7.5 and not sizes
        assert withdraw_lost() == 0


@BOTH_WAYS
def test_a_switch_against_handing_a_filing_in(world, registered, swapped):
    draft = staged(world, [row(n, nameplate_ac_kw="7.5", approved_export_kw="7.5") for n in (1, 2)])
    results = meet(lambda: submit(world, draft), lambda: switch(world), swapped)
    assert results[1] == 1
    draft.refresh_from_db()
    if swapped:
        assert isinstance(results[0], UserError) and draft.status == "draft"
    else:
        assert draft.status == "in_review" and withdraw_lost() == 1
        assert list(draft.rows.order_by("external_id").values_list("status", flat=True)) == ["withdrawn", "pending"]


def test_of_two_who_switch_one_does(world, registered):
    mine = DerTenure.objects.filter(der__external_id="A-1")
    results = one_after_the_other(lambda: switch(world), lambda: switch(world))
    assert loser(results, 1).code in ("TENURE-NONE", "TENURE-HELD", "TENURE-EMPTY")
    assert list(mine.order_by("id").values_list("aggregator__slug", "status")) == [("aggregator", "ended"), ("aggregator2", "running")]
