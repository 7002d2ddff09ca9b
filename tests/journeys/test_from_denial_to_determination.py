"""From denial to determination: between the parties, before the RTO, before the regulator, each at its own screen: N4, N11; ¶299."""

import re

import pytest
from playwright.sync_api import expect

from registry.ders.models import Der
from settlement.disputes.models import Dispute
from tests.factories.disputes import denied_row
from tests.journeys.conftest import PHONE, press

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
STUDY = {"name": "photograph.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.7 a photograph"}


def open_it(page, look, row) -> None:
    """From the denied row."""
    page.goto(f"/registry/submissions/{row.submission.uuid}/rows/{row.row_number}/")
    press(page, "link", "Dispute the decision")
    page.get_by_label("Claim").fill("The inverter was replaced in May: approve the DER.")
    page.get_by_label("File").set_input_files(STUDY)
    look(page, "dispute-open-phone")
    press(page, "button", "Open the dispute")
    expect(page.locator("main")).to_contain_text("Its bundle is frozen")
    look(page, "dispute-opened-phone")


def answer_it(page, look) -> None:
    """The utility finds it in its queue, and states its side."""
    press(page, "link", "Disputes: your turn")
    page.locator("main").get_by_role("link", name="DER A-1").first.click()
    press(page, "link", "State your side")
    page.get_by_label("Statement").fill("We saw the old one in April.")
    press(page, "button", "File it")
    expect(page.locator("main")).to_contain_text("We saw the old one in April.")
    look(page, "dispute-answered")


def move(page, name: str, reason: str) -> None:
    """A lifecycle move with its reason."""
    page.locator("summary", has_text=name).focus()
    page.keyboard.press("Enter")
    page.locator("details[open] textarea").fill(reason)
    page.locator("details[open] button[type=submit]").click()


def ask(page, look) -> None:
    """The RTO asks, then refers."""
    press(page, "link", "Ask")
    page.get_by_label("Who is asked").select_option("aggregator")
    page.get_by_label("Question").fill("When was it replaced?")
    look(page, "dispute-ask")
    press(page, "button", "File it")
    expect(page.locator("main")).to_contain_text("Not answered")


def in_confidence(page, look) -> None:
    """The aggregator answers, and shows the invoice to the deciders alone."""
    press(page, "link", "Answer")
    page.get_by_label("Answer").fill("On the second of May.")
    press(page, "button", "Answer")
    press(page, "link", "Add evidence")
    page.get_by_label("What it shows").fill("The invoice with its price.")
    page.get_by_label("File").set_input_files(STUDY)
    page.get_by_label("Confidential").focus()
    page.keyboard.press("Space")
    press(page, "button", "File it")
    expect(page.locator("main")).to_contain_text("The invoice with its price.")
    look(page, "dispute-confidential-phone")


def draft(page, look) -> None:
    press(page, "link", "Disputes to determine")
    page.locator("main").get_by_role("link", name="DER A-1").first.click()
    expect(page.locator("main")).to_contain_text("The invoice with its price.")
    press(page, "link", "Draft a determination")
    page.get_by_role("radio", name="Approved", exact=True).focus()
    page.keyboard.press("Space")
    page.get_by_label("Reasons").fill("The photograph and the invoice show the new inverter.")
    look(page, "determination-draft")
    press(page, "button", "Draft it")
    expect(page.locator("main")).to_contain_text("awaits a second person")


def confirm(page, look) -> None:
    press(page, "link", "Determinations to confirm")
    page.locator("main").get_by_role("link", name="DER A-1").first.click()
    page.locator("main").get_by_role("link", name="Approved").first.click()
    page.locator("summary", has_text=re.compile("^Confirm$")).focus()
    page.keyboard.press("Enter")
    page.locator("details[open] button[type=submit]").click()
    expect(page.locator("main")).to_contain_text("Effective")
    look(page, "determination-effective")


def test_a_dispute_from_denial_to_determination(world, visit, look):
    row = denied_row(world)
    aggregator = visit(world.user("aggregator", "approver"), PHONE)
    open_it(aggregator, look, row)
    here = aggregator.url
    utility = visit(world.user("edc", "approver"))
    answer_it(utility, look)
    aggregator.goto(here)
    move(aggregator, "Take it to the RTO", "They look at an old photograph.")
    rto = visit(world.user("tso", "auditor"))
    rto.goto(here)
    ask(rto, look)
    aggregator.goto(here)
    in_confidence(aggregator, look)
    utility.goto(here)
    expect(utility.locator("main")).not_to_contain_text("The invoice with its price.")
    rto.goto(here)
    move(rto, "Refer it to the regulator", "A matter of the distribution tariff.")
    draft(visit(world.user("rerra", "auditor")), look)
    confirm(visit(world.user("rerra", "administrator")), look)
    aggregator.goto(here)
    expect(aggregator.locator("main")).to_contain_text("The photograph and the invoice show the new inverter.")
    look(aggregator, "dispute-determined-phone")
    dispute = Dispute.objects.get()
    assert (dispute.status, dispute.outcome) == ("determined", "overturned")
    assert Der.objects.filter(external_id=row.external_id).exists()
    auditor = visit(world.user("rerra", "viewer"))
    auditor.goto("/settlement/disputes/figures/")
    expect(auditor.locator("main")).to_contain_text("Closed disputes by outcome")
    look(auditor, "dispute-figures")
    auditor.goto(f"{here}bundle/")
    expect(auditor.locator("main")).to_contain_text("Intact")
    look(auditor, "dispute-bundle")
