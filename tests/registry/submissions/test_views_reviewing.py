"""The utility's pages: queue, selection, decision file, four eyes, letters; and who sees what: R1, N11, N12."""

from copy import deepcopy

import pytest
from django.urls import reverse
from django.utils import timezone

from registry.ders.models import Der
from registry.submissions.models import Decision
from registry.submissions.services import bulk_decisions
from tests.factories.filings import reviewed, row, run, store_in, table, upload
from tests.factories.presence import sign_in
from tests.sharing import standing

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _files(settings, folder) -> None:
    store_in(settings, folder)


@pytest.fixture(scope="module")
def standing_review(standing_world, folder):
    rows = [row(n, nameplate_ac_kw=str(n + 7), rated_kva="") for n in range(1, 7)]
    return standing(lambda world: reviewed(world, rows), standing_world, folder)


@pytest.fixture
def review(world, standing_review):
    return deepcopy(standing_review)


@pytest.fixture
def reviewer(world, client_of):
    return client_of(world.user("edc", "reviewer"))


@pytest.fixture
def approver(world, client_of):
    return client_of(world.user("edc", "approver"))


def page(name: str, *args) -> str:
    return reverse(f"registry:{name}", args=args)


def text(response) -> str:
    return " ".join(response.content.decode().split())


def keys(review, *numbers: int) -> list[int]:
    names = [f"A-{n}" for n in numbers]
    return list(review.submission.rows.filter(external_id__in=names).order_by("row_number").values_list("row_number", flat=True))


def deny(client, review, numbers=(1,), **said):
    study = {"evidence": upload(b"%PDF study", "study.pdf")}
    body = {"kind": "deny", "selected": keys(review, *numbers), "reason_code": "data_mismatch", "statement": "Another inverter"}
    return client.post(page("review_detail", review.uuid), body | study | said)


def test_the_queue_shows_what_is_not_closed_by_due_date(world, review, reviewer):
    later = reviewed(world, [row(8)])
    html = text(reviewer.get(page("review_list")))
    assert html.index(str(review.uuid)) < html.index(str(later.uuid))
    assert "60 days left" in html
    reviewer.post(page("review_detail", review.uuid), {"kind": "approve", "all_in_filter": "on", "filter": "", "statement": ""})
    assert str(review.uuid) not in text(reviewer.get(page("review_list")))
    assert str(review.uuid) in text(reviewer.get(page("review_list") + "?status=all"))


def test_rows_are_filtered_and_paged(review, reviewer, monkeypatch):
    from registry.submissions.views.reviewing import ReviewDetail

    url = page("review_detail", review.uuid)
    shown = [row.selected_value for row in reviewer.get(url + "?nameplate_ac_kw_min=12&findings=none").context["table"].rows]
    assert shown == keys(review, 5, 6)
    assert reviewer.get(url + "?feeder=F1").context["page"]["count_text"] == "3 rows"
    monkeypatch.setattr(ReviewDetail, "page_size", 4)
    first = reviewer.get(url).context
    second = reviewer.get(url + first["page"]["next_url"]).context
    assert [len(context["table"].rows) for context in (first, second)] == [4, 2]


def test_ticked_rows_are_decided(review, reviewer):
    url = page("review_detail", review.uuid)
    answer = reviewer.post(url, {"kind": "approve", "selected": keys(review, 1, 2), "statement": ""})
    assert (answer.status_code, Der.objects.count()) == (302, 2)
    assert "Decided: 2 rows." in text(reviewer.get(url))


def test_an_error_keeps_the_boxes_ticked(review, reviewer):
    answer = reviewer.post(page("review_detail", review.uuid), {"kind": "request_info", "selected": keys(review, 2), "statement": ""})
    assert answer.status_code == 422 and "needs a question" in text(answer)
    assert [row.selected_value for row in answer.context["table"].rows if row.selected] == keys(review, 2)


def test_who_comes_second_is_told(review, reviewer, approver):
    url = page("review_detail", review.uuid)
    reviewer.post(url, {"kind": "approve", "selected": keys(review, 1), "statement": ""})
    answer = approver.post(url, {"kind": "approve", "selected": keys(review, 1, 2), "statement": ""})
    assert answer.status_code == 422 and "were decided meanwhile; nothing was changed" in text(answer)
    assert Der.objects.count() == 1


def test_every_row_of_the_filter(review, reviewer):
    url = page("review_detail", review.uuid) + "?nameplate_ac_kw_min=11"
    reviewer.post(url, {"kind": "approve_limited", "all_in_filter": "on", "filter": "nameplate_ac_kw_min=11", "export_limit_kw": "5"})
    assert sorted(Der.objects.values_list("external_id", flat=True)) == ["A-4", "A-5", "A-6"]


def test_many_rows_run_as_a_job_with_progress_on_the_page(review, reviewer, monkeypatch):
    monkeypatch.setattr(bulk_decisions, "AT_ONCE", 2)
    url = page("review_detail", review.uuid)
    reviewer.post(url, {"kind": "approve", "all_in_filter": "on", "filter": "", "statement": ""})
    shown = reviewer.get(url)
    assert shown.context["progress"]["running"] and "hx-get" in text(shown)
    job = bulk_decisions.Job.objects.get(task=bulk_decisions.TASK)
    run(job)
    assert reviewer.get(url).context["progress"] is None
    assert Der.objects.count() == 6


def test_a_failed_job_says_why_on_the_page(world, review, reviewer, approver, monkeypatch):
    monkeypatch.setattr(bulk_decisions, "AT_ONCE", 2)
    url = page("review_detail", review.uuid)
    reviewer.post(url, {"kind": "approve", "all_in_filter": "on", "filter": "", "statement": ""})
    approver.post(url, {"kind": "approve", "selected": keys(review, 1), "statement": ""})
    run(bulk_decisions.Job.objects.get(task=bulk_decisions.TASK))
    assert "nothing was decided" in text(reviewer.get(url)) and "still there to decide" in text(reviewer.get(url))


def test_a_denial_is_proposed_shown_and_confirmed_by_another(review, reviewer, approver):
    assert deny(reviewer, review).status_code == 302
    proposed, url = Decision.objects.get(), page("review_detail", review.uuid)
    assert "You proposed this" in text(reviewer.get(url)) and "Confirm the denial" not in text(reviewer.get(url))
    assert "Confirm the denial" in text(approver.get(url)) and "study.pdf" in text(approver.get(url))
    assert reviewer.post(page("denial_confirm", review.uuid, proposed.uuid)).status_code == 403
    approver.post(page("denial_confirm", review.uuid, proposed.uuid))
    proposed.refresh_from_db()
    assert proposed.status == "effective"


def test_a_denial_is_not_confirmed_with_a_reason(review, reviewer, approver):
    deny(reviewer, review)
    proposed = Decision.objects.get()
    url = page("denial_reject", review.uuid, proposed.uuid)
    assert approver.get(url).status_code == 200
    assert approver.post(url, {"reason": ""}).status_code == 422
    assert approver.post(url, {"reason": "The serial number is right"}).status_code == 302
    proposed.refresh_from_db()
    assert (proposed.status, proposed.answer) == ("rejected", "The serial number is right")


def test_who_denies_or_confirms_a_denial_has_shown_lately_who_they_are(world, review, reviewer, approver):
    """N2: a denial asks for it, an approval does not."""
    sign_in(reviewer, world.user("edc", "reviewer"), ago=1200)
    asked = deny(reviewer, review)
    assert "/reauthenticate/" in asked.url and not Decision.objects.exists()
    assert "/reauthenticate/" in reviewer.get(page("review_decision_file", review.uuid)).url
    assert reviewer.post(page("review_detail", review.uuid), {"kind": "approve", "selected": keys(review, 2)}).status_code == 302
    assert Decision.objects.get().kind == "approve"
    deny(sign_in(reviewer, world.user("edc", "reviewer")), review)
    denial = Decision.objects.get(kind="deny")
    sign_in(approver, world.user("edc", "approver"), ago=1200)
    confirm = page("denial_confirm", review.uuid, denial.uuid)
    assert "/reauthenticate/" in approver.post(confirm).url
    denial.refresh_from_db()
    assert denial.status == "proposed"
    sign_in(approver, world.user("edc", "approver")).post(confirm)
    denial.refresh_from_db()
    assert denial.status == "effective"


def test_a_proposed_denial_is_not_shown_to_the_aggregator(world, review, reviewer, client_of):
    deny(reviewer, review)
    filer = client_of(world.user("aggregator", "filer"))
    assert "Another inverter" not in text(filer.get(page("submission_detail", review.submission.uuid)))
    assert "Another inverter" not in text(filer.get(page("review_detail", review.uuid)))


def test_a_decision_file(review, reviewer):
    url = page("review_decision_file", review.uuid)
    wrong = table([{"external_id": "A-1", "decision": "approve"}, {"external_id": "B-9", "decision": "no"}])
    answer = reviewer.post(url, {"file": upload(wrong, "d.csv")})
    assert answer.status_code == 422
    assert "2 problems in the decision file" in text(answer) and "DECISION-ROW-UNKNOWN" in text(answer) and Decision.objects.count() == 0
    right = table([{"external_id": "A-1", "decision": "approve"}, {"external_id": "A-2", "decision": "deny", "reason_code": "R6"}])
    assert reviewer.post(url, {"file": upload(right, "d.csv"), "evidence": upload(b"%PDF", "e.pdf")}).status_code == 302
    assert sorted(Decision.objects.values_list("kind", "status")) == [("approve", "effective"), ("deny", "proposed")]


def test_the_export_of_a_review_comes_back_as_a_decision_file(review, reviewer):
    exported = b"".join(reviewer.get(page("review_csv", review.uuid)).streaming_content).decode("utf-8-sig").splitlines()
    decided = "\n".join([f"{exported[0]},decision", *[f"{line},approve" for line in exported[1:]]])
    assert reviewer.post(page("review_decision_file", review.uuid), {"file": upload(decided.encode(), "d.csv")}).status_code == 302
    assert Der.objects.count() == 6


def test_the_letter_is_for_decisions_in_effect(world, review, reviewer, approver, client_of):
    deny(reviewer, review)
    decision = Decision.objects.get()
    url = page("decision_letter", review.uuid, decision.uuid)
    filer = client_of(world.user("aggregator", "filer"))
    assert filer.get(url).status_code == 404
    approver.post(page("denial_confirm", review.uuid, decision.uuid))
    letter = filer.get(url)
    assert (letter["Content-Type"], letter.content[:5]) == ("application/pdf", b"%PDF-")
    assert client_of(world.user("aggregator2", "filer")).get(url).status_code == 404


@pytest.mark.parametrize("who", [("rerra", "auditor"), ("tso", "viewer"), ("edc", "viewer"), ("aggregator", "filer")])
def test_others_read_only(world, review, client_of, who):
    client, url = client_of(world.user(*who)), page("review_detail", review.uuid)
    html = text(client.get(url))
    assert "A-1" in html and "Decide the selected rows" not in html and 'name="selected"' not in html
    assert client.post(url, {"kind": "approve", "selected": keys(review, 1), "statement": ""}).status_code == 404
    assert client.post(page("review_decision_file", review.uuid), {}).status_code == 404
    assert Decision.objects.count() == 0


@pytest.mark.parametrize("who", [("edc2", "administrator"), ("rerra2", "auditor"), ("aggregator2", "administrator")])
def test_strangers_see_nothing(world, review, client_of, who):
    client = client_of(world.user(*who))
    for name in ("review_detail", "review_csv", "review_decision_file"):
        assert client.get(page(name, review.uuid)).status_code == 404
    assert str(review.uuid) not in text(client.get(page("review_list") + "?status=all"))


@pytest.mark.parametrize(("name", "queries"), [("review_detail", 15), ("submission_detail", 16)])
def test_a_page_costs_as_many_queries_for_many_rows_as_for_few(world, reviewer, django_assert_num_queries, name, queries):
    for numbers in (range(1, 3), range(3, 12)):
        review = reviewed(world, [row(n, rated_kva="1") for n in numbers])
        url = page(name, review.uuid if name == "review_detail" else review.submission.uuid)
        reviewer.get(url)
        with django_assert_num_queries(queries):
            reviewer.get(url)


def test_a_review_as_of_a_past_moment(world, review, client_of):
    """N4: the clock, the decisions and no move of that moment; the rows, which keep no versions, are said not to be shown."""
    client, approver = client_of(world.user("edc", "reviewer")), client_of(world.user("edc", "approver"))
    url, before = page("review_detail", review.uuid), timezone.now()
    deny(client, review)
    proposed = timezone.now()
    decision = Decision.objects.get()
    approver.post(page("denial_confirm", review.uuid, decision.uuid))

    def asked(moment):
        return client.get(url, {"as_of": moment.isoformat()})

    assert [each.status for each in asked(before).context["decisions"]] == []
    assert [each.status for each in asked(proposed).context["decisions"]] == ["proposed"]
    then = asked(timezone.now())
    assert [each.status for each in then.context["decisions"]] == ["effective"] and "Another inverter" in text(then)
    assert "keep no versions" in text(then) and not then.context["transitions"] and 'name="kind"' not in text(then)
    aggregator = client_of(world.user("aggregator", "viewer"))
    shown = aggregator.get(url, {"as_of": proposed.isoformat()})
    assert shown.status_code == 200 and not shown.context["decisions"], "a proposal is the utility's own business, then too"
    assert client_of(world.user("edc2", "approver")).get(url, {"as_of": proposed.isoformat()}).status_code == 404
    assert client.get(url, {"as_of": "2001-01-01"}).status_code == 404 and 'name="as_of"' in text(client.get(url))
