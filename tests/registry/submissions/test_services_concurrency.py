"""Two reviewers decide the same rows at once, over two real connections: one wins, the other is told (¶292, N11)."""

from threading import Barrier, Thread

import pytest
from django.db import connection

from moc import sight
from moc.errors import UserError
from registry.ders.models import Der
from registry.submissions.models import Decision, StagedDer
from registry.submissions.personal import StagedOwner
from registry.submissions.services import bulk_decisions, reviewing, staging
from tests.connections import connected
from tests.factories.filings import found_in, reviewed, row, staged, store_in, upload

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _files(settings, tmp_path) -> None:
    store_in(settings, tmp_path)


@pytest.fixture
def review(world):
    return reviewed(world, [row(n) for n in range(1, 4)])


def at_once(*wishes) -> list:
    """Results or refusals of wishes that start together, each on a connection of its own."""
    results, start = [None] * len(wishes), Barrier(len(wishes))

    @sight.engine()
    def work(place: int, wish) -> None:
        try:
            start.wait()
            results[place] = wish()
        except UserError as refused:
            results[place] = refused
        finally:
            connection.close()

    threads = [Thread(target=work, args=pair) for pair in enumerate(wishes)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return results


def test_one_of_two_decisions_wins_and_the_other_is_told(world, review):
    def decide(role: str):
        return reviewing.decide(
            actor=world.user("edc", role), review=review, rows=StagedDer.objects.filter(submission=review.submission), kind="approve"
        )

    results = at_once(lambda: decide("reviewer"), lambda: decide("approver"))
    refused = [result for result in results if isinstance(result, UserError)]
    assert len(refused) == 1
    assert refused[0].code == "CONFLICT" and refused[0].remedy
    assert (Decision.objects.count(), Der.objects.count(), Der.history.model.objects.count()) == (1, 3, 3)


def test_overlapping_selections_leave_whole_decisions_only(world, review):
    numbers = list(StagedDer.objects.filter(submission=review.submission).order_by("row_number").values_list("row_number", flat=True))

    def decide(role: str, chosen: list[int], kind: str):
        said = {"kind": kind, "statement": "Which meter?", "reason_code": ""}
        return bulk_decisions.decide_selection(
            actor=world.user("edc", role),
            review=review,
            selection={"rows": chosen},
            rows_of=lambda selection: StagedDer.objects.of_review(review).filter(row_number__in=selection["rows"]),
            terms=said,
        )

    results = at_once(lambda: decide("reviewer", numbers[:2], "approve"), lambda: decide("approver", numbers[1:], "approve"))
    assert sum(isinstance(result, UserError) for result in results) == 1
    assert (Decision.objects.count(), Der.objects.count()) == (1, 2)


def test_a_denial_is_confirmed_once(world, review, tmp_path):
    numbers = list(StagedDer.objects.filter(submission=review.submission).values_list("row_number", flat=True))
    proposed = bulk_decisions.decide_selection(
        actor=world.user("edc", "reviewer"),
        review=review,
        selection={"rows": numbers},
        rows_of=lambda selection: StagedDer.objects.of_review(review).filter(row_number__in=selection["rows"]),
        terms={"kind": "deny", "statement": "", "reason_code": "data_mismatch"},
        evidence_upload=upload(b"%PDF study", "study.pdf"),
    ).decisions[0]
    people = [world.user("edc", role) for role in ("approver", "administrator")]
    results = at_once(*[lambda one=one: reviewing.confirm_denial(actor=one, decision=proposed) for one in people])
    assert sum(isinstance(result, UserError) for result in results) == 1
    assert Decision.objects.get().status == "effective"


def test_a_file_does_not_wait_for_another_that_is_staged(world, monkeypatch):
    """N13: the other has looked at the filed rows and goes on; this one is read meanwhile, and the same is found as alone."""
    monkeypatch.setattr(staging, "FEW", 1)
    rows = [row(1), row(2, county_fips="34001"), row(3, serial_no="SN-1")]
    alone = found_in(staged(world, rows))
    with connected() as other, connection.cursor() as cursor:
        for table, name in ((StagedDer, "id"), (StagedOwner, "row_id")):
            other.execute("SELECT moc_analyze(%s, %s, true)", [table._meta.db_table, [name]])
        cursor.execute("SET lock_timeout = '3s'")
        beside = staged(world, rows)
        assert other.info.transaction_status.name == "INTRANS"
        cursor.execute("RESET lock_timeout")
    assert found_in(beside) == alone and alone and beside.status == "draft"
