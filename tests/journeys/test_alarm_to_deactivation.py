"""An EV will overload its transformer: from the alarm to curtailed charging, why, and out of force again: O3, O4, O5, N10, Camus."""

import pytest
from playwright.sync_api import expect

from operations.deferral import services
from operations.envelopes import tasks
from operations.envelopes.models import EnvelopeRun
from registry.grid.models import Transformer
from tests.factories.networks import forecast, street
from tests.journeys.conftest import DESKTOP, PHONE, press

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
REASON = "A line crew works on the street"


def curtail(page, look) -> EnvelopeRun:
    """From the news of the alarm to envelopes that curtail the EV, checked and published."""
    page.goto("/notices/")
    page.get_by_role("link", name="1 transformer forecast above its rating").click()
    press(page, "link", "Open")
    look(page, "transformer-alarms")
    press(page, "link", "T-9")
    expect(page.locator("main h1")).to_contain_text("Raised")
    expect(page.locator(".moc-chart canvas")).to_be_visible()
    page.get_by_text("Figures as a table").click()
    evening = page.get_by_role("row").filter(has_text="18:00")
    expect(evening.get_by_role("cell")).to_have_text(["45", "40"])
    look(page, "transformer-alarm")
    press(page, "button", "Curtail charging")
    expect(page.locator("main")).to_contain_text("being computed")
    run = EnvelopeRun.objects.latest("pk")
    tasks.compute(run.job_id)
    page.reload()
    expect(page.get_by_role("region", name="Curtailed charging").get_by_role("row").last).to_contain_text("EV")
    expect(page.locator("main")).to_contain_text("checked, not published")
    page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    look(page, "transformer-alarm-phone")
    press(page, "link", str(run))
    expect(page.get_by_role("region", name="What binds")).to_contain_text("transformer service")
    press(page, "button", "Publish")
    expect(page.locator("main h1")).to_contain_text("Published")
    look(page, "envelope-run-phone")
    return run


def explain(page, look) -> None:
    """Why the EV may draw 3 kW in the evening and what it may at night."""
    press(page, "link", "Envelopes of its DERs")
    press(page, "link", "EV")
    why = page.get_by_role("region", name="Reasons of the limits")
    expect(why.get_by_role("row").filter(has_text="operator")).to_contain_text("3.0")
    expect(why).to_contain_text("The rating of transformer service")
    look(page, "envelope-phone")


def deactivate(page) -> None:
    """With the reason that is owed, by keyboard."""
    page.locator("summary", has_text="Deactivate").focus()
    page.keyboard.press("Enter")
    page.get_by_role("textbox", name="Reason").fill(REASON)
    press(page, "button", "Deactivate")
    expect(page.locator("main h1")).to_contain_text("Deactivated")


def read_the_log(page, look) -> None:
    """Who did what and why, and the state before and after."""
    for name in ("Outages", "Operational log"):
        press(page, "link", name)
    rows = page.get_by_role("table").get_by_role("row")
    said = (
        ("Envelopes taken out of force", REASON, "Administrator of edc", "set: 2 → none"),
        ("Envelopes published", "Published", "Administrator of edc", "set: 1 → 2"),
        ("Alarm evaluated", "Charging curtailed", "Administrator of edc", "T-9", "peak kW: 45.0 → 40.0"),
    )
    for number, words in enumerate(said, 1):
        for each in words:
            expect(rows.nth(number)).to_contain_text(each)
    look(page, "operational-log")


def learn(page, look) -> None:
    """The aggregator is told with the reason, and sees the limits that hold without envelopes."""
    page.goto("/notices/")
    press(page, "link", "Envelopes of feeder F1, set 2, are out of force")
    expect(page.locator("main")).to_contain_text(REASON)
    look(page, "envelopes-withdrawn-phone")
    press(page, "link", "Open")
    expect(page.locator("main")).to_contain_text("deactivated")
    press(page, "link", "Envelopes of this feeder")
    look(page, "envelopes-phone")
    press(page, "link", "EV")
    expect(page.locator("main")).to_contain_text("no set: the limits without envelope hold")
    limits = page.get_by_role("region", name="Reasons of the limits").get_by_role("row")
    for number, kw in ((1, "1.5"), (2, "5.0")):
        expect(limits.nth(number).get_by_role("cell").nth(1)).to_have_text(kw)
    look(page, "envelope-static-phone")


def test_from_an_alarm_to_envelopes_and_out_of_force_again(world, visit, look, settings, tmp_path):
    settings.VAR_DIR = tmp_path
    street(world, auto_publish=False)
    forecast(Transformer.objects.get(code="T-9"), [20.0] * 18 + [45.0, 45.0] + [20.0] * 4)
    assert services.look() == 1
    page = visit(world.user("edc", "administrator"))
    run = curtail(page, look)
    explain(page, look)
    theirs = visit(world.user("aggregator", "filer"), PHONE)
    theirs.goto("/operations/envelopes/")
    press(theirs, "link", "EV")
    expect(theirs.locator("main")).to_contain_text("a published set")
    page.set_viewport_size({"width": DESKTOP[0], "height": DESKTOP[1]})
    page.goto(f"/operations/envelopes/runs/{run.uuid}/")
    deactivate(page)
    read_the_log(page, look)
    learn(theirs, look)
    page.goto("/operations/transformers/")
    press(page, "link", "T-9")
    deactivate(page)
