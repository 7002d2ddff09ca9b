"""A report from idea to scheduled PDF, and what a stranger sees of the state (N6, N7)."""

import pytest
from playwright.sync_api import expect

from moc.public.services import publish
from moc.reports import services, tasks
from moc.reports.models import ReportDefinition, ReportRun
from tests.factories.ders import register
from tests.journeys.conftest import DESKTOP, PHONE, press

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("scripts", [True, False])
def test_an_auditor_builds_previews_and_schedules(world, visit, look, scripts):
    """By keyboard and mouse, with scripts and without; the beat runs it, and its PDF comes to the inbox."""
    register(world, 5)
    register(world, 3, prefix="W", der_type="wind")
    page = visit(world.user("rerra", "auditor"), DESKTOP, scripts=scripts)
    page.goto("/reports/")
    press(page, "link", "Build a report")
    page.get_by_role("link", name="DERs", exact=True).last.click()
    page.get_by_label("Group 1").select_option("der_type")
    page.get_by_label("Measure 1").first.select_option("sum")
    page.locator("[name=of_1]").select_option("nameplate_ac_kw")
    page.get_by_label("Chart of the first measure").select_option("bars")
    press(page, "button", "Preview")
    expect(page.locator("main")).to_contain_text("Wind")
    if scripts:
        look(page, "report-preview")
    page.locator("[name=name]").fill("Capacity by technology")
    page.locator("[name=format]").select_option("pdf")
    page.locator("[name=every]").select_option("month")
    press(page, "button", "Save")
    expect(page.locator("main")).to_contain_text("The report is saved.")
    made = ReportDefinition.objects.get()
    assert services.run_due(made.next_at) == 1
    run = ReportRun.objects.get()
    tasks.write(run.job_id)
    page.goto("/notices/")
    page.get_by_role("link", name="Report ready: Capacity by technology").click()
    expect(page.locator("main")).to_contain_text(".pdf")


def test_a_stranger_reads_the_state(world, browser, live_server):
    """On a phone, without sign-in and without scripts."""
    for n, place in enumerate(world.service_points["edc"], 1):
        register(world, 1, prefix=f"H{n}", service_point=place, nameplate_ac_kw=5)
    for n, place in enumerate(world.service_points["edc2"], 1):
        register(world, 1, prefix=f"Z{n}", edc="edc2", service_point=place, county=world.counties[0], nameplate_ac_kw=5)
    publish()
    context = browser.new_context(base_url=live_server.url, viewport={"width": PHONE[0], "height": PHONE[1]}, java_script_enabled=False)
    page = context.new_page()
    page.goto("/public/")
    expect(page.locator("main")).to_contain_text("24 customers")
    page.get_by_role("link", name="Registered aggregators").click()
    expect(page.locator("main")).to_contain_text(world.aggregator.name)
    page.get_by_role("link", name="Open data", exact=True).click()
    expect(page.locator("main")).to_contain_text("Data dictionary")
    context.close()
