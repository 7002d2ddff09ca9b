"""An aggregator signs up, is admitted, registers, signs the agreement and is registered by its regulator: R5, N2, ¶352."""

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from moc.access.models import User
from moc.accounts import admissions
from registry.aggregators.models import AggregatorRegistration
from tests.factories.world import PASSWORD

COMPANY = {"Legal form": "LLC", "State of formation": "nj", "Registered address": "1 State Street", "Tax id": "12-3456789"}
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def newcomer(world) -> User:
    """Has signed up and proven the address; waits for admission."""
    said = {
        "organization": "Elm Flex",
        "legal_name": "Elm Flex LLC",
        "name": "Eve",
        "email": "eve@elm.example.org",
        "rerra": world.rerra.pk,
    }
    return admissions.open_account(key=admissions.link_key(said), password=PASSWORD).user


def add(page, part: str, **values: str) -> None:
    page.get_by_role("link", name=f"Add to {part}").click()
    for name, value in values.items():
        control = page.locator(f"[name={name}]")
        if name == "evidence":
            control.set_input_files({"name": "certificate.txt", "mimeType": "text/plain", "buffer": value.encode()})
        elif control.evaluate("element => element.tagName") == "SELECT":
            control.select_option(value)
        elif control.get_attribute("type") == "checkbox":
            page.locator(f"label[for={control.get_attribute('id')}]").click()
        else:
            control.fill(value)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="Registration of Elm Flex")).to_be_visible()


def admit(regulator) -> None:
    regulator.goto("/organization/admissions/")
    regulator.get_by_role("link", name="Elm Flex").click()
    regulator.get_by_role("button", name="Admit").click()
    expect(regulator.locator("main")).to_contain_text("Done: Admit.")


def fill_in(page, rerra) -> None:
    """The company with all parts."""
    page.goto("/registry/aggregators/")
    page.get_by_role("link", name="Begin the registration").click()
    page.get_by_label("Regulator").select_option(label=str(rerra))
    for label, value in COMPANY.items():
        page.get_by_label(label).fill(value)
    page.get_by_role("button", name="Save").click()
    expect(page.locator("main")).to_contain_text("Filing is not possible")
    add(page, "officers", title="Chief executive", name="Eve Elm", signs="on")
    for purpose in ("market", "operations", "cyber", "billing"):
        add(page, "contacts", purpose=purpose, name="The desk")
    year = timezone.localdate().year + 2
    add(page, "certifications", kind="licence", issuer="The board", expires_on=f"{year}-01-31", evidence="A certificate")


def test_from_sign_up_to_registered(world, newcomer, visit, look):
    regulator = visit(world.user("rerra", "administrator"))
    admit(regulator)
    page = visit(newcomer)
    fill_in(page, world.rerra)
    page.get_by_role("link", name="Sign the agreement").click()
    expect(page.locator("main")).to_contain_text("does not attest that a utility or an authority has consented")
    look(page, "participation-agreement")
    page.get_by_label("I sign as").fill("Chief executive")
    page.locator("label[for=id_read]").click()
    page.get_by_role("button", name="Sign").click()
    page.get_by_role("button", name="Submit").click()
    expect(page.locator("main")).to_contain_text("Under review")
    look(page, "registration-under-review")

    regulator.goto("/")
    regulator.get_by_role("link", name="Elm Flex").first.click()
    look(regulator, "registration-to-decide")
    regulator.get_by_role("button", name="Register").click()
    expect(regulator.locator("main")).to_contain_text("Done: Register.")
    page.reload()
    expect(page.locator("main")).to_contain_text("Registered")
    expect(page.locator("main")).not_to_contain_text("Filing is not possible")
    assert AggregatorRegistration.objects.get(aggregator__name="Elm Flex").status == "registered"
