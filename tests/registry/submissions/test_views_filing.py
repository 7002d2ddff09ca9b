"""The aggregator's pages: doors, upload, findings, the form in steps, submission, answers; and who sees what: R1, N11, N12."""

import csv
import io

import pytest
from django.urls import reverse
from python_calamine import CalamineWorkbook

from registry.ders.dictionary import FIELDS
from registry.participants.services import MASK, opened
from registry.submissions.forms.rows import STEPS
from registry.submissions.models import Submission
from registry.submissions.services import filing, reviewing
from tests.factories.filings import reviewed, row, run, staged, store_in, submitted, table, upload

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _files(settings, tmp_path) -> None:
    store_in(settings, tmp_path)


@pytest.fixture
def filer(world, client_of):
    return client_of(world.user("aggregator", "filer"))


@pytest.fixture
def approver(world, client_of):
    return client_of(world.user("aggregator", "approver"))


def page(name: str, *args) -> str:
    return reverse(f"registry:{name}", args=args)


def text(response) -> str:
    return " ".join(response.content.decode().split())


def test_the_list_filters_and_counts(world, filer):
    staged(world, [row(1)], title="First")
    submitted(world, [row(2)])
    everything = text(filer.get(page("submission_list")))
    assert "2 submissions" in everything and "New filing" in everything
    drafts = text(filer.get(page("submission_list") + "?status=draft&source=file"))
    assert "First" in drafts and "1 submission" in drafts
    assert "0 submissions" in text(filer.get(page("submission_list") + f"?edc={world.edc2.pk}"))


def test_the_three_doors(filer):
    html = text(filer.get(page("submission_new")))
    for door in ("submission_upload", "submission_start", "submission_template_csv", "submission_template_xlsx"):
        assert page(door) in html
    assert "/api/v1/registry/submissions/" in html


def test_the_templates_are_a_filing_that_is_read_back(world, filer):
    header, example = csv.reader(io.StringIO(filer.get(page("submission_template_csv")).content.decode("utf-8-sig")))
    assert header == list(FIELDS) and example[header.index("external_id")] == "HA-000001"
    content = filer.get(page("submission_template_xlsx")).content
    book = CalamineWorkbook.from_filelike(io.BytesIO(content))
    assert book.get_sheet_by_name("DERs").to_python()[0] == list(FIELDS)
    assert [line[0] for line in book.get_sheet_by_name("Dictionary").to_python()[1:]] == list(FIELDS)
    found = filing.receive_file(actor=world.user("aggregator", "filer"), aggregator=world.aggregator, upload=upload(content, "t.xlsx"))
    run(found.job)
    codes = set(found.findings.values_list("code", flat=True))
    assert not {code for code in codes if code.startswith(("FILE-", "DER-"))}, codes


def test_uploading_leads_to_a_page_with_live_progress(world, filer):
    answer = filer.post(page("submission_upload"), {"file": upload(table([row(1)]))})
    submission = Submission.objects.get()
    assert answer["Location"] == page("submission_detail", submission.uuid)
    html = text(filer.get(answer["Location"]))
    assert f'hx-get="{page("submission_progress", submission.uuid)}"' in html and "Cancel" in html
    assert "HX-Refresh" not in filer.get(page("submission_progress", submission.uuid)).headers
    run(submission.job)
    assert filer.get(page("submission_progress", submission.uuid))["HX-Refresh"] == "true"
    assert "hx-get" not in text(filer.get(answer["Location"]))


def test_progress_shows_to_colleagues_and_cancel_stops(world, filer, client_of):
    filer.post(page("submission_upload"), {"file": upload(table([row(1)]))})
    submission = Submission.objects.get()
    viewer = client_of(world.user("aggregator", "viewer"))
    seen = text(viewer.get(page("submission_progress", submission.uuid)))
    assert "hx-get" in seen and page("submission_cancel", submission.uuid) not in seen
    assert viewer.post(page("submission_cancel", submission.uuid)).status_code == 403
    filer.post(page("submission_cancel", submission.uuid))
    run(submission.job)
    assert "Reading the file was cancelled" in text(filer.get(page("submission_detail", submission.uuid)))


def test_a_refused_file_shows_one_error_with_its_remedy(world, filer):
    filer.post(page("submission_upload"), {"file": upload(b"garbage", "x.xlsx")})
    submission = Submission.objects.get()
    run(submission.job)
    html = text(filer.get(page("submission_detail", submission.uuid)))
    assert html.count("The file was not read") == 1
    assert "not a table of the kind its name promises" in html and "wrong_type" in html and "Upload CSV, XLSX" in html


def test_the_page_counts_findings_by_rule_and_filters_by_one(world, filer):
    draft = staged(world, [row(1, nameplate_ac_kw="<b>x</b>"), row(2, approved_export_kw="99"), row(3)])
    url = page("submission_detail", draft.uuid)
    html = text(filer.get(url))
    assert "This is not a number" in html and "&lt;b&gt;x&lt;/b&gt;" in html and "<b>x</b>" not in html
    assert "DER-EXPORT-NAMEPLATE" in html and page("submission_row", draft.uuid, 3) in html
    one = filer.get(url + "?rule=FILE-NUMBER").context
    assert [finding["row_number"] for finding in one["findings"]] == [2]
    assert (one["counts"].rows, one["counts"].good, one["counts"].bad, one["counts"].changes) == (3, 1, 2, {"new": 3})


def test_findings_are_paged_by_row(world, filer, monkeypatch):
    from registry.submissions import reports

    monkeypatch.setattr(reports, "FINDINGS_PAGE", 2)
    draft = staged(world, [row(n, approved_export_kw="99") for n in range(1, 6)])
    url, seen = page("submission_detail", draft.uuid), []
    address = url
    while address:
        context = filer.get(address).context
        seen += [finding["row_number"] for finding in context["findings"]]
        following = context["findings_page"]["next_url"]
        address = url + following if following else None
    assert seen == [2, 3, 4, 5, 6]


def test_the_own_file_comes_back_with_the_findings(world, filer):
    draft = staged(world, [row(1, nameplate_ac_kw="seven", owner_name="=1+1"), row(2)])
    answer = filer.get(page("submission_annotated", draft.uuid))
    rows = list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode("utf-8-sig"))))
    assert "This is not a number" in rows[0]["moc_errors"] and "seven" in rows[0]["moc_errors"]
    assert (rows[0]["nameplate_ac_kw"], rows[0]["owner_name"], rows[1]["moc_errors"]) == ("seven", "'=1+1", "")


def test_after_a_correction_the_findings_stand_at_the_rows_of_the_last_file(world, filer):
    draft = staged(world, [row(1), row(2, approved_export_kw="99")])
    draft = staged(world, [row(2, nameplate_ac_kw="x"), row(3)], submission=draft)
    answer = filer.get(page("submission_annotated", draft.uuid))
    rows = list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode("utf-8-sig"))))
    assert [bool(each["moc_errors"]) for each in rows] == [True, False]


def test_the_form_saves_each_step_as_a_draft(world, filer):
    start = filer.post(page("submission_start"), {"title": "Dover"})
    draft = Submission.objects.get()
    assert start["Location"] == page("submission_row_new", draft.uuid)
    first = filer.post(start["Location"], {"external_id": "A-1", "der_type": "photovoltaic"})
    assert first["Location"] == page("submission_row_edit", draft.uuid, 1, STEPS[1].slug)
    html = text(filer.get(first["Location"]))
    assert "Step 2 of 7" in html and "nameplate_ac_kw is required." in html
    values = row(1) | {"control_modes": ["volt_var", "freq_watt"]}
    for step in STEPS[1:]:
        answer = filer.post(
            page("submission_row_edit", draft.uuid, 1, step.slug), {name: values[name] for name in step.names if name in values}
        )
        assert answer.status_code == 302, answer.context["form"].errors
    assert answer["Location"] == page("submission_row", draft.uuid, 1)
    assert draft.findings.count() == 0
    assert opened(draft.rows.get().owner)["edc_account_no"] == "100001"


def test_the_form_says_shape_errors_beside_the_field_and_keeps_what_was_typed(world, filer):
    draft = staged(world, [row(1)])
    url = page("submission_row_edit", draft.uuid, 2, STEPS[1].slug)
    answer = filer.post(url, {"nameplate_ac_kw": "seven"})
    assert answer.status_code == 422
    assert "Give a number, such as 12.5." in text(answer) and 'value="seven"' in text(answer)
    assert draft.rows.get().nameplate_ac_kw is not None


def test_a_bad_value_of_the_file_stands_beside_its_field(world, filer):
    draft = staged(world, [row(1, nameplate_ac_kw="seven")])
    form = filer.get(page("submission_row_edit", draft.uuid, 2, "nameplate")).context["form"]
    assert form.errors["nameplate_ac_kw"][0].startswith("“seven”: This is not a number")


def test_all_rows_or_the_good_ones(world, approver):
    draft = staged(world, [row(1), row(2, approved_export_kw="99")])
    url = page("submission_submit", draft.uuid)
    html = text(approver.get(url))
    version, attestation, digest = filing.attestation()
    assert " ".join(attestation.split()) in html and digest in html
    said = {"attestation_version": version, "accepted": "on"}
    assert approver.post(url, {"rows": "good", "attestation_version": version}).status_code == 422
    refused = approver.post(url, {"rows": "all"} | said)
    assert refused.status_code == 422 and "1 rows have errors" in text(refused)
    assert approver.post(url, {"rows": "good"} | said).status_code == 302
    assert sorted(Submission.objects.values_list("status", "row_count")) == [("draft", 1), ("in_review", 1)]


def test_withdrawing_wants_a_reason(world, filer):
    submission = submitted(world, [row(1)])
    url = page("submission_transition", submission.uuid, "withdraw")
    filer.post(url, {"reason": " "})
    assert Submission.objects.get().status == "in_review"
    filer.post(url, {"reason": "Sold"})
    assert Submission.objects.get().status == "withdrawn"
    assert filer.post(page("submission_transition", submission.uuid, "submit"), {"reason": "x"}).status_code == 404


def test_a_request_is_answered_on_the_page(world, filer):
    review = reviewed(world, [row(1)])
    asked = reviewing.decide(
        actor=world.user("edc", "reviewer"), review=review, rows=review.submission.rows.all(), kind="request_info", statement="Which?"
    )
    url = page("submission_detail", review.submission.uuid)
    assert "Which?" in text(filer.get(url))
    filer.post(page("submission_answer", review.submission.uuid, asked.uuid), {f"answer-{asked.uuid}-text": "This one"})
    html = text(filer.get(url))
    assert "This one" in html and "Send the answer" not in html


def test_the_utility_sees_its_rows_only_and_no_file(world, client_of):
    rows = [row(1), row(2, utility_id_eia="963", usage_point_id="edc2-up-02", rated_kva="1")]
    submission = submitted(world, rows)
    reviewer = client_of(world.user("edc", "reviewer"))
    answer = reviewer.get(page("submission_detail", submission.uuid))
    assert (answer.context["counts"].rows, answer.context["findings"]) == (1, [])
    assert "Uploaded" not in text(answer), "the history of the draft is the aggregator's"
    other = client_of(world.user("edc2", "reviewer")).get(page("submission_row", submission.uuid, 3))
    assert [finding["code"] for finding in other.context["findings"]] == ["DER-KVA"]
    assert reviewer.get(page("submission_row", submission.uuid, 2)).status_code == 200
    assert reviewer.get(page("submission_row", submission.uuid, 3)).status_code == 404
    assert reviewer.get(page("submission_annotated", submission.uuid)).status_code == 404


PAGES = ["submission_detail", "submission_rows", "submission_progress", "submission_annotated", "submission_submit", "submission_correct"]


@pytest.mark.parametrize("name", PAGES)
def test_a_draft_is_nobody_elses(world, client_of, name):
    draft = staged(world, [row(1)])
    for who in (("aggregator2", "administrator"), ("edc", "administrator"), ("rerra", "auditor")):
        assert client_of(world.user(*who)).get(page(name, draft.uuid)).status_code == 404
    assert client_of(None).get(page(name, draft.uuid)).status_code == 302


def test_owners_are_shown_to_those_who_may_see_them(world, client_of):
    submission = submitted(world, [row(1)])
    url = page("submission_row", submission.uuid, 2)
    for who, sees in (
        (("edc", "reviewer"), True),
        (("edc", "viewer"), False),
        (("aggregator", "viewer"), False),
        (("rerra", "auditor"), False),
    ):
        html = text(client_of(world.user(*who)).get(url))
        assert (MASK in html) is sees and "Owner 1" not in html, who


def test_home_names_what_waits(world, client_of):
    staged(world, [row(1, approved_export_kw="99")])
    html = text(client_of(world.user("aggregator", "approver")).get("/"))
    assert "Drafts with errors" in html and "Drafts to submit" in html
    review = reviewed(world, [row(2)])
    html = text(client_of(world.user("edc", "approver")).get("/"))
    assert "Reviews to decide" in html and "Denials to confirm" in html
    assert review.status == "open"
