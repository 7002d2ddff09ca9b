"""What is settled before filing, who else has a say, and who joins a registered aggregation: notices of intent, regulators, members.

R4, R5, N10; FERC Order 2222 ¶236 (the list of individual DERs), ¶322 (the regulator's part), ¶336 (who joins later).
"""

from datetime import date

import pytest
from django.db.backends.postgresql.psycopg_any import DateRange
from playwright.sync_api import Page, expect

from moc.history import acting
from registry.aggregations.models import Aggregation
from registry.aggregations.services.membership import Terms
from registry.jurisdictions.models import RetailProgram
from registry.submissions.models import StagedDer
from registry.submissions.services import filing, members, reviewing
from tests.factories.ders import register
from tests.factories.filings import reviewed, row
from tests.factories.qualification import aggregate, law
from tests.factories.world import REASON
from tests.journeys.conftest import DESKTOP, PHONE
from tests.registry.aggregations.making import chosen

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def seen(page: Page, look, path: str, name: str, *said: str) -> None:
    """A page at both widths, with what it says."""
    for width, (size, suffix) in {"desktop": (DESKTOP, ""), "phone": (PHONE, "-phone")}.items():
        page.set_viewport_size({"width": size[0], "height": size[1]})
        if width == "desktop":
            page.goto(path)
        for text in said:
            expect(page.locator("main"), width).to_contain_text(text)
        look(page, f"{name}{suffix}")


def test_a_notice_of_intent_is_settled_and_becomes_a_draft(world, visit, look):
    page = visit(world.user("aggregator", "filer"))
    seen(page, look, "/registry/intents/new/", "intent-new")
    page.get_by_role("combobox", name="Utility").select_option(label=str(world.edc))
    page.get_by_label("Title").fill("Elm Street")
    page.locator("textarea").first.fill("I-1; photovoltaic; 7.6; edc-up-01; 100001\nI-2; storage; 5; edc-up-02; 100099")
    page.locator("main form button[type=submit]").last.click()
    expect(page.locator("main")).to_contain_text("With the utility")
    own = page.url
    seen(page, look, own, "intent-as-aggregator", "Elm Street", "I-2")
    utility = visit(world.user("edc", "reviewer"))
    seen(utility, look, "/registry/intents/", "intents", "Elm Street")
    seen(utility, look, f"{own}answer/", "intent-answer")
    utility.locator("textarea").first.fill("I-1; edc-up-01; 100001;\nI-2; ; ; No such account there")
    utility.locator("main form button[type=submit]").last.click()
    seen(page, look, own, "intent-answered", "No such account there")


def test_a_regulator_answers_its_question(world, visit, look):
    with acting(None, REASON):
        law("rerra_involvement", "decides", "rerra")
        law("rerra_questions", {"program": "Does a program bar it (¶296)?", "rates": "Is the rate open to it?"}, "rerra")
    review = reviewed(world, [row(n) for n in range(1, 4)])
    page = visit(world.user("rerra", "administrator"))
    seen(page, look, f"/registry/reviews/{review.uuid}/", "regulator-review", "Does a program bar it", "approvals wait until then")
    part = review.regulator_parts.get(question="program")
    seen(page, look, f"/registry/regulator-parts/{part.uuid}/answer/", "regulator-answer")
    page.get_by_text("Participation may not go on", exact=True).click()
    page.get_by_label("Statement").fill("Rider 7 bars it.")
    page.locator("main form button[type=submit]").last.click()
    expect(page.locator("main")).to_contain_text("Participation may not go on")
    utility = visit(world.user("edc", "reviewer"))
    seen(utility, look, f"/registry/reviews/{review.uuid}/", "regulator-answered", "Rider 7 bars it.")


def test_the_terms_of_retail_programs_are_read(world, visit, look):
    terms = {"edc": world.edc, "tariff": "Rider NM, sheet 41", "valid_during": DateRange(date(2020, 1, 1), None)}
    with acting(None, REASON):
        RetailProgram.objects.create(code="nem", name="Net metering", kind="net_metering", bars_wholesale=True, **terms)
        RetailProgram.objects.create(
            code="dr", name="Peak time rebate", pays_for=["energy", "capacity"], **terms | {"kind": "demand_response"}
        )
    seen(visit(world.user("aggregator", "viewer")), look, "/registry/jurisdictions/programs/", "retail-programs", "Peak time rebate")


def registered(world, ders) -> Aggregation:
    with acting(None, REASON):
        law("min_aggregation_kw", "none")
        law("location_scope", "any")
        law("member_change_validation", "validates")
        made = aggregate(world, ders[:2], participation_model="dera")
        Aggregation.objects.filter(pk=made.pk).update(status="registered")
    return made


def test_a_der_joins_a_registered_aggregation(world, visit, look):
    ders = register(world, 4)
    made, filer = registered(world, ders), world.user("aggregator", "filer")
    page = visit(filer)
    seen(page, look, f"/registry/aggregations/{made.uuid}/members/join/", "members-join")
    draft = members.start(actor=filer, ders=chosen(ders[2:]), aggregation=made, kind="add", terms=Terms(), reason="Two homes more")
    seen(page, look, f"/registry/submissions/{draft.uuid}/", "members-draft", "Two homes more")
    version, _, _ = filing.attestation()
    handed = filing.submit(actor=world.user("aggregator", "approver"), submission=draft, attestation_version=version)
    review = handed.reviews.get()
    utility = visit(world.user("edc", "reviewer"))
    seen(utility, look, f"/registry/reviews/{review.uuid}/", "members-review", "Two homes more")
    rows = StagedDer.objects.filter(submission=handed)
    reviewing.decide(actor=world.user("edc", "reviewer"), review=review, rows=rows, kind="approve")
    market = visit(world.user("tso", "administrator"))
    seen(market, look, "/registry/member-validations/", "member-validations", str(made))
    market.locator("main table a").first.click()
    seen(market, look, market.url, "member-validation", "Photovoltaic")
    market.get_by_role("link", name="Validate").click()
    market.locator("main form button[type=submit]").last.click()
    expect(market.locator("main")).to_contain_text("Validated")
    assert made.members.count() == 4
