"""An aggregator files a workbook with mistakes, mends one in place, submits the good rows, corrects the rest: R1, N12."""

import io
import re

import pytest
from playwright.sync_api import expect

from moc import sheets
from registry.submissions.models import Submission
from tests.factories.filings import row, run, table

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def workbook(rows: list[dict]) -> bytes:
    out = io.BytesIO()
    sheets.write_xlsx(out, list(rows[0]), [list(each.values()) for each in rows], title="DERs")
    return out.getvalue()


def portfolio() -> list[dict]:
    """Eight rows, three of them with a mistake."""
    rows = [row(n) for n in range(1, 9)]
    rows[2] |= {"nameplate_ac_kw": "seven"}
    rows[4] |= {"approved_export_kw": "99"}
    rows[6] |= {"usage_point_id": "nowhere"}
    return rows


def choose_file(page, name: str, content: bytes) -> None:
    page.get_by_label("File").set_input_files({"name": name, "mimeType": "application/octet-stream", "buffer": content})
    page.get_by_role("button", name="Upload and check").click()


def figures(page, rows: int, good: int, bad: int) -> None:
    expect(page.locator(".reg-figures")).to_contain_text(re.compile(rf"{rows}\s*rows\s*{good}\s*without errors\s*{bad}\s*with errors"))


def upload_and_watch(page, look) -> Submission:
    """Through the three doors to the page that reloads itself when the file was read, also after a reload by hand."""
    page.get_by_role("link", name="Submissions").first.click()
    page.get_by_role("link", name="New filing").first.click()
    look(page, "filing-three-doors")
    page.get_by_role("link", name="Upload a file").click()
    choose_file(page, "portfolio.xlsx", workbook(portfolio()))
    expect(page.locator("#submission-progress")).to_contain_text("Queued")
    page.reload()
    expect(page.locator("#submission-progress")).to_contain_text("Queued")
    look(page, "filing-being-read")
    submission = Submission.objects.get()
    run(submission.job)
    expect(page.get_by_role("link", name="Upload corrected rows")).to_be_visible()
    return submission


def mend_first_finding(page, look) -> None:
    """From the finding to its row, to the form's step, and back."""
    page.locator(".moc-table--findings tbody a").first.click()
    page.get_by_role("link", name="Edit").click()
    page.get_by_role("link", name="Nameplate").first.click()
    expect(page.locator("main")).to_contain_text("“seven”: This is not a number that the field can hold.")
    look(page, "filing-mend-in-place")
    page.get_by_label("Nameplate AC (kW)").fill("7.6")
    page.get_by_role("button", name="Save and close").click()
    expect(page.locator("main")).to_contain_text("No findings")
    page.get_by_role("link", name="portfolio.xlsx").click()


def attest(page, look) -> None:
    page.get_by_role("link", name="Attest and submit").click()
    look(page, "filing-attest")
    page.get_by_text("I attest this").click()
    page.get_by_role("button", name="Attest and submit").click()
    expect(page.locator("main")).to_contain_text("Submitted. Each utility reviews its own DERs.")
    look(page, "filing-submitted")


def correct_the_rest(page) -> Submission:
    """The rows that stayed behind, mended by a file of only those."""
    page.get_by_role("link", name="Submissions").first.click()
    page.get_by_role("link", name="portfolio.xlsx, rows to mend").click()
    page.get_by_role("link", name="Upload corrected rows").click()
    choose_file(page, "corrected.csv", table([row(5), row(7)]))
    rest = Submission.objects.exclude(continues=None).get()
    run(rest.job)
    expect(page.locator("main")).to_contain_text("No findings")
    rest.refresh_from_db()
    return rest


def test_a_workbook_from_upload_to_submission(world, visit, look):
    page = visit(world.user("aggregator", "approver"))
    submission = upload_and_watch(page, look)
    figures(page, 8, 5, 3)
    expect(page.locator(".moc-table--findings")).to_contain_text("seven")
    look(page, "filing-findings")
    mend_first_finding(page, look)
    figures(page, 8, 6, 2)
    attest(page, look)
    rest = correct_the_rest(page)
    submission.refresh_from_db()
    assert (submission.status, submission.row_count, submission.reviews.get().row_count) == ("in_review", 6, 6)
    assert (rest.status, rest.row_count, rest.findings.count()) == ("draft", 2, 0)


def test_a_refused_file_on_a_phone(world, visit, look):
    page = visit(world.user("aggregator", "filer"), (360, 740))
    page.goto("/registry/submissions/new/file/")
    choose_file(page, "portfolio.xlsx", b"no workbook")
    expect(page.locator("#submission-progress")).to_be_visible()
    run(Submission.objects.get().job)
    expect(page.get_by_role("alert")).to_contain_text("not a table of the kind its name promises")
    look(page, "filing-refused-phone")
