"""A feeder is re-switched, consequences first; a customer switches aggregators, and the present one is heard: R3, R4, N11, ¶336."""

import pytest
from django.core.cache import cache
from django.utils import timezone
from playwright.sync_api import expect

from moc.history import acting
from registry.ders.models import Der, DerTenure
from registry.grid.models import ServicePoint
from registry.submissions.models import StagedDer, Submission
from registry.submissions.services import reviewing
from tests.factories.ders import register
from tests.factories.filings import reviewed, row
from tests.journeys.conftest import PHONE

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_feeder_is_switched_to_another(world, visit, look):
    register(world, 6)
    page = visit(world.user("edc", "administrator"))
    page.goto("/registry/reconfigurations/new/")
    page.get_by_label("Code of that feeder or transformer").fill("F1")
    page.get_by_label("Code of that feeder, transformer or substation").fill("F2")
    page.get_by_label("Reason").fill("Relief of F1")
    look(page, "reconfiguration-new")
    page.get_by_role("button", name="Show the consequences").click()
    expect(page.locator("main")).to_contain_text("Nothing has moved yet")
    expect(page.locator("main")).to_contain_text("service points")
    look(page, "reconfiguration-preview")
    page.get_by_role("button", name="Carry out").click()
    expect(page.locator("main")).to_contain_text("Carried out")
    assert ServicePoint.objects.filter(feeder=world.feeders["edc"][1]).count() == 12
    page.goto(f"/registry/reconfigurations/connection/?usage_point_id=edc-up-01&day={timezone.localdate()}")
    expect(page.locator("main")).to_contain_text("F2")
    look(page, "connection-as-known")


def registered(world) -> Der:
    """A DER of the first aggregator, held for a year."""
    review = reviewed(world, [row(1)])
    reviewing.decide(actor=world.user("edc", "reviewer"), review=review, rows=StagedDer.objects.all(), kind="approve")
    with acting(None, "system: tests"):
        DerTenure.objects.update(valid_during=("2026-01-01", None), is_first=False)
    return Der.objects.get()


def look_up(page, account: str) -> None:
    page.goto("/registry/look-up/")
    page.get_by_role("combobox", name="Utility").select_option(label="Edc of the tests")
    page.get_by_label("Service point").fill("edc-up-01")
    page.get_by_label("Its value").fill(account)
    page.get_by_role("button", name="Look up").click()


def file_switch(page, look) -> None:
    """From two facts to the attested switch."""
    look_up(page, "999")
    expect(page.locator("main")).to_contain_text("Nothing was identified")
    look_up(page, "100001")
    expect(page.locator("main")).to_contain_text("Photovoltaic")
    look(page, "look-up-phone")
    page.get_by_role("link", name="Switch to you").click()
    page.get_by_label("Reference of the customer's authorisation").fill("AU-1")
    signed = {"name": "signed.txt", "mimeType": "text/plain", "buffer": b"I authorise it."}
    page.get_by_label("The signed authorisation").set_input_files(signed)
    page.get_by_role("button", name="Start the draft").click()
    page.get_by_role("link", name="Attest and submit").click()
    page.locator("label[for=id_accepted]").click()
    page.get_by_role("button", name="Attest and submit").click()
    expect(page.locator("main")).to_contain_text("Under utility review")


def test_a_customer_switches_to_another_aggregator(world, visit, look):
    der = registered(world)
    cache.clear()
    file_switch(visit(world.user("aggregator2", "administrator"), PHONE), look)
    page = visit(world.user("aggregator", "filer"))
    page.goto("/registry/switches/")
    page.locator("main table a").first.click()
    expect(page.locator("main")).to_contain_text("A-1")
    look(page, "switch-as-former")
    page.get_by_role("link", name="Answer", exact=True).click()
    page.get_by_text("Agree", exact=True).click()
    page.get_by_role("button", name="Answer").click()
    expect(page.locator("main")).to_contain_text("Agreed")
    review = Submission.objects.get(kind="switch").reviews.get()
    reviewer = visit(world.user("edc", "reviewer"))
    reviewer.goto(f"/registry/reviews/{review.uuid}/?row=1")
    expect(reviewer.get_by_role("link", name="signed.txt", exact=True)).to_be_visible()
    look(reviewer, "switch-review")
    reviewer.get_by_text("Approve", exact=True).click()
    reviewer.get_by_role("button", name="Decide", exact=True).click()
    expect(reviewer.locator("main")).to_contain_text("Decided: 1 row.")
    der.refresh_from_db()
    assert der.aggregator == world.aggregator2
