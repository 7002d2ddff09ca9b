"""How a party is told: what waits at home, notifications as one prefers, a webhook set up and watched, a letter checked (N10, N11)."""

import re

import pytest
import requests
from playwright.sync_api import expect

from moc import outbound
from moc.documents.models import Letter
from moc.webhooks import services
from tests.factories.ders import register
from tests.factories.filings import reviewed, row
from tests.journeys.conftest import PHONE, press

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
ADDRESS = "https://localhost/hook"


class System:
    """The utility's own system: it is down at first."""

    status = 503

    def __enter__(self):
        return self

    def __exit__(self, *args):
        return None

    def post(self, address, **kwargs):
        answer = requests.Response()
        answer.status_code = self.status
        return answer


def test_a_reviewer_begins_with_what_is_due_first(world, visit, look):
    review = reviewed(world, [row(1)])
    page = visit(world.user("edc", "reviewer"), PHONE)
    expect(page.locator("main")).to_contain_text("First due")
    look(page, "home-queue-phone")
    press(page, "link", f"{review.submission.title}, {review.aggregator.name}")
    expect(page.locator("main")).to_contain_text("60 days left")
    page.goto("/notices/preferences/")
    page.get_by_role("group", name="Review started").get_by_label("By e-mail").focus()
    page.keyboard.press("Space")
    look(page, "notice-preferences-phone")
    press(page, "button", "Save")
    expect(page.locator("main")).to_contain_text("Your choice is saved.")
    expect(page.get_by_role("group", name="Review started").get_by_label("By e-mail")).not_to_be_checked()


def test_a_webhook_from_its_secret_to_a_delivery_sent_again(world, visit, look, monkeypatch, settings):
    settings.MOC_OUTBOUND_PRIVATE_HOSTS = ["localhost"]
    system = System()
    monkeypatch.setattr(outbound, "session", lambda: system)
    page = visit(world.user("edc", "administrator"), PHONE)
    page.goto("/webhooks/")
    press(page, "link", "Make a webhook")
    page.get_by_label("Name").fill("Our system")
    page.get_by_label("Address").fill(ADDRESS)
    look(page, "webhook-new-phone")
    press(page, "button", "Make the webhook")
    expect(page.get_by_label("Secret")).to_have_value(re.compile("whsec_"))
    press(page, "link", "I have copied it")
    press(page, "button", "Send a test event")
    expect(page.locator("main")).to_contain_text("A test event is on its way.")
    assert services.deliver() == 0
    page.reload()
    look(page, "webhook-phone")
    press(page, "link", "A test of the webhook")
    expect(page.locator("main")).to_contain_text("503")
    look(page, "webhook-delivery-phone")
    system.status = 200
    press(page, "button", "Send again")
    expect(page.locator("main")).to_contain_text("It is on its way again.")
    assert services.deliver() == 1
    page.reload()
    expect(page.locator("main h1")).to_contain_text("Delivered")


def test_anybody_checks_a_letter(world, visit, look, client_of, browser, live_server):
    der = register(world, 1)[0]
    copy = client_of(world.user("aggregator", "viewer")).get(f"/registry/ders/{der.uuid}/certificate.pdf").content
    page = browser.new_page(base_url=live_server.url, viewport={"width": PHONE[0], "height": PHONE[1]})
    page.goto("/verify/")
    page.get_by_label("Code").fill(Letter.objects.get().code.lower())
    page.get_by_label("The file").set_input_files({"name": "certificate.pdf", "mimeType": "application/pdf", "buffer": copy})
    press(page, "button", "Check")
    expect(page.locator("main")).to_contain_text("This is the very copy")
    look(page, "letter-checked-phone")
    page.close()
