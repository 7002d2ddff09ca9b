"""An owner is invited, sees the own DERs and who sees them, states personal use, consents and revokes: R5, N12."""

import re

import pytest
from playwright.sync_api import expect

from registry.customers.models import PersonalUse
from registry.participants.models import Consent
from tests.factories.ders import register
from tests.factories.personal import registered_owner
from tests.journeys.conftest import PHONE

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
SECRET = "a long enough secret of the owner"


def invite(page, der, mailoutbox) -> str:
    """The address in the letter to the owner."""
    page.goto(f"/registry/ders/{der.uuid}/")
    page.get_by_role("link", name="Invite the owner").click()
    page.get_by_role("button", name="Write to the owner").click()
    expect(page.locator("main")).to_contain_text("The owner was written to.")
    return re.search(r"/registry/owners/welcome/\S+", mailoutbox[-1].body)[0]


def open_account(mine, path: str, look) -> None:
    mine.goto(path)
    look(mine, "owner-welcome-phone")
    mine.get_by_label("Name").fill("Ann")
    mine.get_by_label("Password").fill(SECRET)
    mine.get_by_role("button", name="Open my page").click()
    mine.fill("input[name=login]", "ann@example.org")
    mine.fill("input[name=password]", SECRET)
    mine.click("main button[type=submit]")
    mine.goto("/")
    mine.get_by_role("link", name="Your energy resources").first.click()


def test_from_invitation_to_revocation(world, visit, look, mailoutbox, live_server):
    owner = registered_owner(world.aggregator, world.edc, edc_account_no="A-1", owner_name="Ann", owner_email="ann@example.org")
    der = register(world, 1, owner=owner)[0]
    page = visit(world.user("aggregator", "filer"))
    path = invite(page, der, mailoutbox)
    context = page.context.browser.new_context(base_url=live_server.url, viewport={"width": PHONE[0], "height": PHONE[1]}, locale="en-US")
    mine = context.new_page()
    open_account(mine, path, look)
    expect(mine.locator("main")).to_contain_text(der.external_id)
    expect(mine.locator("main")).to_contain_text("Filer of aggregator")
    look(mine, "owner-page-phone")
    keep_and_consent(mine, world.aggregator2)
    context.close()
    assert (PersonalUse.objects.get().reserve_percent, Consent.objects.get().status) == (25, "revoked")


def keep_and_consent(mine, other) -> None:
    mine.get_by_role("link", name="Personal use").click()
    mine.locator("label[for=id_kind_0]").click()
    mine.get_by_label("Reserve (%)").fill("25")
    mine.get_by_role("button", name="Save").click()
    expect(mine.locator("main")).to_contain_text("25 % stays in reserve")
    mine.get_by_role("link", name="Give a consent").click()
    mine.get_by_label("Who may").select_option(label=str(other))
    mine.locator("label[for=id_scopes_4]").click()
    mine.get_by_label("What for").fill("I change my aggregator")
    mine.get_by_role("button", name="Consent").click()
    expect(mine.locator("main")).to_contain_text("Take my DERs over from my present aggregator")
    mine.get_by_role("link", name="Revoke").click()
    mine.get_by_label("Reason").fill("I stay")
    mine.get_by_role("button", name="Revoke").click()
    expect(mine.locator("main")).to_contain_text("Revoked")
