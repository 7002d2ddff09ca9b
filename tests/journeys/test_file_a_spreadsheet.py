"""An aggregator files a workbook with mistakes, mends one in place, submits the good rows, corrects the rest: R1, N12."""

import io
import re

import pytest
from playwright.sync_api import expect

from moc import sheets
from registry.submissions.models import Submission
from tests.factories.filings import row, run, table

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def workbook(rows: list[dict]) -> bytes:
    out = io.BytesIO()
    sheets.write_xlsx(out, list(rows[0]), [list(each.values()) for each in rows], title="DERs")
    return out.getvalue()


def test_a_workbook_from_upload_to_submission(world, visit, look):
    rows = [row(n) for n in range(1, 9)]
    rows[2] |= {"nameplate_ac_kw": "seven"}
    rows[4] |= {"approved_export_kw": "99"}
    rows[6] |= {"usage_point_id": "nowhere"}
    page = visit(world.user("aggregator", "approver"))
    page.get_by_role("link", name="Submissions").first.click()
    page.get_by_role("link", name="New filing").first.click()
    look(page, "filing-three-doors")
    page.get_by_role("link", name="Upload a file").click()
    page.get_by_label("File").set_input_files({"name": "portfolio.xlsx", "mimeType": XLSX, "buffer": workbook(rows)})
    page.get_by_role("button", name="Upload and check").click()

    expect(page.locator("#submission-progress")).to_contain_text("Queued")
    page.reload()
    expect(page.locator("#submission-progress")).to_contain_text("Queued")
    look(page, "filing-being-read")
    submission = Submission.objects.get()
    run(submission.job)
    expect(page.get_by_role("link", name="Upload corrected rows")).to_be_visible()  # the page has reloaded itself
    expect(page.locator(".reg-figures")).to_contain_text(re.compile(r"8\s*rows\s*5\s*without errors\s*3\s*with errors"))
    expect(page.locator(".moc-table--findings")).to_contain_text("seven")
    look(page, "filing-findings")

    page.locator(".moc-table--findings tbody a").first.click()
    page.get_by_role("link", name="Edit").click()
    page.get_by_role("link", name="2. Nameplate").or_(page.get_by_role("link", name="Nameplate")).first.click()
    expect(page.locator("main")).to_contain_text("“seven”: This is not a number that the field can hold.")
    look(page, "filing-mend-in-place")
    page.get_by_label("Nameplate AC (kW)").fill("7.6")
    page.get_by_role("button", name="Save and close").click()
    expect(page.locator("main")).to_contain_text("No findings")

    page.get_by_role("link", name="portfolio.xlsx").click()
    expect(page.locator(".reg-figures")).to_contain_text(re.compile(r"8\s*rows\s*6\s*without errors\s*2\s*with errors"))
    page.get_by_role("link", name="Attest and submit").click()
    look(page, "filing-attest")
    page.get_by_text("I attest this").click()
    page.get_by_role("button", name="Attest and submit").click()
    expect(page.locator("main")).to_contain_text("Submitted. Each utility reviews its own DERs.")
    look(page, "filing-submitted")

    page.get_by_role("link", name="Submissions").first.click()
    page.get_by_role("link", name="portfolio.xlsx, rows to mend").click()
    page.get_by_role("link", name="Upload corrected rows").click()
    corrected = table([row(5), row(7)])
    page.get_by_label("File").set_input_files({"name": "corrected.csv", "mimeType": "text/csv", "buffer": corrected})
    page.get_by_role("button", name="Upload and check").click()
    rest = Submission.objects.exclude(pk=submission.pk).get()
    run(rest.job)
    expect(page.locator("main")).to_contain_text("No findings")

    submission.refresh_from_db()
    rest.refresh_from_db()
    assert (submission.status, submission.row_count, submission.reviews.get().row_count) == ("in_review", 6, 6)
    assert (rest.status, rest.row_count, rest.findings.count()) == ("draft", 2, 0)


def test_a_refused_file_on_a_phone(world, visit, look):
    page = visit(world.user("aggregator", "filer"), (360, 740))
    page.goto("/registry/submissions/new/file/")
    page.get_by_label("File").set_input_files({"name": "portfolio.xlsx", "mimeType": XLSX, "buffer": b"no workbook"})
    page.get_by_role("button", name="Upload and check").click()
    expect(page.locator("#submission-progress")).to_be_visible()
    run(Submission.objects.get().job)
    expect(page.get_by_role("alert")).to_contain_text("not a table of the kind its name promises")
    look(page, "filing-refused-phone")
