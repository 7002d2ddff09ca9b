"""A real browser on a live server: pages signed in as somebody, screenshots that are kept, axe on what is seen."""

import os
import shutil
from collections.abc import Callable, Iterator

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, Error, Page, sync_playwright

from moc.access.models import User
from moc.jobs import services as jobs
from moc.up.system import BROWSERS
from tests.factories.filings import store_in
from tests.factories.presence import sign_in
from tests.factories.world import PASSWORD

SCREENSHOTS = settings.BASE_DIR / "build" / "screenshots"
DESKTOP, PHONE = (1280, 900), (360, 740)
TIMEOUT_MS = 15_000
VIOLATIONS = """
    axe.run({resultTypes: ['violations'], preload: false})
    .then(found => found.violations.map(one => one.id + ': ' + one.nodes.map(node => node.html).join(' | ')))
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium; without one the journeys are skipped, in CI they fail. It ends with its file: other tests run event loops of their own."""
    own = next(filter(None, map(shutil.which, BROWSERS)), None)
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"  # Playwright runs an event loop in this thread; nothing of ours runs in it
    with sync_playwright() as playwright:
        try:
            opened = playwright.chromium.launch(executable_path=own, args=["--no-sandbox"])
        except Error as error:
            if os.environ.get("CI"):
                raise
            pytest.skip(f"no browser: {error.message.splitlines()[0]}")
        yield opened
        opened.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture(autouse=True)
def _files(settings, tmp_path) -> None:
    store_in(settings, tmp_path)


@pytest.fixture(autouse=True)
def _jobs_wait(monkeypatch) -> None:
    """No worker listens: a journey runs a job when the page has shown that it waits."""
    monkeypatch.setattr(jobs, "_send", lambda task, pk: None)


@pytest.fixture(scope="module")
def used_the_form() -> list[str]:
    """Who signed in by the form in this file."""
    return []


@pytest.fixture
def visit(browser, live_server, used_the_form) -> Iterator[Callable[..., Page]]:
    """visit(user): a page on the user's home, the file's first signed in by the form; its console may hold no error."""
    contexts, complaints = [], []

    def make(user: User, size: tuple[int, int] = DESKTOP, *, scripts: bool = True) -> Page:
        context = browser.new_context(
            base_url=live_server.url, viewport={"width": size[0], "height": size[1]}, java_script_enabled=scripts, locale="en-US"
        )
        context.set_default_timeout(TIMEOUT_MS)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text) if _is_fault(message) else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        if used_the_form:
            session = sign_in(Client(), user).cookies[settings.SESSION_COOKIE_NAME].value
            context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": live_server.url}])
            page.goto("/")
        else:
            used_the_form.append(user.email)
            page.goto("/accounts/login/")
            page.fill("input[name=login]", user.email)
            page.fill("input[name=password]", PASSWORD)
            page.click("main button[type=submit]")
        page.wait_for_url(f"{live_server.url}/")
        return page

    yield make
    for context in contexts:
        context.close()
    assert complaints == []


def _is_fault(message) -> bool:
    """An answer 422 (a form with errors) is written to the console as an error, and is none; nor is what axe does, which has no address."""
    return message.type == "error" and "422" not in message.text and bool(message.location["url"])


def _keep(page: Page, name: str, whole: bool) -> None:
    """Keep a screenshot. On a busy machine the browser cannot always take one at once: it is asked again, twice."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    for left in (2, 1, 0):
        try:
            page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=whole)
            return
        except Error as error:
            if "Unable to capture screenshot" not in error.message or not left:
                raise


@pytest.fixture
def look(whole) -> Callable[[Page, str], None]:
    """look(page, name): keep a screenshot; the page has no violation that axe finds and does not scroll sideways.

    `make whole` keeps all of the page, the ordinary run what the window shows. Axe does not fetch styles and media once more (`preload`):
    it would for rules on sound, of which there is none, and on turned screens, which are off.
    """

    def at(page: Page, name: str) -> None:
        _keep(page, name, whole)
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), f"{name} scrolls sideways"
        if axe := _axe():
            page.evaluate(axe)
            assert page.evaluate(VIOLATIONS) == [], name

    return at


def _axe() -> str:
    path = settings.NODE_MODULES / "axe-core" / "axe.min.js"
    return path.read_text() if path.is_file() else ""


def press(page: Page, role: str, name: str, key: str = "Enter") -> None:
    """Work a control by keyboard: focus it, see that it has the focus, press a key."""
    control = page.get_by_role(role, name=name, exact=True).first
    control.focus()
    assert control.evaluate("element => element === document.activeElement")
    page.keyboard.press(key)
