"""The clocks: escalation exactly once, deemed approval only where a rule set row says so, pauses: R1, ¶295."""

from datetime import timedelta

import pytest
from django.utils import timezone

from moc.history import acting
from moc.jobs.models import Job
from moc.notices.models import Notice
from moc.rulesets.models import RuleSet
from registry.ders.models import Der
from registry.submissions.models import StagedDer, UtilityReview
from registry.submissions.services import filing, reviewing
from registry.submissions.services.deadlines import check_deadlines
from tests.factories.filings import reviewed, row, store_in, table, upload

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _files(settings, tmp_path) -> None:
    store_in(settings, tmp_path)


@pytest.fixture
def review(world) -> UtilityReview:
    return reviewed(world, [row(1), row(2)])


def set_rule(key: str, value) -> None:
    with acting(None, "system: tests"):
        RuleSet.objects.filter(key=key).update(value=value)


def test_before_the_deadline_nothing_happens(review):
    assert check_deadlines(review.due_at - timedelta(seconds=1)) == {"escalated": 0, "deemed": 0, "withdrawn": 0}


def test_an_expired_review_is_escalated_once_and_everybody_told(world, review):
    assert check_deadlines(review.due_at)["escalated"] == 1
    assert check_deadlines(review.due_at + timedelta(days=1))["escalated"] == 0
    review.refresh_from_db()
    assert (review.status, review.escalated_at) == ("escalated", review.due_at)
    told = set(Notice.objects.filter(event="review_escalated").values_list("user__email", flat=True))
    assert {"reviewer@edc.example.org", "filer@aggregator.example.org", "auditor@rerra.example.org"} <= told
    assert "auditor@rerra2.example.org" not in told


def test_an_escalated_review_can_still_be_decided(world, review):
    check_deadlines(review.due_at)
    reviewing.decide(actor=world.user("edc", "reviewer"), review=review, rows=review.submission.rows.all(), kind="approve")
    review.refresh_from_db()
    assert (review.status, Der.objects.count()) == ("closed", 2)


def test_deemed_approval_only_where_a_row_says_so(world, review):
    set_rule("review_expiry_policy", "deemed_approval")
    reviewing.decide(actor=world.user("edc", "reviewer"), review=review, rows=StagedDer.objects.filter(external_id="A-1"), kind="approve")
    assert check_deadlines(review.due_at)["deemed"] == 1
    assert list(review.submission.rows.order_by("row_number").values_list("status", flat=True)) == ["approved", "deemed_approved"]
    assert Der.history.model.objects.get(external_id="A-2").history_user is None


@pytest.mark.parametrize("pauses", [True, False])
def test_a_request_pauses_the_clock_only_where_a_row_says_so(world, pauses):
    set_rule("info_request_pauses_clock", pauses)
    review = reviewed(world, [row(1)])
    due = review.due_at
    asked = reviewing.decide(
        actor=world.user("edc", "reviewer"), review=review, rows=review.submission.rows.all(), kind="request_info", statement="Which?"
    )
    assert check_deadlines(due)["escalated"] == (0 if pauses else 1)
    with acting(None, "system: tests"):
        UtilityReview.objects.filter(paused_at__isnull=False).update(paused_at=timezone.now() - timedelta(days=3))
    filing.answer(actor=world.user("aggregator", "filer"), decision=asked, text="This")
    review.refresh_from_db()
    later = review.due_at - due
    assert later == timedelta(0) if not pauses else timedelta(days=3) <= later < timedelta(days=3, minutes=1)


def test_a_file_whose_reading_was_given_up_does_not_hang(world):
    """N13: after the last attempt of a job that killed its worker each time, the submission ends too."""
    filer = world.user("aggregator", "filer")
    submission = filing.receive_file(actor=filer, aggregator=world.aggregator, upload=upload(table([row(1)])))
    check_deadlines()
    submission.refresh_from_db()
    assert submission.status == "staging", "a job that waits is left alone"
    Job.objects.filter(pk=submission.job_id).update(status=Job.Status.FAILED, error="The worker died each time.")
    check_deadlines()
    submission.refresh_from_db()
    assert submission.status == "withdrawn"
