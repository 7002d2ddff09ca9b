"""Whoever comes second is told, and there is one outcome: reviewers, uploads, decisions against withdrawals and the clock (N11, N13)."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection

from moc.errors import UserError
from moc.jobs.models import Job
from registry.ders.models import Der
from registry.submissions.models import Decision, StagedDer, Submission, UtilityReview
from registry.submissions.services import deadlines, filing, reviewing, withdrawing
from tests.factories.filings import reviewed, row, run, staged, store_in, submitted, table, upload
from tests.resilience.races import one_after_the_other
from tests.resilience.whole import whole

pytestmark = pytest.mark.django_db(transaction=True)
BOTH_WAYS = pytest.mark.parametrize("swapped", [False, True], ids=["first", "second"])


@pytest.fixture(autouse=True)
def _files(settings, tmp_path) -> None:
    store_in(settings, tmp_path)
    settings.CELERY_TASK_ALWAYS_EAGER = False  # a job is run by the test


@pytest.fixture
def review(world) -> UtilityReview:
    return reviewed(world, [row(n) for n in range(1, 4)])


class Acts:
    """What people do to a review and its submission."""

    def __init__(self, world, review: UtilityReview):
        self.world, self.review, self.submission = world, review, review.submission

    def rows(self):
        return StagedDer.objects.filter(submission=self.submission)

    def approve(self, role: str = "reviewer", rows=None) -> Decision:
        rows = self.rows() if rows is None else rows
        return reviewing.decide(actor=self.world.user("edc", role), review=self.review, rows=rows, kind="approve")

    def ask(self) -> Decision:
        return reviewing.decide(
            actor=self.world.user("edc", "approver"), review=self.review, rows=self.rows(), kind="request_info", statement="Which meter?"
        )

    def withdraw(self) -> Submission:
        return withdrawing.withdraw(actor=self.world.user("aggregator", "filer"), submission=self.submission, reason="Sold")

    def expire(self) -> dict:
        return deadlines.check_deadlines(self.review.due_at + timedelta(seconds=1))

    def answer(self, decision: Decision) -> Decision:
        return filing.answer(actor=self.world.user("aggregator", "filer"), decision=decision, text="The second")


@pytest.fixture
def acts(world, review) -> Acts:
    return Acts(world, review)


def meet(one: Callable, other: Callable, swapped: bool) -> list:
    """Results in the order of the arguments; `swapped` lets the other come first."""
    return list(reversed(one_after_the_other(other, one))) if swapped else one_after_the_other(one, other)


def loser(results: list, place: int) -> UserError:
    """The refusal of the one who came second, who was told what to do; the first was not refused."""
    refused = [isinstance(result, UserError) for result in results]
    assert refused == [place == 0, place == 1], results
    assert results[place].sentence and results[place].remedy
    return results[place]


@BOTH_WAYS
def test_of_two_reviewers_one_decides(acts, swapped):
    loser(meet(acts.approve, lambda: acts.approve("approver"), swapped), 0 if swapped else 1)
    assert (Decision.objects.count(), Der.objects.count()) == (1, 3)
    whole()


@BOTH_WAYS
def test_overlapping_rows_are_decided_once(acts, swapped):
    one, other = acts.rows().filter(row_number__lt=4), acts.rows().filter(row_number__gt=2)
    assert one.intersection(other).count() == 1
    loser(meet(lambda: acts.approve(rows=one), lambda: acts.approve("approver", rows=other), swapped), 0 if swapped else 1)
    assert (Decision.objects.count(), Der.objects.count()) == (1, 2)
    whole()


@BOTH_WAYS
def test_a_decision_against_a_withdrawal(acts, swapped):
    refused = loser(meet(acts.approve, acts.withdraw, swapped), 0 if swapped else 1)
    assert Submission.objects.get().status == ("withdrawn" if swapped else "completed")
    assert Der.objects.count() == (0 if swapped else 3)
    assert refused.code in ("CONFLICT", "LIFECYCLE")
    whole()


@BOTH_WAYS
def test_a_decision_against_the_clock(acts, swapped):
    decided, expired = meet(acts.approve, acts.expire, swapped)
    assert isinstance(decided, Decision), "a late decision is a decision"
    assert expired["escalated"] == int(swapped)
    whole()


@BOTH_WAYS
def test_an_answer_against_a_decision(acts, swapped):
    asked = acts.ask()
    answered, decided = meet(lambda: acts.answer(asked), acts.approve, swapped)
    assert isinstance(decided, Decision)
    assert isinstance(answered, UserError) == swapped, "an answer to what is decided is not needed, and says so"
    assert Der.objects.count() == 3
    whole()


@BOTH_WAYS
def test_a_denial_confirmed_against_a_withdrawal(world, acts, swapped):
    study = filing.store(actor=world.user("edc", "reviewer"), owner=world.edc, kind="evidence", upload=upload(b"study"))
    denial = reviewing.decide(
        actor=world.user("edc", "reviewer"), review=acts.review, rows=acts.rows(), kind="deny", reason_code="data_mismatch", evidence=study
    )
    confirm = lambda: reviewing.confirm_denial(actor=world.user("edc", "approver"), decision=denial)  # noqa: E731
    loser(meet(confirm, acts.withdraw, swapped), 0 if swapped else 1)
    assert set(acts.rows().values_list("status", flat=True)) == ({"withdrawn"} if swapped else {"denied"})
    whole()


def test_two_utilities_that_decide_last_complete_the_submission(world):
    submission = submitted(world, [row(1), row(2, usage_point_id="edc2-up-02", utility_id_eia="963")])
    reviews = [submission.reviews.select_related("edc").get(edc=edc) for edc in (world.edc, world.edc2)]
    rows = StagedDer.objects.filter(submission=submission)
    decides = [
        lambda review=review, name=name: reviewing.decide(actor=world.user(name, "reviewer"), review=review, rows=rows, kind="approve")
        for review, name in zip(reviews, ("edc", "edc2"), strict=True)
    ]
    assert all(isinstance(result, Decision) for result in one_after_the_other(*decides))
    assert Submission.objects.get().status == "completed"
    whole()


class TestDraft:
    @pytest.fixture
    def draft(self, world) -> Submission:
        return staged(world, [row(1), row(2)])

    def submit(self, world, draft):
        version, _, _ = filing.attestation()
        return filing.submit(actor=world.user("aggregator", "approver"), submission=draft, attestation_version=version)

    @BOTH_WAYS
    def test_submission_against_withdrawal(self, world, draft, swapped):
        filer = world.user("aggregator", "filer")
        results = meet(
            lambda: self.submit(world, draft), lambda: withdrawing.withdraw(actor=filer, submission=draft, reason="Sold"), swapped
        )
        loser(results, 0 if swapped else 1)
        assert Submission.objects.get().status == ("withdrawn" if swapped else "in_review")
        whole()

    @BOTH_WAYS
    def test_a_row_mended_while_it_is_submitted(self, world, draft, swapped):
        def mend():
            return filing.save_row(
                actor=world.user("aggregator", "filer"), submission=draft, values={"model": "AS-9"}, row=draft.rows.get(row_number=2)
            )

        submitted_, mended = meet(lambda: self.submit(world, draft), mend, swapped)
        assert isinstance(submitted_, Submission)
        assert isinstance(mended, UserError) == (not swapped), "what is submitted is what was attested"
        assert (draft.rows.get(row_number=2).model == "AS-9") == swapped

    def test_two_corrections_of_one_draft(self, world, draft):
        filer = world.user("aggregator", "filer")

        def correct(model: str):
            file = upload(table([row(1, model=model)]))
            return filing.receive_file(actor=filer, aggregator=world.aggregator, upload=file, submission=draft)

        loser(one_after_the_other(lambda: correct("ONE"), lambda: correct("TWO")), 1)
        run(Job.objects.latest("pk"))
        assert list(draft.rows.order_by("row_number").values_list("model", flat=True)) == ["AS-7600", "ONE"]


class TestSamePortfolio:
    def test_the_same_upload_sent_twice_is_one(self, world):
        def send():
            file = upload(table([row(1)]))
            return filing.receive_file(actor=world.machine, aggregator=world.aggregator, upload=file, idempotency_key="spring")

        results = one_after_the_other(send, send)
        assert Submission.objects.count() == Job.objects.count() == 1
        assert isinstance(results[1], UserError) or results[1] == results[0]

    @BOTH_WAYS
    def test_the_later_of_two_filings_stands(self, world, swapped):
        """Two uploads of the same DERs are decided at once: in the end the registry holds what was filed last."""
        early, late = (Acts(world, reviewed(world, [row(1, model=model)])) for model in ("EARLY", "LATE"))
        results = meet(early.approve, late.approve, swapped)
        if swapped:
            assert loser(results, 0).code == "FILED-LATER"
        assert Der.objects.get().model == "LATE"
        assert not any(isinstance(result, UserError) for result in results[1:])

    @BOTH_WAYS
    def test_a_device_is_registered_once(self, world, swapped):
        """Two ids for the same manufacturer and serial number pass the rules while neither is registered."""
        both = [Acts(world, reviewed(world, [row(n, serial_no="SN-1")])) for n in (1, 2)]
        place = 0 if swapped else 1
        assert loser(meet(both[0].approve, both[1].approve, swapped), place).code == "DUPLICATE-SERIAL"
        assert Der.objects.get().external_id == ("A-2" if swapped else "A-1")
        whole()


def test_connections_are_real(acts):
    """The second has a server process of its own."""
    pids = one_after_the_other(_pid, _pid)
    assert len({*pids, _pid()}) == 3


def _pid() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return cursor.fetchone()[0]
