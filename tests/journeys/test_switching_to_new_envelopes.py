"""A utility tells a switching, what is behind it gets new envelopes, and its aggregator takes them in: O1, O3, O4, O5, N10."""

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from moc.jobs.models import Job
from operations.envelopes import tasks
from operations.envelopes.models import EnvelopePoint, EnvelopeReceipt, EnvelopeRun
from operations.outages.models import GridEvent
from operations.outages.services import log
from tests.factories.networks import midnight, street
from tests.journeys.conftest import PHONE, press

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def tell(page, look, feeder: str) -> GridEvent:
    """By form: the line behind the second point is switched tomorrow from noon to two; what it takes along is found and shown."""
    day = f"{timezone.localtime(midnight()):%Y-%m-%d}"
    for name in ("Outages", "Grid events", "Tell an event"):
        press(page, "link", name)
    page.get_by_role("radio", name="Switching", exact=True).focus()
    page.keyboard.press("Space")
    said = {"Feeder": feeder, "Line or transformer of the network": "line.l2", "Reason": "The pole is replaced"}
    said |= {"From": f"{day}T12:00", "Expected back at": f"{day}T14:00"}
    for label, value in said.items():
        page.get_by_label(label).first.fill(value)
    look(page, "grid-event-new")
    press(page, "button", "Tell it")
    expect(page.locator("main h1")).to_contain_text("To come")
    expect(page.get_by_role("region", name="DERs behind it")).to_contain_text("Aggregator2 of the tests")
    expect(page.get_by_role("region", name="DERs one by one").get_by_role("row").last).to_contain_text("edc-up-05")
    return GridEvent.objects.get()


def work() -> EnvelopeRun:
    """What the worker does once the act is committed: it orders what the event touches, computes it, and publishes what passes."""
    followed = Job.objects.get(task=log.FOLLOWS)
    tasks.follow(followed.pk)
    run = EnvelopeRun.objects.latest("pk")
    tasks.compute(run.job_id)
    run.refresh_from_db()
    return run


def read(page, look) -> None:
    """The aggregator is told of the event and of the set, reads its new limits and why, and acknowledges the set."""
    page.goto("/notices/")
    press(page, "link", "Switching of line.l2 on F1: 2 service points are behind it")
    press(page, "link", "Open")
    expect(page.get_by_role("region", name="DERs one by one")).to_contain_text("FAR")
    look(page, "grid-event-as-aggregator-phone")
    page.goto("/notices/")
    press(page, "link", "Envelopes of feeder F1, set 2")
    press(page, "link", "Open")
    look(page, "envelope-receipt-phone")
    press(page, "link", "Envelopes of this feeder")
    press(page, "link", "FAR")
    expect(page.locator("main")).to_contain_text("Set 2")
    expect(page.locator("main")).not_to_contain_text("Set 1")
    off = page.get_by_role("region", name="Reasons of the limits").get_by_role("row").filter(has_text="has no supply")
    expect(off.first).to_contain_text("12:00")
    expect(off.first.get_by_role("cell").nth(1)).to_have_text("0.0")
    look(page, "envelope-switched-phone")
    page.go_back()
    page.go_back()
    press(page, "button", "Acknowledge")
    expect(page.locator("main h1")).to_contain_text("Acknowledged")


def test_a_switching_from_the_form_to_an_acknowledged_set(world, visit, look, settings, tmp_path):
    settings.VAR_DIR = tmp_path
    feeder = street(world, auto_publish=True)
    page = visit(world.user("edc", "administrator"))
    event = tell(page, look, feeder.code)
    run = work()
    page.reload()
    done = page.get_by_role("region", name="Operational log").get_by_role("row").filter(has_text="Envelopes published")
    expect(done).to_contain_text("set: 1 → 2")
    look(page, "grid-event-followed")
    assert (run.status, run.number, feeder.envelope_runs.count()) == ("published", 2, 2)
    theirs = visit(world.user("aggregator2", "filer"), PHONE)
    read(theirs, look)
    page.goto(f"/operations/envelopes/runs/{run.uuid}/")
    expect(page.get_by_role("listitem").filter(has_text="Aggregator2 of the tests")).to_contain_text("Acknowledged")
    expect(page.locator("main")).to_contain_text("line.l2 switched")
    look(page, "envelope-run-of-event")
    stranger = visit(world.user("aggregator", "filer"))
    receipt = EnvelopeReceipt.objects.get(run=run, aggregator=world.aggregator2)
    point = EnvelopePoint.objects.get(der__external_id="FAR")
    for url in (
        f"outages/events/{event.uuid}",
        f"envelopes/receipts/{receipt.uuid}",
        f"envelopes/{point.pk}",
        f"envelopes/runs/{run.uuid}",
    ):
        assert stranger.context.request.get(f"/operations/{url}/").status == 404, url
