"""The utility's verbs: decide, confirm, by selection, by file, in the background: R1, N11, N13, ¶292, ¶296, ¶297."""

from copy import deepcopy
from decimal import Decimal

import pytest
from django.db import connection, transaction

from moc.access.policy import NotPermitted
from moc.documents.models import Document
from moc.errors import Conflict, UserError
from moc.jobs.models import Job
from moc.notices.models import Notice
from registry.ders.models import Der
from registry.participants.models import DerOwner
from registry.participants.services import opened
from registry.submissions.filters import selected_rows
from registry.submissions.models import Decision, StagedDer
from registry.submissions.services import bulk_decisions, overtaken, reviewing
from registry.submissions.services.decision_files import DecisionFileRefused, decide_by_file
from tests.factories.filings import on_disk, reviewed, row, run, store_in, table, upload
from tests.sharing import standing

pytestmark = pytest.mark.django_db
STUDY = b"%PDF the study"
LIMITED = {"external_id": "A-1", "decision": "approve_limited", "export_limit_kw": "4"}


@pytest.fixture(autouse=True)
def _files(settings, folder) -> None:
    store_in(settings, folder)


@pytest.fixture
def reviewer(world):
    return world.user("edc", "reviewer")


@pytest.fixture(scope="module")
def standing_review(standing_world, folder):
    return standing(lambda world: reviewed(world, [row(n) for n in range(1, 7)]), standing_world, folder)


@pytest.fixture
def review(world, standing_review):
    return deepcopy(standing_review)


def rows_of(review, *numbers: int):
    """Rows by the number of their DER."""
    return StagedDer.objects.filter(submission=review.submission, external_id__in=[f"A-{n}" for n in numbers])


def numbers_of(review, *numbers: int) -> list[int]:
    """Row numbers by the number of their DER."""
    return list(rows_of(review, *numbers).values_list("row_number", flat=True))


def statuses(review) -> list[str]:
    return list(review.submission.rows.order_by("row_number").values_list("status", flat=True))


def terms(kind: str, **said) -> dict:
    return {"kind": kind, "statement": "", "reason_code": "", **said}


def by_selection(review, actor, selection: dict, said: dict, evidence=None) -> bulk_decisions.Outcome:
    return bulk_decisions.decide_selection(
        actor=actor,
        review=review,
        selection=selection,
        rows_of=lambda chosen: selected_rows(review, actor, chosen),
        terms=said,
        evidence_upload=evidence,
    )


def test_approved_rows_become_records_with_owner_history_and_notice(world, review, reviewer):
    decision = reviewing.decide(actor=reviewer, review=review, rows=rows_of(review, 1, 2), kind="approve", statement="In order")
    der = Der.objects.get(external_id="A-1")
    assert (decision.row_count, Der.objects.count(), DerOwner.objects.count()) == (2, 2, 2)
    assert (der.status, der.edc, der.aggregator, der.nameplate_ac_kw) == ("active", world.edc, world.aggregator, Decimal("7.6"))
    assert (opened(der.owner)["edc_account_no"], der.service_point.usage_point_id, der.feeder_id) == (
        "100001",
        "edc-up-01",
        der.service_point.feeder_id,
    )
    version = Der.history.model.objects.get(external_id="A-1")
    assert (version.history_user, version.history_change_reason) == (reviewer, "Approve: In order")
    assert statuses(review) == ["approved", "approved", *["pending"] * 4]
    assert Notice.objects.filter(user=world.user("aggregator", "filer"), event="decision").count() == 1


@pytest.mark.parametrize(("many", "known", "loops"), [(1, 1, "off"), (2, 1, "on"), (1, 2, "on")])
def test_more_rows_than_the_planner_knows_ders_are_compared_as_sets(review, reviewer, monkeypatch, many, known, loops):
    """Taken for one, each of them would be compared with every DER: R1."""
    monkeypatch.setattr(overtaken, "MANY", many)
    monkeypatch.setattr(overtaken, "known_rows", lambda models: dict.fromkeys(models, known))
    reviewing.decide(actor=reviewer, review=review, rows=rows_of(review, 1, 2), kind="approve")
    with connection.cursor() as cursor:
        cursor.execute("SHOW enable_nestloop")
        assert cursor.fetchone() == (loops,)


def test_a_person_deems_nothing_approved(review, reviewer):
    """Deemed approval is the clock's, where a rule set row says so; a person approves."""
    with pytest.raises(UserError, match="Only the clock"):
        reviewing.decide(actor=reviewer, review=review, rows=rows_of(review, 1), kind="deemed")
    assert not Decision.objects.exists() and statuses(review) == ["pending"] * 6


def test_limits_are_the_smaller_of_filed_and_decided(world, review, reviewer):
    reviewing.decide(actor=reviewer, review=review, rows=rows_of(review, 1), kind="approve_limited", export_limit_kw=Decimal(5))
    der = Der.objects.get()
    assert (der.export_limit_kw, der.approved_export_kw) == (5, Decimal("7.6"))


@pytest.mark.parametrize(
    ("kind", "said", "code"),
    [
        ("maybe", {}, "DECISION-KIND"),
        ("deny", {"evidence": True}, "DECISION-REASON"),
        ("deny", {"reason_code": "ugly", "evidence": True}, "DECISION-REASON"),
        ("deny", {"reason_code": "not_capable"}, "DECISION-EVIDENCE"),
        ("approve_limited", {}, "DECISION-LIMITS"),
        ("approve_limited", {"export_limit_kw": Decimal(-1)}, "DECISION-LIMITS"),
        ("request_info", {"statement": "  "}, "DECISION-QUESTION"),
    ],
)
def test_a_decision_that_lacks_something_is_refused(world, review, reviewer, kind, said, code):
    if said.pop("evidence", False):
        said["evidence"] = Document(name="study.pdf")
    with pytest.raises(UserError) as refused, transaction.atomic():
        reviewing.decide(actor=reviewer, review=review, rows=rows_of(review, 1), kind=kind, **said)
    assert refused.value.code == code
    assert (Decision.objects.count(), statuses(review)) == (0, ["pending"] * 6)


def test_rows_that_were_decided_meanwhile_refuse_the_whole_decision(world, review, reviewer):
    reviewing.decide(actor=reviewer, review=review, rows=rows_of(review, 1), kind="approve")
    with pytest.raises(Conflict, match="1 of 2 rows were decided meanwhile"), transaction.atomic():
        reviewing.decide(actor=reviewer, review=review, rows=rows_of(review, 1, 2), kind="approve")
    assert (Der.objects.count(), Decision.objects.count()) == (1, 1)


def test_a_denial_takes_two_people(world, review, reviewer):
    said = terms("deny", reason_code="data_mismatch", statement="Another inverter")
    proposed = by_selection(review, reviewer, {"rows": numbers_of(review, 1)}, said, upload(STUDY, "study.pdf")).decisions[0]
    assert (proposed.status, proposed.evidence.counterparty, statuses(review)[0]) == ("proposed", world.aggregator, "denial_proposed")
    assert Notice.objects.filter(user=world.user("edc", "approver"), event="denial_proposed").exists()
    assert not Notice.objects.filter(event="decision").exists(), "the aggregator is told when it is confirmed"
    with pytest.raises(NotPermitted), transaction.atomic():
        reviewing.confirm_denial(actor=reviewer, decision=proposed)
    confirmed = reviewing.confirm_denial(actor=world.user("edc", "approver"), decision=proposed)
    assert (confirmed.status, confirmed.confirmed_by, statuses(review)[0]) == ("effective", world.user("edc", "approver"), "denied")
    assert (Der.objects.count(), Notice.objects.filter(event="decision").count() > 0) == (0, True)


def test_nobody_confirms_an_own_denial(world, review):
    approver = world.user("edc", "approver")
    said = terms("deny", reason_code="data_mismatch")
    proposed = by_selection(review, approver, {"rows": numbers_of(review, 1)}, said, upload(STUDY, "study.pdf")).decisions[0]
    with pytest.raises(UserError, match="another person") as refused, transaction.atomic():
        reviewing.confirm_denial(actor=approver, decision=proposed)
    assert refused.value.code == "FOUR-EYES"
    assert statuses(review)[0] == "denial_proposed"


def test_a_denial_that_is_not_confirmed_opens_its_rows(world, review, reviewer):
    said = terms("deny", reason_code="data_mismatch")
    proposed = by_selection(review, reviewer, {"rows": numbers_of(review, 1)}, said, upload(STUDY, "study.pdf")).decisions[0]
    approver = world.user("edc", "approver")
    with pytest.raises(UserError), transaction.atomic():
        reviewing.reject_denial(actor=approver, decision=proposed, reason=" ")
    rejected = reviewing.reject_denial(actor=approver, decision=proposed, reason="The serial number is right")
    assert (rejected.status, statuses(review)[0]) == ("rejected", "pending")


def test_the_last_decision_closes_the_review_and_completes_the_submission(world, review, reviewer):
    reviewing.decide(actor=reviewer, review=review, rows=review.submission.rows.all(), kind="approve")
    review.refresh_from_db()
    assert (review.status, review.submission.status) == ("closed", "completed")


def test_a_filter_selects_what_is_still_to_decide(world, review, reviewer):
    reviewing.decide(actor=reviewer, review=review, rows=rows_of(review, 1), kind="approve")
    outcome = by_selection(review, reviewer, {"filter": "external_id=&der_type=photovoltaic"}, terms("approve"))
    assert (outcome.row_count, Der.objects.count()) == (5, 6)


def test_an_unreadable_filter_selects_nothing(world, review, reviewer):
    with pytest.raises(UserError, match="No rows are selected"), transaction.atomic():
        by_selection(review, reviewer, {"filter": "der_type=sunbeam"}, terms("approve"))


def test_rows_that_the_review_does_not_have_are_not_decided(world, review, reviewer):
    numbers = [*numbers_of(review, 1), 99]
    with pytest.raises(Conflict, match="2 rows were selected, of which 1"), transaction.atomic():
        by_selection(review, reviewer, {"rows": numbers}, terms("approve"))
    assert Der.objects.count() == 0


def test_a_refused_denial_leaves_no_evidence_behind(world, review, reviewer, settings, tmp_path):
    with pytest.raises(UserError), transaction.atomic():
        by_selection(review, reviewer, {"rows": numbers_of(review, 1)}, terms("deny"), upload(STUDY, "study.pdf"))
    assert not Document.objects.filter(kind="evidence").exists()
    assert [path for path in tmp_path.rglob("*") if path.is_file() and path.read_bytes() == STUDY] == []


def test_many_rows_are_decided_in_the_background_exactly_once(world, review, reviewer, monkeypatch):
    monkeypatch.setattr(bulk_decisions, "AT_ONCE", 2)
    said = terms("approve_limited", export_limit_kw=Decimal("4.5"))
    job = by_selection(review, reviewer, {"filter": ""}, said).job
    assert statuses(review) == ["pending"] * 6
    run(job)
    assert (job.status, job.outcome["rows"], Decision.objects.count()) == ("done", 6, 1)
    assert set(Der.objects.values_list("export_limit_kw", flat=True)) == {Decimal("4.5")}
    Job.objects.filter(pk=job.pk).update(status=Job.Status.QUEUED)  # as if the worker had died after its commit
    run(job)
    assert (job.status, Decision.objects.count(), Der.history.model.objects.count()) == ("done", 1, 6)


def test_a_job_whose_rows_were_decided_meanwhile_fails_and_changes_nothing(world, review, reviewer, monkeypatch):
    monkeypatch.setattr(bulk_decisions, "AT_ONCE", 2)
    job = by_selection(review, reviewer, {"filter": ""}, terms("approve")).job
    reviewing.decide(actor=reviewer, review=review, rows=rows_of(review, 1), kind="approve")
    run(job)
    assert (job.status, job.outcome["code"], Der.objects.count()) == ("failed", "CONFLICT", 1)
    assert "still there to decide" in job.error


def test_a_decision_file_is_carried_out_as_one(world, review, reviewer):
    decided = [
        {"external_id": "A-1", "decision": "approve"},
        {"row_number": "3", "decision": "Approve"},
        {
            "external_id": "A-3",
            "decision": "approve_limited",
            "export_limit_kw": "4",
            "volt_watt": "[[1.06, 1], [1.1, 0.2]]",
            "max_w": "50",
        },
        {"external_id": "A-4", "decision": "deny", "reason_code": "R6", "statement": "Another inverter"},
        {"external_id": "A-5", "decision": "request_info", "statement": "Which meter?"},
    ]
    outcome = decide_by_file(actor=reviewer, review=review, upload=on_disk(table(decided)), evidence_upload=upload(STUDY, "study.pdf"))
    assert (outcome.row_count, len(outcome.decisions)) == (5, 4)
    assert statuses(review) == ["approved", "approved", "approved_limited", "denial_proposed", "info_requested", "pending"]
    assert Decision.objects.get(kind="deny").reason_code == "data_mismatch"
    issued = {"volt_watt": [[1.06, 1.0], [1.1, 0.2]], "max_w": 50.0}
    assert Der.objects.get(external_id="A-3").inverter_settings == issued == Decision.objects.get(kind="approve_limited").inverter_settings


@pytest.mark.parametrize(
    ("cells", "column", "code"),
    [
        ({"decision": "approve"}, "external_id", "DECISION-ROW-MISSING"),
        ({"external_id": "B-1", "decision": "approve"}, "external_id", "DECISION-ROW-UNKNOWN"),
        ({"external_id": "A-1", "row_number": "3", "decision": "approve"}, "row_number", "DECISION-ROW-AMBIGUOUS"),
        ({"external_id": "A-6", "decision": "approve"}, "external_id", "DECISION-ROW-TWICE"),
        ({"external_id": "A-5", "decision": "approve"}, "external_id", "DECISION-ROW-DECIDED"),
        ({"external_id": "A-1", "decision": "perhaps"}, "decision", "DECISION-KIND"),
        ({"external_id": "A-1", "decision": "deny", "reason_code": "R9"}, "reason_code", "DECISION-REASON"),
        ({"external_id": "A-1", "decision": "deny", "reason_code": "R6"}, "decision", "DECISION-EVIDENCE"),
        ({"external_id": "A-1", "decision": "approve_limited"}, "export_limit_kw", "DECISION-LIMITS"),
        ({"external_id": "A-1", "decision": "approve_limited", "import_limit_kw": "5 kW"}, "import_limit_kw", "DECISION-NUMBER"),
        ({"external_id": "A-1", "decision": "request_info"}, "statement", "DECISION-QUESTION"),
        (LIMITED | {"volt_var": "0.9 to 1.1"}, "volt_var", "DECISION-SETTINGS"),
        (LIMITED | {"volt_var": "[[1, 0.4], [0.9, 0]]"}, "volt_var", "DECISION-SETTINGS"),
        (LIMITED | {"max_w": "50 %"}, "max_w", "DECISION-SETTINGS"),
        (LIMITED | {"volt_var": "[[0.9, 0.4], [1.1, 0]]", "power_factor": "0.9"}, "power_factor", "DECISION-SETTINGS"),
        ({"external_id": "A-1", "decision": "approve", "max_w": "50"}, "max_w", "DECISION-SETTINGS-KIND"),
    ],
)
def test_a_wrong_row_refuses_the_whole_decision_file(world, review, reviewer, cells, column, code):
    reviewing.decide(actor=reviewer, review=review, rows=rows_of(review, 5), kind="approve")
    content = table([{"external_id": "A-6", "decision": "approve"}, cells])
    with pytest.raises(DecisionFileRefused) as refused:
        decide_by_file(actor=reviewer, review=review, upload=on_disk(content))
    problem = refused.value.problems[0]
    assert (problem["row"], problem["column"], problem["code"]) == (3, column, code)
    assert problem["sentence"] and problem["remedy"]
    assert (Decision.objects.count(), statuses(review)[5]) == (1, "pending")


def test_a_decision_file_that_is_no_table_is_refused(world, review, reviewer):
    with pytest.raises(UserError) as refused:
        decide_by_file(actor=reviewer, review=review, upload=on_disk(b"\x00\x01", "decisions.xlsx"))
    assert refused.value.remedy


STRANGERS = [("edc", "viewer"), ("edc", "auditor"), ("edc2", "administrator"), ("aggregator", "administrator"), ("rerra", "administrator")]


@pytest.mark.parametrize("who", STRANGERS)
def test_who_may_not_review_changes_nothing(world, review, who):
    stranger = world.user(*who)
    wishes = (
        lambda: reviewing.decide(actor=stranger, review=review, rows=rows_of(review, 1), kind="approve"),
        lambda: by_selection(review, stranger, {"filter": ""}, terms("approve")),
        lambda: decide_by_file(actor=stranger, review=review, upload=on_disk(table([{"external_id": "A-1", "decision": "approve"}]))),
    )
    for wish in wishes:
        with pytest.raises(NotPermitted), transaction.atomic():
            wish()
    assert (Decision.objects.count(), Der.objects.count(), Job.objects.filter(task=bulk_decisions.TASK).count()) == (0, 0, 0)
