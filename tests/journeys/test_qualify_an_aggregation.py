"""An aggregation on its way to the market, and a rule on its way into the law, each between two parties: R7, N2, N11, N13; ¶130, ¶160."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from moc.rulesets.models import RuleChange
from registry.aggregations.services import building
from registry.prequalification.services import passes
from tests.factories.ders import register
from tests.factories.qualification import aggregate, law
from tests.journeys.conftest import PHONE, press

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
TODAY = timezone.localdate()


def filed(world):
    """An aggregation of 120 kW, submitted by its aggregator to a market of at least 100 kW."""
    law("min_aggregation_kw", 100)
    made = aggregate(world, register(world, 2, nameplate_ac_kw=Decimal(60)), status="draft", name="Shore")
    building.move(actor=world.user("aggregator", "approver"), aggregation=made, name="submit")
    passes.pull()
    return made


def ask(page, look) -> None:
    """The RTO finds it in its queue with every verdict, and asks."""
    press(page, "link", "Aggregations to validate")
    press(page, "link", "Shore")
    expect(page.locator("main")).to_contain_text("Ready for market")
    expect(page.locator("main")).to_contain_text("The RTO decides by")
    look(page, "checklist-of-an-aggregation-phone")
    press(page, "link", "Ask")
    page.get_by_label("Statement").fill("Which meters are read?")
    look(page, "rto-asks-phone")
    press(page, "button", "Ask")
    expect(page.locator("main")).to_contain_text("Information requested")


def answer(page, look) -> None:
    press(page, "link", "Aggregations to mend or to answer for")
    press(page, "link", "Shore")
    press(page, "link", "Answer")
    expect(page.locator("main")).to_contain_text("Which meters are read?")
    page.get_by_label("Answer").fill("Those of the utility.")
    look(page, "aggregator-answers")
    press(page, "button", "Answer")
    expect(page.locator("main")).to_contain_text("Those of the utility.")


def validate(page, look, url: str) -> None:
    page.goto(url)
    press(page, "link", "Validate")
    page.get_by_label("Id at the RTO").fill("RTO-17")
    page.get_by_label("Takes part from").fill(str(TODAY))
    look(page, "rto-validates-phone")
    press(page, "button", "Validate")
    expect(page.locator("main")).to_contain_text("id RTO-17")


def test_from_the_queue_of_the_rto_to_its_registration(world, visit, look):
    made = filed(world)
    page = visit(world.user("tso", "administrator"), PHONE)
    ask(page, look)
    answer(visit(world.user("aggregator", "approver")), look)
    validate(page, look, f"/registry/prequalification/aggregations/{made.uuid}/")
    made.refresh_from_db()
    assert (made.status, made.market_id, made.effective_on) == ("registered", "RTO-17", TODAY)


def test_a_utility_bars_a_der_and_lets_the_rules_decide_again(world, visit, look):
    (der,) = register(world, 1)
    passes.pull()
    page = visit(world.user("edc", "approver"))
    page.goto(f"/registry/ders/{der.uuid}/")
    press(page, "link", "Ready for market")
    press(page, "link", "Override")
    page.get_by_label("Service").select_option("energy")
    page.get_by_role("radio", name="It is barred").focus()
    page.keyboard.press("Space")
    page.get_by_label("Reason").fill("Its feeder is full: study 7.")
    look(page, "override-form")
    press(page, "button", "Override")
    expect(page.locator("main")).to_contain_text("Its feeder is full: study 7.")
    look(page, "checklist-of-a-der")
    assert not der.qualifications.get(service="energy").eligible
    page.get_by_role("link", name="End it").first.click()
    with page.expect_navigation():  # the page before does not show the reason either
        press(page, "button", "End it")
    expect(page.locator("main")).not_to_contain_text("Its feeder is full: study 7.")
    assert der.qualifications.get(service="energy").eligible


def test_a_rule_is_drafted_seen_and_scheduled_by_another(world, visit, look):
    register(world, 6)
    page = visit(world.user("tso", "administrator"))
    page.goto("/registry/prequalification/rule-changes/")
    press(page, "link", "New change")
    page.get_by_label("What").select_option("max_der_kw")
    page.get_by_label("Value").fill("2")
    page.get_by_label("In force from").fill(str(TODAY + timedelta(days=30)))
    page.get_by_label("Source").fill("An order")
    look(page, "rule-change-draft")
    press(page, "button", "Draft, and see what it would change")
    expect(page.locator("main")).to_contain_text("4 DERs would newly break a rule")
    look(page, "rule-change-preview")
    page.get_by_role("link", name="List and export").first.click()
    expect(page.locator("main")).to_contain_text("D-6")
    look(page, "rule-change-ders")
    change = RuleChange.objects.get()
    second = visit(world.user("operator", "administrator"), PHONE)
    second.goto(f"/registry/prequalification/rule-changes/{change.uuid}/")
    press(second, "button", "Schedule")
    expect(second.locator("main")).to_contain_text("Scheduled")
    change.refresh_from_db()
    assert (change.status, change.row.value) == ("scheduled", 2)
