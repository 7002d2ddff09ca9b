"""Reviewing through the API: the queue, decisions by number and by filter, four eyes, evidence, answers."""

import io

import pytest
from django.utils import timezone

from moc.jobs.models import Job
from registry.ders.models import Der
from registry.participants.services import MASK
from registry.submissions import tasks
from registry.submissions.models import Decision, StagedDer
from registry.submissions.services import bulk_decisions
from tests.registry.submissions.api_world import DECISIONS, REVIEWS, reviewed, row, store_in
from tests.sharing import standing

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _files(settings, folder) -> None:
    store_in(settings, folder)


@pytest.fixture(scope="module")
def standing_review(standing_world, folder, api_of) -> str:
    rows = [row(n, nameplate_ac_kw=n + 7) for n in range(1, 6)]
    return standing(lambda world: reviewed(world, api_of, rows), standing_world, folder)


@pytest.fixture
def review(world, standing_review) -> str:
    return standing_review


@pytest.fixture
def reviewer(world, api_of):
    return api_of(world.user("edc", "reviewer"))


def evidence(api, review: str) -> str:
    file = io.BytesIO(b"%PDF a study")
    file.name = "study.pdf"
    answer = api.post(f"{review}documents/", {"file": file}, format="multipart")
    assert answer.status_code == 201, answer.json()
    return answer.json()["id"]


def deny(api, review: str, **said):
    body = {"kind": "deny", "rows": [1], "reason_code": "data_mismatch", "statement": "Another inverter", **said}
    return api.post(f"{review}decisions/", body)


def test_the_queue_and_the_review(review, reviewer):
    queued = reviewer.get(REVIEWS).json()["results"]
    shown = reviewer.get(review).json()
    assert [each["id"] for each in queued] == [shown["id"]]
    assert (shown["row_count"], shown["rows_by_status"], shown["edc"], shown["aggregator"]) == (5, {"pending": 5}, "edc", "aggregator")
    rows = reviewer.get(f"{review}rows/?nameplate_ac_kw_min=11").json()["results"]
    assert [each["row"] for each in rows] == [4, 5]
    assert rows[0]["owner"]["owner_name"] == MASK


def test_deciding_by_number_and_by_filter(world, review, reviewer):
    some = reviewer.post(f"{review}decisions/", {"kind": "approve", "rows": [1, 3]})
    assert (some.status_code, some.json()["row_count"]) == (201, 2)
    assert reviewer.get(some["Location"]).json() == some.json()
    large = {"kind": "approve_limited", "filter": {"nameplate_ac_kw_min": "11"}, "export_limit_kw": 5, "statement": "Feeder is full"}
    assert reviewer.post(f"{review}decisions/", large).json()["row_count"] == 2
    assert reviewer.get(review).json()["rows_by_status"] == {"pending": 1, "approved": 2, "approved_limited": 2}
    assert sorted(Der.objects.values_list("external_id", "export_limit_kw")) == [("A-1", None), ("A-3", None), ("A-4", 5), ("A-5", 5)]
    assert len(reviewer.get(f"{review}decisions/").json()["results"]) == 2


def test_many_rows_are_decided_by_a_job(review, reviewer, monkeypatch):
    monkeypatch.setattr(bulk_decisions, "AT_ONCE", 2)
    lacking = reviewer.post(f"{review}decisions/", {"kind": "approve_limited", "filter": {}})
    assert (lacking.status_code, lacking.json()["code"]) == (422, "DECISION-LIMITS")
    answer = reviewer.post(f"{review}decisions/", {"kind": "approve_limited", "filter": {"nameplate_ac_kw_min": "9"}, "export_limit_kw": 5})
    assert (answer.status_code, answer.json()["status"]) == (202, "queued")
    tasks.decide(Job.objects.get(uuid=answer.json()["id"]).pk)
    job = reviewer.get(answer["Location"]).json()
    assert (job["status"], job["outcome"]["rows"]) == ("done", 4)
    assert reviewer.get(f"{DECISIONS}{job['outcome']['decisions'][0]}/").json()["export_limit_kw"] == 5


def test_a_decision_file_is_carried_out_as_one(review, reviewer):
    address = f"{review}decision-file/"
    wrong = reviewer.post(address, b"external_id,decision\nA-1,approve\nA-99,approve\nA-2,perhaps", content_type="text/csv")
    assert (wrong.status_code, wrong.json()["code"]) == (422, "DECISION-FILE")
    assert [(each["field"], each["code"]) for each in wrong.json()["errors"]] == [
        ("rows.3.external_id", "DECISION-ROW-UNKNOWN"),
        ("rows.4.decision", "DECISION-KIND"),
    ]
    assert not Decision.objects.exists()
    done = reviewer.post(address, [{"external_id": "A-1", "decision": "approve"}, {"row_number": 2, "decision": "approve"}])
    assert (done.status_code, [each["row_count"] for each in done.json()]) == (201, [2])
    assert reviewer.get(review).json()["rows_by_status"] == {"pending": 3, "approved": 2}


def test_the_rest_closes_the_review(review, reviewer):
    assert reviewer.post(f"{review}decisions/", {"kind": "approve", "filter": {}}).json()["row_count"] == 5
    assert reviewer.get(review).json()["status"] == "closed"
    assert reviewer.get(REVIEWS).json()["results"] == []
    late = reviewer.post(f"{review}decisions/", {"kind": "approve", "rows": [1]})
    assert (late.status_code, late.json()["code"]) == (409, "CONFLICT")


def test_decided_rows_are_a_conflict_and_nothing_changes(review, reviewer):
    reviewer.post(f"{review}decisions/", {"kind": "approve", "rows": [1]})
    both = reviewer.post(f"{review}decisions/", {"kind": "approve", "rows": [1, 2]})
    assert both.status_code == 409
    assert (Der.objects.count(), Decision.objects.count()) == (1, 1)


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"kind": "approve"}, 400, "INVALID"),
        ({"kind": "approve", "rows": [1], "filter": {}}, 400, "INVALID"),
        ({"kind": "approve", "rows": [1, 77]}, 400, "INVALID"),
        ({"kind": "approve", "filter": {"color": "red"}}, 400, "INVALID"),
        ({"kind": "approve", "filter": {"status": "approved"}}, 422, "DECISION-EMPTY"),
        ({"kind": "deemed", "rows": [1]}, 400, "INVALID"),
        ({"kind": "approve_limited", "rows": [1]}, 422, "DECISION-LIMITS"),
        ({"kind": "request_info", "rows": [1]}, 422, "DECISION-QUESTION"),
        ({"kind": "deny", "rows": [1], "reason_code": "do_not_like_it"}, 409, "DECISION-REASON"),
        ({"kind": "deny", "rows": [1], "reason_code": "data_mismatch"}, 422, "DECISION-EVIDENCE"),
        ({"kind": "deny", "rows": [1], "evidence": "8e03978e-40d5-43dd-bc93-6894a57f9324"}, 400, "INVALID"),
    ],
)
def test_an_incomplete_decision_is_refused(review, reviewer, body, status, code):
    answer = reviewer.post(f"{review}decisions/", body)
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.json()
    assert not Decision.objects.exists()
    assert set(StagedDer.objects.values_list("status", flat=True)) == {"pending"}


def test_a_denial_takes_two_people(world, review, reviewer, api_of):
    proposed = deny(reviewer, review, evidence=evidence(reviewer, review))
    assert (proposed.status_code, proposed.json()["status"]) == (201, "proposed")
    address, aggregator = f"{DECISIONS}{proposed.json()['id']}/", api_of(world.machine)
    assert (aggregator.get(address).status_code, aggregator.get(DECISIONS).json()["results"]) == (404, [])  # nothing until it is confirmed
    confirm = f"{address}transitions/confirm/"
    assert reviewer.post(confirm, {}, headers={"If-Match": proposed["ETag"]}).status_code == 403
    approver = api_of(world.user("edc", "approver"))
    assert approver.post(confirm, {}).status_code == 428
    done = approver.post(confirm, {}, headers={"If-Match": proposed["ETag"]})
    assert (done.status_code, done.json()["status"]) == (200, "effective")
    assert approver.post(confirm, {}, headers={"If-Match": proposed["ETag"]}).status_code == 412
    assert aggregator.get(address).json()["status"] == "effective"
    assert StagedDer.objects.get(row_number=1).status == "denied"


def test_nobody_confirms_a_denial_of_his_own(world, review, api_of):
    approver = api_of(world.user("edc", "approver"))
    proposed = deny(approver, review, evidence=evidence(approver, review))
    confirm = f"{DECISIONS}{proposed.json()['id']}/transitions/confirm/"
    answer = approver.post(confirm, {}, headers={"If-Match": proposed["ETag"]})
    assert (answer.status_code, answer.json()["code"]) == (422, "FOUR-EYES")
    assert Decision.objects.get().status == "proposed"


def test_a_denial_that_is_not_confirmed(world, review, reviewer, api_of):
    proposed = deny(reviewer, review, evidence=evidence(reviewer, review))
    reject = f"{DECISIONS}{proposed.json()['id']}/transitions/reject/"
    done = api_of(world.user("edc", "approver")).post(reject, {"reason": "The study is old"}, headers={"If-Match": proposed["ETag"]})
    assert (done.status_code, done.json()["status"]) == (200, "rejected")
    assert StagedDer.objects.get(row_number=1).status == "pending"


def test_a_question_is_answered_by_the_aggregator(world, review, reviewer, api_of):
    asked = reviewer.post(f"{review}decisions/", {"kind": "request_info", "rows": [2], "statement": "Which inverter?"})
    answer = f"{DECISIONS}{asked.json()['id']}/transitions/answer/"
    assert reviewer.post(answer, {"text": "None"}, headers={"If-Match": asked["ETag"]}).status_code == 403
    done = api_of(world.machine).post(answer, {"text": "AS-7600"}, headers={"If-Match": asked["ETag"]})
    assert (done.status_code, done.json()["status"], done.json()["answer"]) == (200, "answered", "AS-7600")
    assert StagedDer.objects.get(row_number=2).status == "pending"


def test_evidence_is_read_by_both_sides_and_no_other(world, review, reviewer, api_of):
    address = f"/api/v1/documents/{evidence(reviewer, review)}/"
    assert b"".join(reviewer.get(f"{address}file/").streaming_content) == b"%PDF a study"
    assert api_of(world.machine).get(address).json()["name"] == "study.pdf"
    assert api_of(world.machine2).get(address).status_code == 404
    assert api_of(world.machine2).get(f"{address}file/").status_code == 404


def test_the_same_decision_with_the_same_key_is_made_once(review, reviewer):
    key = {"Idempotency-Key": "decide-1"}
    body = {"kind": "approve", "rows": [1]}
    first = reviewer.post(f"{review}decisions/", body, headers=key)
    again = reviewer.post(f"{review}decisions/", body, headers=key)
    assert (again.status_code, again.json(), again["Location"]) == (201, first.json(), first["Location"])
    assert again["Idempotent-Replayed"] == "true"
    assert reviewer.post(f"{review}decisions/", {**body, "rows": [2]}, headers=key).status_code == 422
    assert Decision.objects.count() == 1


def test_others_see_or_do_nothing(world, review, api_of):
    body = {"kind": "approve", "rows": [1]}
    for user, status in (
        (world.user("edc", "viewer"), 403),
        (world.machine, 403),
        (world.user("rerra", "auditor"), 403),
        (world.user("edc2", "reviewer"), 404),
        (world.machine2, 404),
        (None, 401),
    ):
        assert api_of(user).post(f"{review}decisions/", body).status_code == status
    assert not Decision.objects.exists()


def test_a_review_is_asked_as_recorded_at_a_moment(world, review, reviewer):
    """N4: as it stood then; of the filed rows, which keep no versions, nothing is said. What keeps none says so."""
    before = timezone.now().isoformat()
    reviewer.post(f"{review}decisions/", {"kind": "approve", "filter": {}})
    now, then = reviewer.get(review).json(), reviewer.get(review, {"as_of": before}).json()
    assert (now["status"], then["status"], now["rows_by_status"], then["rows_by_status"]) == ("closed", "open", {"approved": 5}, None)
    assert reviewer.get(review, {"as_of": before, "fields": "id,status"}).json() == {"id": now["id"], "status": "open"}
    assert reviewer.get(review, {"as_of": "2001-01-01"}).status_code == 404
    refused = reviewer.get(review, {"as_of": "2999-01-01"})
    assert refused.status_code == 400 and refused.json()["errors"][0]["field"] == "as_of"


def test_nobody_else_sees_a_review_of_then(world, review, api_of):
    moment = {"as_of": timezone.now().isoformat()}
    for party in ("edc2", "aggregator2", "tso2"):
        assert api_of(world.user(party, "administrator")).get(review, moment).status_code == 404


def test_what_keeps_no_versions_refuses_a_moment(world, review, reviewer, api_of):
    """A submission is shown with its rows' counts and findings, which keep none."""
    submission = f"/api/v1/registry/submissions/{reviewer.get(review).json()['submission']}/"
    refused = api_of(world.user("aggregator", "filer")).get(submission, {"as_of": "2026-01-01"})
    assert refused.status_code == 400 and "keeps no versions" in refused.json()["errors"][0]["detail"]
