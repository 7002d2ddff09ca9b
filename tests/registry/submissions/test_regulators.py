"""A regulator's part in reviews (¶322): none, told, a comment, or an answer that binds; on the record and with a clock (R5, N13)."""

from datetime import timedelta

import pytest
from django.utils import timezone

from moc.access.policy import NotPermitted
from moc.errors import Conflict, UserError
from moc.history import acting
from moc.notices.models import Notice
from registry.submissions.involvement import RegulatorPart
from registry.submissions.models import StagedDer
from registry.submissions.services import deadlines, regulators, reviewing
from tests.factories.filings import reviewed, row, store_in
from tests.factories.qualification import law
from tests.factories.world import REASON

pytestmark = pytest.mark.django_db
QUESTIONS = {"program": "Does a program bar it (¶296)?", "rates": "Is the rate open to it?"}


@pytest.fixture(autouse=True)
def _files(settings, tmp_path) -> None:
    store_in(settings, tmp_path)


@pytest.fixture
def regulator(world):
    return world.user("rerra", "administrator")


def involved(value: str) -> None:
    law("rerra_involvement", value, "rerra")
    law("rerra_questions", QUESTIONS, "rerra")


def approve(world, review):
    return reviewing.decide(actor=world.user("edc", "reviewer"), review=review, rows=StagedDer.objects.all(), kind="approve")


def told(event: str, user) -> int:
    return Notice.objects.filter(event=event, user=user).count()


@pytest.mark.parametrize(("value", "notices", "parts"), [("none", 0, 0), ("notified", 1, 0), ("comments", 1, 1), ("decides", 1, 2)])
def test_its_own_rule_set_says_what_a_regulator_does(world, regulator, value, notices, parts):
    involved(value)
    review = reviewed(world, [row(1)])
    assert review.regulator_parts.count() == parts
    assert (told("review_of_overseen", regulator) > 0) == bool(notices)
    assert told("review_of_overseen", world.user("rerra2", "administrator")) == 0
    if parts:
        assert review.regulator_parts.first().due_at > timezone.now() + timedelta(days=9)


def test_a_comment_binds_nobody_and_nothing_waits_for_it(world, regulator):
    involved("comments")
    first = reviewed(world, [row(1)])
    part = first.regulator_parts.get()
    done = regulators.answer(actor=regulator, part=part, statement="Mind the feeder")
    assert (done.status, done.allows) == ("answered", None)
    assert told("regulator_answered", world.user("edc", "reviewer")) == told("regulator_answered", world.user("aggregator", "filer")) == 1
    assert approve(world, first).status == "effective"


def test_a_decision_does_not_wait_for_a_comment(world):
    involved("comments")
    assert approve(world, reviewed(world, [row(1)])).status == "effective"


def test_an_approval_waits_for_the_answers_and_goes_with_them(world, regulator):
    """Named questions only; a request for information and a denial wait for nothing."""
    involved("decides")
    review = reviewed(world, [row(1)])
    with pytest.raises(Conflict) as refused:
        approve(world, review)
    assert refused.value.code == "REGULATOR-WINDOW"
    for part in review.regulator_parts.all():
        with pytest.raises(UserError):
            regulators.answer(actor=regulator, part=part, statement="Yes")
        regulators.answer(actor=regulator, part=part, statement="Nothing bars it", allows=True)
    assert approve(world, review).status == "effective"


def test_an_answer_against_it_bars_the_approval_openly(world, regulator):
    """The regulator's sentence is the refusal's; the utility denies by a ground, with evidence, as ever."""
    involved("decides")
    review = reviewed(world, [row(1)])
    for part in review.regulator_parts.all():
        regulators.answer(actor=regulator, part=part, statement="Rider 7 bars it", allows=part.question != "program")
    with pytest.raises(Conflict, match="Rider 7 bars it") as refused:
        approve(world, review)
    assert refused.value.code == "REGULATOR-DECIDED" and not deadlines.check_deadlines()["deemed"]


def test_silence_is_no_veto(world, regulator):
    """When the days are over nothing waits any more, whether or not the beat has looked; and no late answer is taken."""
    involved("decides")
    review = reviewed(world, [row(1)])
    with acting(None, REASON):
        RegulatorPart.objects.update(due_at=timezone.now() - timedelta(minutes=1))
    part = review.regulator_parts.first()
    with pytest.raises(Conflict):
        regulators.answer(actor=regulator, part=part, statement="Too late", allows=False)
    assert [regulators.close_windows(), regulators.close_windows()] == [2, 0]
    part.refresh_from_db()
    assert part.status == "lapsed" and told("regulator_silent", world.user("edc", "reviewer")) == 2
    assert approve(world, review).status == "effective"


@pytest.mark.parametrize(("organization", "role"), [("rerra", "auditor"), ("rerra2", "administrator"), ("edc", "administrator")])
def test_only_that_regulator_answers(world, organization, role):
    involved("comments")
    part = reviewed(world, [row(1)]).regulator_parts.get()
    with pytest.raises(NotPermitted):
        regulators.answer(actor=world.user(organization, role), part=part, statement="No")
    part.refresh_from_db()
    assert part.status == "open"


def test_both_parties_see_it_from_the_start_and_the_regulator_answers_on_its_page(world, regulator, client_of):
    involved("decides")
    review = reviewed(world, [row(1)])
    url, part = f"/registry/reviews/{review.uuid}/", review.regulator_parts.get(question="program")
    for user in (world.user("aggregator", "filer"), world.user("edc", "reviewer")):
        shown = client_of(user).get(url).content.decode()
        assert QUESTIONS["program"] in shown and f"/registry/regulator-parts/{part.uuid}/" not in shown
    page = client_of(regulator)
    assert f"/registry/regulator-parts/{part.uuid}/answer/" in page.get(url).content.decode()
    done = page.post(f"/registry/regulator-parts/{part.uuid}/answer/", {"allows": "no", "statement": "Rider 7"}, follow=True)
    assert "Participation may not go on" in done.content.decode()
    part.refresh_from_db()
    assert (part.allows, part.answered_by) == (False, regulator)
