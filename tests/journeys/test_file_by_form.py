"""An aggregator files one DER by form, on a phone without scripts, by keyboard: R1, N12."""

import pytest
from playwright.sync_api import expect

from registry.participants.services import opened
from registry.submissions.forms.rows import STEPS
from registry.submissions.models import Submission
from tests.factories.filings import row
from tests.journeys.conftest import PHONE, press

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
CODES = {"control_modes", "envelope_modes", "islanding"}


def fill(page, values: dict) -> None:
    """Type a step's values, as a person does who knows only the keyboard."""
    for name, value in values.items():
        field = page.locator(f"[name={name}]")
        if name in CODES:
            for code in value.split(";"):
                page.locator(f"[name={name}][value={code}]").focus()
                page.keyboard.press("Space")
        elif field.evaluate("element => element.tagName") == "SELECT":
            field.select_option(value)
        elif field.get_attribute("type") == "date":
            field.fill(value)
        else:
            field.focus()
            page.keyboard.press("Control+A")
            page.keyboard.type(value)


def test_one_der_by_form_without_scripts(world, visit):
    page = visit(world.user("aggregator", "approver"), PHONE, scripts=False)
    page.goto("/registry/submissions/new/form/")
    page.get_by_label("Title").fill("Dover, spring")
    page.get_by_role("button", name="Start with the first DER").click()
    values = row(1)
    for place, step in enumerate(STEPS):
        expect(page.locator("main")).to_contain_text(f"Step {place + 1} of {len(STEPS)}")
        for name in step.names:
            if name in values and name not in CODES:
                control = page.locator(f"[name={name}]")
                is_select = name in {"der_type", "inverter_certification", "connection_kind", "customer_sector", "utility_id_eia"}
                control.select_option(values[name]) if is_select else control.fill(values[name])
        page.locator("main form button[type=submit]").first.click()
    expect(page.locator("main")).to_contain_text("No findings")
    draft = Submission.objects.get()
    assert (draft.rows.get().external_id, draft.findings.count(), opened(draft.rows.get().owner)["edc_account_no"]) == ("A-1", 0, "100001")


def test_one_der_by_keyboard(world, visit, look):
    page = visit(world.user("aggregator", "approver"), PHONE)
    page.goto("/registry/submissions/new/form/")
    fill(page, {"title": "Dover, autumn"})
    press(page, "button", "Start with the first DER")
    values = row(2, approved_export_kw="99")
    for place, step in enumerate(STEPS):
        expect(page.locator("main")).to_contain_text(f"Step {place + 1} of {len(STEPS)}")
        if place == 1:
            expect(page.locator(".usa-error-message").first).to_contain_text("nameplate_ac_kw is required.")
            look(page, "form-step-phone")
        fill(page, {name: values[name] for name in step.names if name in values})
        page.locator("main form.moc-form button[type=submit]").first.focus()
        page.keyboard.press("Enter")
    expect(page.locator("main")).to_contain_text("The approved export cannot exceed the nameplate AC rating.")
    look(page, "form-row-with-finding-phone")
    press(page, "link", "Edit")
    press(page, "link", "Interconnection and limits")
    expect(page.locator(".usa-error-message").first).to_contain_text("cannot exceed the nameplate")
    fill(page, {"approved_export_kw": "7"})
    press(page, "button", "Save and close")
    expect(page.locator("main")).to_contain_text("No findings")
    press(page, "link", "Dover, autumn")
    press(page, "link", "Attest and submit")
    page.get_by_label("I attest this").focus()
    page.keyboard.press("Space")
    press(page, "button", "Attest and submit")
    expect(page.locator("main")).to_contain_text("Submitted.")
    assert Submission.objects.get().status == "in_review"
