"""A reviewer must have a second factor: sets up a passkey, signs in with it, and confirms a sensitive act with it. N2."""

import pytest
from allauth.mfa.models import Authenticator
from django.core.cache import cache
from playwright.sync_api import Page, expect

from moc.access.models import ApiToken, User
from tests.factories.presence import code_of
from tests.factories.world import PASSWORD
from tests.journeys.conftest import PHONE, TIMEOUT_MS

pytestmark = pytest.mark.django_db(transaction=True)
EMAIL = "reviewer@edc.example.org"
FITS = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"


@pytest.fixture
def page(browser, live_server, world, settings):
    """A browser with an authenticator of its own (Chromium's virtual one); its console may hold no error."""
    settings.MOC_SECOND_FACTOR_EXEMPT_DEMONSTRATION = False
    context = browser.new_context(base_url=live_server.url, locale="en-US")
    context.set_default_timeout(TIMEOUT_MS)
    page, complaints = context.new_page(), []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    devtools = context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    able = {"hasResidentKey": True, "hasUserVerification": True, "isUserVerified": True, "automaticPresenceSimulation": True}
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": {"protocol": "ctap2", "transport": "internal", **able}})
    yield page
    context.close()
    assert complaints == []


def log_in(page: Page) -> None:
    page.goto("/accounts/login/")
    page.fill("input[name=login]", EMAIL)
    page.fill("input[name=password]", PASSWORD)
    page.click("main form button[type=submit] >> nth=0")


def sign_out(page: Page) -> None:
    page.goto("/accounts/logout/")
    page.click("main button[type=submit]")
    page.wait_for_url("**/accounts/login/")


def test_a_passkey_from_its_set_up_to_a_sensitive_act(page, look, settings):
    log_in(page)
    set_up_passkey(page, look)
    sign_out(page)
    log_in(page)
    page.wait_for_url("**/accounts/2fa/authenticate/")
    look(page, "second-factor-asked")
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url("**:*/")

    sign_out(page)
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.wait_for_url("**:*/")

    settings.ACCOUNT_REAUTHENTICATION_TIMEOUT = 0
    page.goto("/accounts/profile/tokens/new/")
    page.wait_for_url("**/reauthenticate/**")
    settings.ACCOUNT_REAUTHENTICATION_TIMEOUT = 900
    confirm_on_a_telephone(page, look)
    page.get_by_label("Name of the token").fill("A program")
    page.get_by_role("button", name="Create the token").click()
    expect(page.get_by_label("Token")).to_be_visible()
    assert ApiToken.objects.filter(name="A program").exists()


def set_up_passkey(page: Page, look) -> None:
    """A reviewer without a second factor is shown where to add one, and can work after that."""
    page.wait_for_url("**/accounts/2fa/")
    expect(page.get_by_text("Your role needs a second factor")).to_be_visible()
    look(page, "second-factor")
    page.get_by_role("link", name="Add a passkey").click()
    page.get_by_label("Name").fill("My laptop")
    page.locator("label[for=id_passwordless]").click()  # USWDS puts the box itself out of sight
    look(page, "passkey-add")
    page.get_by_role("button", name="Add the passkey").click()
    page.wait_for_url("**/accounts/2fa/recovery-codes/")
    look(page, "recovery-codes")
    assert Authenticator.objects.filter(user=User.objects.get(email=EMAIL), type="webauthn").count() == 1
    page.goto("/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Home")


def confirm_on_a_telephone(page: Page, look) -> None:
    """Show again who one is, at phone width."""
    page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    look(page, "confirm-phone")
    page.get_by_role("link", name="security key").click()
    look(page, "confirm-passkey-phone")
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url("**/accounts/profile/tokens/new/")


def test_codes_of_an_app_without_scripts_on_a_telephone(browser, live_server, world, settings):
    """N2: where a form suffices no script is needed; nothing scrolls sideways at 360 px."""
    settings.MOC_SECOND_FACTOR_EXEMPT_DEMONSTRATION = False
    size = {"width": PHONE[0], "height": PHONE[1]}
    context = browser.new_context(base_url=live_server.url, viewport=size, java_script_enabled=False, locale="en-US")
    context.set_default_timeout(TIMEOUT_MS)
    page = context.new_page()
    log_in(page)
    page.get_by_role("link", name="Set up an app").click()
    secret = page.get_by_label("Key", exact=True).input_value()
    page.get_by_label("Code").fill(code_of(secret))
    assert page.evaluate(FITS)
    page.get_by_role("button", name="Use this app").click()
    page.wait_for_url("**/accounts/2fa/recovery-codes/")
    sign_out(page)
    cache.clear()  # in which the code that set the app up counts as used
    log_in(page)
    page.wait_for_url("**/accounts/2fa/authenticate/")
    page.get_by_label("Code").fill(code_of(secret))
    page.get_by_role("button", name="Sign in with the code").click()
    page.wait_for_url("**:*/")
    page.goto("/accounts/sessions/")
    assert page.evaluate(FITS)
    expect(page.get_by_text("This one")).to_be_visible()
    context.close()
