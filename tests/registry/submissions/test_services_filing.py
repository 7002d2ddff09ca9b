"""The aggregator's verbs: receive, mend, attest, submit, answer, withdraw: R1, N11, N13, ¶292."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from moc.access.policy import NotPermitted
from moc.errors import Conflict, UserError
from moc.history import acting
from moc.jobs.models import Job
from moc.notices.models import Notice
from registry.ders.models import Der
from registry.participants.services import opened
from registry.submissions import tasks
from registry.submissions.models import StagedDer, Submission, UtilityReview
from registry.submissions.services import deadlines, filing, reviewing, withdrawing
from tests.factories.filings import found_in, reviewed, row, run, staged, store_in, submitted, table, upload

pytestmark = pytest.mark.django_db
BAD = {"approved_export_kw": "99"}


@pytest.fixture(autouse=True)
def _files(settings, tmp_path) -> None:
    store_in(settings, tmp_path)


@pytest.fixture
def filer(world):
    return world.user("aggregator", "filer")


@pytest.fixture
def approver(world):
    return world.user("aggregator", "approver")


def submit(submission: Submission, actor, **how) -> Submission:
    return filing.submit(actor=actor, submission=submission, attestation_version=filing.attestation()[0], **how)


def test_a_file_becomes_a_draft_that_says_how_it_was_read(world):
    submission = staged(world, [row(1) | {"colour": "red"}, row(2)], title="")
    assert (submission.status, submission.title, submission.row_count) == ("draft", "filing.csv", 2)
    assert (submission.sheet["kind"], submission.sheet["delimiter"], submission.sheet["unknown"]) == ("csv", ",", ["colour"])
    assert submission.sheet["missing_required"] == []
    assert submission.job.outcome == {"rows": 2, "bad": 0, "good": 2, "changes": {"new": 2}}


def test_findings_show_the_value_as_given(world):
    """R1: the text of the file, not what it was read as."""
    submission = staged(world, [row(1, approved_export_kw="-05.0"), row(2, nameplate_ac_kw="7,6 kW"), row(3, consent_reference="")])
    shown = {(finding.row_number, finding.column): finding.value for finding in submission.findings.errors()}
    assert shown == {(2, "approved_export_kw"): "-05.0", (3, "nameplate_ac_kw"): "7,6 kW", (4, "consent_reference"): ""}


def test_a_refused_file_leaves_one_error_with_its_remedy_and_no_row(world, filer):
    submission = filing.receive_file(actor=filer, aggregator=world.aggregator, upload=upload(b"garbage", "filing.xlsx"))
    job = run(submission.job)
    submission.refresh_from_db()
    assert (job.status, submission.status, submission.rows.count()) == ("failed", "withdrawn", 0)
    assert (job.outcome["code"], job.error) == ("wrong_type", job.outcome["sentence"])
    assert job.outcome["remedy"].startswith("Upload CSV")


def test_cancelled_reading_leaves_no_row(world, filer):
    submission = filing.receive_file(actor=filer, aggregator=world.aggregator, upload=upload(table([row(1)])))
    filing.cancel_reading(actor=filer, submission=submission)
    job = run(submission.job)
    submission.refresh_from_db()
    assert (job.status, submission.status, submission.rows.count()) == ("cancelled", "withdrawn", 0)


def test_a_job_that_ran_is_not_run_again(world):
    submission = staged(world, [row(1)])
    Job.objects.filter(pk=submission.job_id).update(status=Job.Status.QUEUED)
    tasks.stage(submission.job_id)
    assert submission.rows.count() == 1


def test_the_same_idempotency_key_gives_the_same_submission(world, filer):
    first = filing.receive_file(actor=filer, aggregator=world.aggregator, upload=upload(b"a"), idempotency_key="k")
    again = filing.receive_file(actor=filer, aggregator=world.aggregator, upload=upload(b"b"), idempotency_key="k")
    assert (first, Submission.objects.count()) == (again, 1)


def test_a_corrected_file_replaces_rows_by_id(world, filer):
    draft = staged(world, [row(1), row(2, **BAD), row(3)])
    assert found_in(draft) == {(3, "DER-EXPORT-NAMEPLATE")}
    draft = staged(world, [row(2), row(4)], submission=draft)
    assert (draft.status, found_in(draft), draft.row_count) == ("draft", set(), 4)
    assert list(draft.rows.order_by("row_number").values_list("external_id", flat=True)) == ["A-1", "A-3", "A-2", "A-4"]
    assert draft.sheet["offset"] == 4


def test_a_refused_correction_keeps_the_draft(world, filer):
    draft = staged(world, [row(1)])
    filing.receive_file(actor=filer, aggregator=world.aggregator, upload=upload(b"", "empty.csv"), submission=draft)
    draft.refresh_from_db()
    run(draft.job)
    draft.refresh_from_db()
    assert (draft.status, draft.rows.count()) == ("draft", 1)


def test_a_row_is_mended_in_place(world, filer):
    draft = staged(world, [row(1, **BAD)])
    mended = filing.save_row(actor=filer, submission=draft, row=draft.rows.get(), values={"approved_export_kw": 7})
    assert (found_in(draft), mended.row_number) == (set(), 2)
    draft.refresh_from_db()
    assert draft.checked_at is None, "duplicates are looked for again on submission"


def test_what_reading_found_stays_until_its_cell_is_filled_in(world, filer):
    draft = staged(world, [row(1, rated_kva="abc", model="m" * 81)])
    filing.save_row(actor=filer, submission=draft, row=draft.rows.get(), values={"model": "AS"})
    assert found_in(draft) == {(2, "FILE-NUMBER")}
    filing.save_row(actor=filer, submission=draft, row=draft.rows.get(), values={"rated_kva": None})
    assert found_in(draft) == set()


def test_a_removed_row_is_gone(world, filer):
    draft = staged(world, [row(1), row(2, serial_no="SN-1")])
    filing.remove_row(actor=filer, row=draft.rows.get(external_id="A-1"))
    assert submit(draft, world.user("aggregator", "approver")).status == "in_review", "the duplicate went with it"


def test_a_new_row_of_a_registered_der_starts_from_the_record(world, filer):
    review = reviewed(world, [row(1)])
    reviewing.decide(actor=world.user("edc", "reviewer"), review=review, rows=review.submission.rows.all(), kind="approve")
    draft = filing.create_draft(actor=filer, aggregator=world.aggregator, title="Change")
    made = filing.save_row(actor=filer, submission=draft, values={"external_id": "A-1", "firmware": "5"})
    assert (made.change, made.manufacturer, made.firmware) == ("changed", "Acme Solar", "5")


def test_rows_with_errors_refuse_the_whole_submission(world, approver):
    draft = staged(world, [row(1), row(2, **BAD)])
    with pytest.raises(UserError, match="1 rows have errors") as refused, transaction.atomic():
        submit(draft, approver)
    assert refused.value.code == "ROWS-WITH-ERRORS"
    draft.refresh_from_db()
    assert (draft.status, UtilityReview.objects.count()) == ("draft", 0)


def test_good_rows_are_submitted_and_bad_ones_stay_in_a_draft(world, approver):
    submission = submit(staged(world, [row(1), row(2, **BAD), row(3)]), approver, only_good=True)
    rest = submission.continued_by.get()
    assert (submission.status, submission.row_count, found_in(submission)) == ("in_review", 2, set())
    assert (rest.status, rest.row_count, found_in(rest)) == ("draft", 1, {(3, "DER-EXPORT-NAMEPLATE")})


def test_nothing_good_is_nothing_to_submit(world, approver):
    with pytest.raises(UserError, match="no row without errors"), transaction.atomic():
        submit(staged(world, [row(1, **BAD)]), approver, only_good=True)


def test_another_attestation_than_the_one_in_force_is_refused(world, approver):
    draft = staged(world, [row(1)])
    with pytest.raises(UserError, match="attestation in force"), transaction.atomic():
        filing.submit(actor=approver, submission=draft, attestation_version="1999-1")


def test_submission_keeps_the_attestation_and_starts_each_utilitys_clock(world, approver):
    rows = [row(1), row(2, usage_point_id="edc2-up-02", utility_id_eia="963"), row(3)]
    submission = submit(staged(world, rows), approver)
    version, _, digest = filing.attestation()
    assert (submission.attestation_version, submission.attestation_sha256, submission.submitted_by) == (version, digest, approver)
    assert dict(submission.reviews.values_list("edc__slug", "row_count")) == {"edc": 2, "edc2": 1}
    review = submission.reviews.get(edc=world.edc)
    assert timezone.localdate(review.due_at - timedelta(seconds=1)) == timezone.localdate() + timedelta(days=60)
    assert review.clock_rule.key == "utility_review_days"
    assert Notice.objects.filter(event="review_started", user=world.user("edc", "reviewer")).count() == 1


def test_a_portfolio_sent_again_makes_no_review(world, approver):
    review = reviewed(world, [row(1), row(2)])
    reviewing.decide(actor=world.user("edc", "reviewer"), review=review, rows=review.submission.rows.all(), kind="approve")
    versions = Der.history.model.objects.count()
    again = submit(staged(world, [row(1), row(2)]), approver)
    assert (again.status, again.reviews.count(), Der.history.model.objects.count()) == ("completed", 0, versions)
    changed = submit(staged(world, [row(1), row(2, model="AS-9")]), approver)
    assert list(changed.reviews.values_list("row_count", flat=True)) == [1]


def test_another_contact_of_the_same_owner_is_a_notice(world, approver):
    """Effective at once: the utility knows the holder of the account."""
    review = reviewed(world, [row(1)])
    reviewing.decide(actor=world.user("edc", "reviewer"), review=review, rows=review.submission.rows.all(), kind="approve")
    again = submit(staged(world, [row(1, owner_email="new@example.org")]), approver)
    assert (again.rows.get().change, again.status) == ("notice", "completed")
    assert opened(Der.objects.get(external_id="A-1").owner)["owner_email"] == "new@example.org"


@pytest.mark.parametrize("column", ["edc_account_no"])
def test_another_owner_alone_is_a_change(world, approver, column):
    review = reviewed(world, [row(1), row(2)])
    reviewer = world.user("edc", "reviewer")
    reviewing.decide(actor=reviewer, review=review, rows=review.submission.rows.all(), kind="approve")
    again = submit(staged(world, [row(1), row(2, **{column: "new@example.org"})]), approver)
    assert list(again.rows.order_by("row_number").values_list("change", flat=True)) == ["unchanged", "changed"]
    reviewing.decide(actor=reviewer, review=again.reviews.get(), rows=again.rows.all(), kind="approve")
    owner = opened(Der.objects.get(external_id="A-2").owner)
    assert (owner[column], owner["owner_name"]) == ("new@example.org", "Owner 2")


def test_columns_that_a_file_lacks_keep_the_records_values_and_owner(world, approver):
    review = reviewed(world, [row(1)])
    reviewing.decide(actor=world.user("edc", "reviewer"), review=review, rows=review.submission.rows.all(), kind="approve")
    few = {name: row(1)[name] for name in ("external_id", "utility_id_eia", "usage_point_id")}
    again = staged(world, [few | {"model": "AS-9"}])
    assert (found_in(again), opened(again.rows.get().owner)["owner_name"], again.rows.get().serial_no) == (set(), "Owner 1", "SN-1")


def test_a_filing_that_went_bad_meanwhile_is_returned_and_withdrawn_when_not_mended(world, approver):
    draft = staged(world, [row(1)])
    with acting(None, "system: tests"):
        Submission.objects.filter(pk=draft.pk).update(checked_at=timezone.now() - timedelta(hours=1))
        StagedDer.objects.filter(submission=draft).update(approved_export_kw=99)
    returned = submit(draft, approver)
    assert (returned.status, returned.reviews.count()) == ("returned", 0)
    assert deadlines.check_deadlines(returned.resubmit_due_at)["withdrawn"] == 1
    assert deadlines.check_deadlines(returned.resubmit_due_at)["withdrawn"] == 0


def test_withdrawing_ends_what_is_open_and_leaves_what_is_decided(world, filer):
    review = reviewed(world, [row(n) for n in range(1, 4)])
    first, second, _ = review.submission.rows.order_by("row_number")
    reviewer = world.user("edc", "reviewer")
    rows = StagedDer.objects.filter
    reviewing.decide(actor=reviewer, review=review, rows=rows(pk=first.pk), kind="approve")
    withdrawing.withdraw(actor=filer, submission=review.submission, reason="Customers left")
    review.refresh_from_db()
    assert list(review.submission.rows.order_by("row_number").values_list("status", flat=True)) == ["approved", "withdrawn", "withdrawn"]
    assert review.status == "closed"
    with pytest.raises(Conflict), transaction.atomic():
        reviewing.decide(actor=reviewer, review=review, rows=rows(pk=second.pk), kind="approve")


def test_an_answer_opens_the_rows_again(world, filer):
    review = reviewed(world, [row(1)])
    reviewer = world.user("edc", "reviewer")
    asked = reviewing.decide(actor=reviewer, review=review, rows=review.submission.rows.all(), kind="request_info", statement="Which?")
    review.refresh_from_db()
    assert (review.status, review.submission.rows.get().status) == ("info_requested", "info_requested")
    answered = filing.answer(actor=filer, decision=asked, text="This one")
    review.refresh_from_db()
    assert (answered.status, answered.answer, review.status, review.submission.rows.get().status) == (
        "answered",
        "This one",
        "open",
        "pending",
    )
    with pytest.raises(Conflict), transaction.atomic():
        filing.answer(actor=filer, decision=asked, text="Again")


def test_a_long_name_of_a_file_does_no_harm(world, filer):
    submission = filing.receive_file(actor=filer, aggregator=world.aggregator, upload=upload(table([row(1)]), "n" * 230 + ".csv"))
    assert len(submission.job.title) <= 200


@pytest.mark.parametrize(
    "who", [("aggregator", "viewer"), ("aggregator2", "approver"), ("edc", "administrator"), ("rerra", "administrator")]
)
def test_who_may_not_file_changes_nothing(world, who):
    stranger, draft = world.user(*who), staged(world, [row(1)])
    version = filing.attestation()[0]
    wishes = (
        lambda: filing.create_draft(actor=stranger, aggregator=world.aggregator, title="x"),
        lambda: filing.receive_file(actor=stranger, aggregator=world.aggregator, upload=upload(b"x")),
        lambda: filing.save_row(actor=stranger, submission=draft, values={"external_id": "Z"}),
        lambda: filing.remove_row(actor=stranger, row=draft.rows.get()),
        lambda: filing.submit(actor=stranger, submission=draft, attestation_version=version),
        lambda: withdrawing.withdraw(actor=stranger, submission=draft, reason="x"),
        lambda: filing.cancel_reading(actor=stranger, submission=draft),
    )
    for wish in wishes:
        with pytest.raises(NotPermitted), transaction.atomic():
            wish()
    assert (Submission.objects.count(), StagedDer.objects.count(), Submission.objects.get().status) == (1, 1, "draft")


def test_a_filer_may_not_submit(world, filer):
    draft = staged(world, [row(1)])
    with pytest.raises(NotPermitted), transaction.atomic():
        submit(draft, filer)
    assert Submission.objects.get().status == "draft"


def test_submitted_rows_cannot_be_changed(world, filer):
    submission = submitted(world, [row(1)])
    with pytest.raises(Conflict), transaction.atomic():
        filing.save_row(actor=filer, submission=submission, row=submission.rows.get(), values={"model": "x"})
    with pytest.raises(Conflict), transaction.atomic():
        filing.remove_row(actor=filer, row=submission.rows.get())
