"""Work queues (N10): what waits for whom, until when; computed, so that a to-do goes when the thing is done."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from moc.history import acting
from moc.notices.models import Notice
from moc.portal.queues import by_deadline, counts_by_entry, waiting_for
from registry.submissions.models import Decision, UtilityReview
from registry.submissions.services import filing, reviewing
from tests.factories.filings import reviewed, row

pytestmark = pytest.mark.django_db
REVIEWS, SUBMISSIONS = "registry:review_list", "registry:submission_list"


def named(user) -> dict:
    return {work.name: work for work in waiting_for(user)}


def due_in(review, days: int) -> None:
    with acting(None, "system: test"):
        UtilityReview.objects.filter(pk=review.pk).update(due_at=timezone.now() + timedelta(days=days))


def test_reviews_wait_by_deadline_and_the_near_one_is_urgent(world):
    """N10: the utility's reviewer sees the first due first."""
    late, soon = reviewed(world, [row(1)]), reviewed(world, [row(2)])
    due_in(soon, 3)
    user = world.user("edc", "reviewer")
    work = named(user)["submissions.reviews_due"]
    assert work.count == 2 and work.urgent and [item.urgent for item in work.items] == [True, False]
    assert [item.url for item in work.items] == [reverse("registry:review_detail", args=[each.uuid]) for each in (soon, late)]
    due_in(soon, 30)
    assert not named(user)["submissions.reviews_due"].urgent
    assert "submissions.reviews_due" not in named(world.user("aggregator", "approver"))
    assert named(world.user("edc2", "administrator"))["submissions.reviews_due"].count == 0


def test_a_to_do_resolves_by_itself(world):
    """N10: asking moves the work to the aggregator, answering back to the utility; nobody ticks anything off."""
    review = reviewed(world, [row(1)])
    reviewer, filer = world.user("edc", "reviewer"), world.user("aggregator", "filer")
    rows = review.submission.rows.all()
    decision = reviewing.decide(actor=reviewer, review=review, rows=rows, kind=Decision.Kind.REQUEST_INFO, statement="Which inverter?")
    assert named(filer)["submissions.asked"].count == 1 and counts_by_entry(filer)[SUBMISSIONS] == "1"
    filing.answer(actor=filer, decision=decision, text="The one on the roof.")
    assert named(filer)["submissions.asked"].count == 0 and SUBMISSIONS not in counts_by_entry(filer)
    reviewing.decide(actor=reviewer, review=review, rows=rows, kind=Decision.Kind.APPROVE)
    assert named(reviewer)["submissions.reviews_due"].count == 0 and REVIEWS not in counts_by_entry(reviewer)


def test_the_first_deadlines_of_all_queues_are_one_list(world):
    user = world.user("edc", "approver")
    first, second = reviewed(world, [row(1)]), reviewed(world, [row(2)])
    due_in(second, 1)
    found = [item.url for _, item in by_deadline(waiting_for(user))]
    assert found == [reverse("registry:review_detail", args=[each.uuid]) for each in (second, first)]


def test_all_queues_are_counted_by_one_statement(world, django_assert_num_queries):
    """The navigation costs one query on every page, however many queues a role has."""
    reviewed(world, [row(1)])
    user = world.user("edc", "administrator")
    counts_by_entry(user)
    with django_assert_num_queries(1):
        assert counts_by_entry(user)[REVIEWS] == "1"


def test_counts_in_the_navigation_and_the_home_page(world, client_of):
    """N10: what others did stands apart from what waits, and is acknowledged once."""
    review = reviewed(world, [row(1)])
    client = client_of(world.user("edc", "reviewer"))
    page = client.get("/").content.decode()
    assert page.count(reverse("registry:review_detail", args=[review.uuid])) == 1 and "First due" in page
    assert '<span class="moc-count">1<span class="usa-sr-only"> open</span></span>' in page
    assert '<span class="moc-count">1<span class="usa-sr-only"> new</span></span>' in page
    client.get(reverse("notice_detail", args=[Notice.objects.get(user=world.user("edc", "reviewer")).uuid]))
    page = client.get("/").content.decode()
    assert " new</span>" not in page and " open</span>" in page


def test_the_api_has_the_same_queues(world, api_of):
    review = reviewed(world, [row(1)])
    queues = {queue["name"]: queue for queue in api_of(world.user("edc", "reviewer")).get("/api/v1/queues/").json()}
    first = queues["submissions.reviews_due"]["first"]
    assert [each["url"] for each in first] == [f"/registry/reviews/{review.uuid}/"] and first[0]["due_at"]
