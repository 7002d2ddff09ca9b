"""A utility decides in its queue, by keyboard on a phone; denials take two people; the regulator reads: R1, N11, N12, ¶292, ¶297."""

import pytest
from playwright.sync_api import expect

from registry.ders.models import Der
from registry.submissions.models import Decision
from registry.submissions.services import bulk_decisions
from tests.factories.filings import reviewed, row, run
from tests.journeys.conftest import PHONE, press

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def tick(page, *names: str) -> None:
    """Tick rows by keyboard."""
    for name in names:
        page.get_by_role("checkbox", name=f"Select {name}", exact=True).focus()
        page.keyboard.press("Space")


def choose(page, kind: str) -> None:
    page.get_by_role("radio", name=kind, exact=True).focus()
    page.keyboard.press("Space")


def decide_one(page, look, title: str) -> None:
    """From home through the queue to a row's facts, and its decision."""
    press(page, "link", "Reviews to decide")
    expect(page.locator("main")).to_contain_text("60 days left")
    look(page, "review-queue-phone")
    press(page, "link", title)
    press(page, "link", "A-1")
    expect(page.locator("main")).to_contain_text("Service point")
    look(page, "review-row-phone")
    press(page, "link", "Decide")
    expect(page.get_by_role("checkbox", name="Select A-1", exact=True)).to_be_checked()
    choose(page, "Approve")
    press(page, "button", "Decide")
    expect(page.locator("main")).to_contain_text("Decided: 1 row.")


def propose_denial(page, look, url: str) -> None:
    """Without evidence it is refused, with the boxes still ticked; with it, a second person is waited for."""
    page.goto(url)
    tick(page, "A-2", "A-3")
    choose(page, "Deny")
    page.get_by_label("Ground for the denial").select_option("data_mismatch")
    page.get_by_label("Statement").fill("Another inverter stands there.")
    look(page, "review-deny-phone")
    press(page, "button", "Decide")
    expect(page.get_by_role("alert")).to_contain_text("A denial needs evidence")
    expect(page.get_by_role("checkbox", name="Select A-2", exact=True)).to_be_checked()
    page.get_by_label("Evidence").set_input_files({"name": "study.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.4 study"})
    press(page, "button", "Decide")
    expect(page.locator("main")).to_contain_text("which a second person confirms")
    expect(page.get_by_role("button", name="Confirm the denial")).to_have_count(0)


def confirm(page, look, title: str) -> None:
    press(page, "link", title)
    look(page, "review-denial-to-confirm")
    press(page, "button", "Confirm the denial")
    expect(page.locator("main")).to_contain_text("The denial is confirmed")


def limit_the_rest(page, look, url: str) -> None:
    """Every row of a filter."""
    page.goto(f"{url}?status=pending")
    for label in ("Select this page", "Select all 4 in this filter, on every page"):
        page.get_by_label(label).focus()
        page.keyboard.press("Space")
    choose(page, "Approve with limits")
    page.get_by_label("Export limit (kW)").fill("5")
    press(page, "button", "Decide")
    expect(page.locator("main")).to_contain_text("Decided: 4 rows.")
    page.goto(url)
    expect(page.locator("main")).to_contain_text("Closed")
    look(page, "review-closed-phone")


def test_a_review_from_the_queue_to_its_last_row(world, visit, look):
    review = reviewed(world, [row(n, latitude="", longitude="") for n in range(1, 8)])
    url = f"/registry/reviews/{review.uuid}/"
    page = visit(world.user("edc", "reviewer"), PHONE)
    look(page, "reviewer-home-phone")
    decide_one(page, look, review.submission.title)
    propose_denial(page, look, url)
    confirm(visit(world.user("edc", "approver")), look, review.submission.title)
    limit_the_rest(page, look, url)
    review.refresh_from_db()
    assert (review.status, Der.objects.count(), Decision.objects.get(kind="deny").status) == ("closed", 5, "effective")


def test_a_large_decision_runs_while_the_page_shows_it(world, visit, look, monkeypatch):
    monkeypatch.setattr(bulk_decisions, "AT_ONCE", 3)
    review = reviewed(world, [row(n) for n in range(1, 7)])
    page = visit(world.user("edc", "reviewer"))
    page.goto(f"/registry/reviews/{review.uuid}/")
    page.get_by_label("Select this page").check()
    page.get_by_label("Select all 6 in this filter, on every page").check()
    choose(page, "Approve")
    page.get_by_role("button", name="Decide", exact=True).click()
    expect(page.locator(".moc-progress")).to_contain_text("Queued")
    look(page, "review-decision-running")
    run(bulk_decisions.Job.objects.get(task=bulk_decisions.TASK))
    expect(page.locator(".moc-progress")).to_have_count(0)
    expect(page.locator("main")).to_contain_text("closed")
    assert Der.objects.count() == 6


def test_the_regulator_reads_and_decides_nothing(world, visit, look):
    review = reviewed(world, [row(1)])
    page = visit(world.user("rerra", "auditor"))
    page.get_by_role("link", name="Reviews", exact=True).click()
    page.get_by_role("link", name=review.submission.title).click()
    expect(page.get_by_role("button", name="Decide", exact=True)).to_have_count(0)
    look(page, "review-as-regulator")
    page.get_by_role("link", name="A-1").click()
    expect(page.locator("main")).not_to_contain_text("Owner 1")
