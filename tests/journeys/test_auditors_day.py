"""An auditor's day in the workplace, from its front page to the last grant, without leaving it: N4, N6, N12, N13; ¶299."""

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.utils import timezone
from playwright.sync_api import Page, expect

from moc import sight
from moc.access.models import OrganizationUserObjectPermission
from moc.accesslog.models import AccessEntry
from moc.accesslog.services import note
from moc.history import acting
from moc.jobs.models import Job
from moc.reports import services as reports
from moc.reports import tasks as report_tasks
from moc.reports.models import ReportRun
from moc.rulesets import services as rulesets
from moc.rulesets.models import RuleChange
from moc.seals import services as seals
from moc.seals import tasks as seal_tasks
from registry.ders.models import Der
from settlement.disputes.endings import Determination
from settlement.disputes.services import determining, levels
from tests.factories.disputes import disputed
from tests.factories.world import World
from tests.journeys.conftest import press

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
BY_TECHNOLOGY = {"group": ["der_type"], "measures": [{"of": "count"}]}


@pytest.fixture
def settled(monkeypatch) -> None:
    """Seals wait for no transaction of another database in this cluster."""

    def now() -> int:
        with sight.engine(), connection.cursor() as cursor:
            cursor.execute("SELECT pg_current_xact_id()::text::bigint")
            return cursor.fetchone()[0]

    monkeypatch.setattr(seals, "horizon", now)


@pytest.fixture
def morning(world, settled) -> World:
    """What waits: a draft determination, a colleague's draft of a rule, a report, a look at a customer, a grant; all of it sealed."""
    auditor, administrator = world.user("rerra", "auditor"), world.user("rerra", "administrator")
    dispute = disputed(world, "rto")
    levels.move(actor=world.user("tso", "auditor"), dispute=dispute, name="refer", reason="A matter of the distribution tariff.")
    dispute.refresh_from_db()
    determining.propose(actor=auditor, dispute=dispute, outcome="overturned", reasons="The photograph shows the new inverter.")
    today = timezone.localdate()
    other = world.user("operator", "administrator")
    draft = {"key": "resubmit_days", "value": 45, "source": "Order of the board", "starts_on": today, "authority": world.rerra.slug}
    rulesets.draft(actor=other, organization=world.operator, **draft)
    reports.define(actor=administrator, organization=world.rerra, source="ders", spec=BY_TECHNOLOGY, name="By technology", format="csv")
    seen = {"holder": world.edc.pk, "filed_by": world.aggregator.pk, "record": "DER A-1", "subject": None, "columns": ["owner_name"]}
    note(actor=world.user("edc", "reviewer"), purpose=AccessEntry.Purpose.CONTACT, text="Meter exchange", **seen)
    with acting(other, "An audit together"):
        permission = Permission.objects.get(codename="audit", content_type__model="organization")
        grants = OrganizationUserObjectPermission.objects
        grants.create(user=world.user("rerra2", "auditor"), permission=permission, content_object=world.edc)
    seals.seal()
    return world


def to(page: Page, section: str, row: str = "") -> None:
    """From the front page to a list, and to one of its records."""
    page.goto("/admin/")
    page.locator(".moc-sections").get_by_role("link", name=section, exact=True).first.click()
    if row:
        page.locator("#result_list").get_by_role("link", name=row).first.click()


def confirm(page: Page, move: str, reason: str = "") -> None:
    """A lifecycle move, asked for once more with its reason."""
    press(page, "link", move)
    page.get_by_label("Reason").fill(reason)
    page.locator("input[type=submit]").click()
    expect(page.locator(".messagelist")).to_contain_text("done")


def verify(page: Page, look) -> None:
    """Everything is hashed again; what was found is read."""
    to(page, "Verifications")
    press(page, "link", "Add verification")
    look(page, "workplace-verify")
    page.locator("input[type=submit]").click()
    expect(page.locator(".messagelist")).to_contain_text("it is being done")
    seal_tasks.verify_all(Job.objects.get(title="Verify all sealed history").pk)
    to(page, "Verifications")
    page.locator("#result_list th a").first.click()
    expect(page.locator(".field-finding_count")).to_contain_text("0")
    to(page, "Seals")
    expect(page.locator("#result_list")).to_contain_text("1")


def determine(page: Page, look) -> None:
    """The draft of a colleague is read and confirmed: the denied DER is in the registry."""
    to(page, "Determinations")
    page.locator("#result_list th a").first.click()
    expect(page.locator("#content")).to_contain_text("The photograph shows the new inverter.")
    look(page, "workplace-determination")
    confirm(page, "Confirm")
    assert Determination.objects.get().status == "effective" and Der.objects.filter(external_id="A-1").exists()
    to(page, "Disputes")
    expect(page.locator("#result_list")).to_contain_text("Determined")


def run_report(page: Page, look) -> None:
    to(page, "Reports")
    page.locator("#result_list input[type=checkbox]").first.check()
    page.locator("select[name=action]").select_option("run_now")
    page.locator("button[name=index]").click()
    expect(page.locator(".messagelist")).to_contain_text("Runs asked for: By technology")
    report_tasks.write(ReportRun.objects.get().job_id)
    to(page, "Report runs", "By technology")
    expect(page.locator(".field-row_count")).to_contain_text("1")
    look(page, "workplace-report-run")


def read_access_log(page: Page, look) -> None:
    to(page, "Access log")
    expect(page.locator("#result_list")).to_contain_text("Meter exchange")
    look(page, "workplace-access-log")
    page.goto(page.url + "?purpose__exact=erasure")
    expect(page.locator("#content")).not_to_contain_text("Meter exchange")


def check_grants(page: Page, look) -> None:
    """Who has what, and who can reach this and why."""
    to(page, "Grants across organisations")
    here = page.url
    page.goto(f"{here}?q=auditor@rerra2.example.org")
    expect(page.locator("#result_list")).to_contain_text("read every version")
    page.goto(f"{here}?q=viewer@rerra2.example.org")
    expect(page.locator("#content")).not_to_contain_text("read every version")
    to(page, "Organizations", "Edc of the tests")
    press(page, "link", "Who can reach this")
    expect(page.locator("#content")).to_contain_text("Granted on Edc of the tests")
    look(page, "workplace-reach")


def test_an_auditors_day(morning, visit, look):
    page = visit(morning.user("rerra", "administrator"))
    page.goto("/admin/")
    look(page, "workplace-morning")
    verify(page, look)
    determine(page, look)
    run_report(page, look)
    read_access_log(page, look)
    check_grants(page, look)


def test_a_rule_goes_through_its_lifecycle(morning, visit, look):
    """The operator's second administrator puts in force what another drafted; one's own draft is refused, and stays a draft."""
    page = visit(morning.user("operator", "administrator"))
    to(page, "Rule changes", "resubmit_days")
    press(page, "link", "Schedule")
    page.locator("input[type=submit]").click()
    expect(page.locator(".messagelist")).to_contain_text("Another person puts a change in force")
    assert RuleChange.objects.get().status == "draft"
    confirm(page, "Withdraw")
    assert RuleChange.objects.get().status == "withdrawn"
    look(page, "workplace-rule-withdrawn")
