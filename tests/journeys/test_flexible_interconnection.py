"""A utility studies a DER by form, its reviewer adopts what was found, and the registry holds the limits: O4, Camus, N12."""

import pytest
from playwright.sync_api import expect

from operations.envelopes.services import computing
from operations.interconnection import tasks
from operations.interconnection.models import InterconnectionStudy
from operations.network.services import building
from registry.ders import inverters
from registry.ders.models import Der
from tests.factories.filings import reviewed, row
from tests.factories.networks import current, points_of, rows
from tests.journeys.conftest import PHONE

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_flexible_interconnection_from_the_form_to_the_registry(world, visit, look, settings, tmp_path):
    settings.VAR_DIR = tmp_path
    building._cached.cache_clear()
    computing._machine.cache_clear()
    feeder = world.feeders["edc"][0]
    points = points_of(feeder)[:4]
    current(world, feeder, rows(points, metres=60))
    filed = {"usage_point_id": points[-1], "nameplate_ac_kw": "20", "rated_kva": "22", "approved_export_kw": "20"}
    reviewed(world, [row(1, **filed)])
    page = visit(world.user("edc", "administrator"))
    for name in ("Networks", "Interconnection"):
        page.get_by_role("link", name=name, exact=True).click()
    page.get_by_role("link", name="Study a DER").click()
    said = {"Feeder": feeder.code, "Project": "Elm Street", "Service point": points[-1]}
    said |= {"Rated power (kW)": "20", "Rated apparent power (kVA)": "22", "Volt-var curve": str(inverters.VOLT_VAR)}
    for label, value in said.items():
        page.get_by_label(label).first.fill(value)
    page.get_by_role("button", name="Study", exact=True).click()
    expect(page.locator(".moc-progress")).to_contain_text("Queued")
    study = InterconnectionStudy.objects.get()
    tasks.study(study.job_id)
    page.reload()
    expect(page.locator("main")).to_contain_text("Firm: never curtailed")
    look(page, "interconnection-study")
    reviewer = visit(world.user("edc", "reviewer"), PHONE)
    reviewer.goto(f"/operations/interconnection/{study.uuid}/")
    look(reviewer, "interconnection-study-phone")
    reviewer.get_by_role("link", name="Adopt in a review").click()
    look(reviewer, "interconnection-adopt-phone")
    reviewer.get_by_role("button", name="Approve with these limits").click()
    expect(reviewer.locator("main")).to_contain_text("Adopted in")
    study.refresh_from_db()
    found = Der.objects.get()
    assert float(found.export_limit_kw) == study.flexible_export_kw and found.limits_by_time == study.windows
    reviewer.goto(f"/registry/ders/{found.uuid}/")
    expect(reviewer.locator("main")).to_contain_text("Inverter settings by decision")
