"""The RTO's review of an aggregation: states, clocks and pauses; suspension and overrides. R7; Order 2222 ¶297."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone

from moc.access.policy import NotPermitted
from moc.errors import Conflict, UserError
from moc.history import acting
from moc.notices.models import Notice
from registry.aggregations.models import Aggregation
from registry.aggregations.services import building
from registry.catalogue.models import GridService
from registry.prequalification.models import MarketDecision
from registry.prequalification.services import deciding, overriding, passes
from tests.factories.ders import register
from tests.factories.qualification import aggregate, law
from tests.factories.world import REASON

pytestmark = pytest.mark.django_db
TODAY = timezone.localdate()


@pytest.fixture
def filed(world) -> Aggregation:
    """An aggregation of 120 kW that qualifies, submitted by its aggregator."""
    law("min_aggregation_kw", 100)
    made = aggregate(world, register(world, 2, nameplate_ac_kw=Decimal(60)), status="draft")
    building.move(actor=world.user("aggregator", "approver"), aggregation=made, name="submit")
    made.refresh_from_db()
    return made


def rto(world):
    return world.user("tso", "administrator")


def moved(aggregation: Aggregation, **moments) -> Aggregation:
    """As if it had been so since then."""
    with acting(None, REASON):
        Aggregation.objects.filter(pk=aggregation.pk).update(**moments)
    aggregation.refresh_from_db()
    return aggregation


def ago(days: int):
    return timezone.now() - timedelta(days=days)


def asked(world, filed: Aggregation) -> MarketDecision:
    made = deciding.ask(actor=rto(world), aggregation=filed, statement="Which meters?")
    filed.refresh_from_db()
    return made


def test_the_days_of_the_review_are_a_row_of_the_law(world, filed):
    """N13: by market; taken back there is no clock, submitted again it begins anew."""
    assert (filed.due_at - timezone.now()).days == 30
    actor = world.user("aggregator", "approver")
    building.move(actor=actor, aggregation=filed, name="withdraw")
    filed.refresh_from_db()
    assert filed.due_at is None
    law("validation_days", 10)
    building.move(actor=actor, aggregation=filed, name="submit")
    filed.refresh_from_db()
    assert (filed.due_at - timezone.now()).days == 10


@pytest.mark.parametrize("pauses", [False, True])
def test_the_clock_stands_only_where_a_row_says_so(world, filed, pauses):
    """¶292: an answer lets the RTO go on, its clock later by as long as it stood."""
    law("info_request_pauses_clock", pauses)
    due = filed.due_at
    question = asked(world, filed)
    assert filed.status == "asked" and filed.answer_due_at > timezone.now() and bool(filed.paused_at) == pauses
    if pauses:
        moved(filed, paused_at=ago(4))
    deciding.answer(actor=world.user("aggregator", "approver"), decision=question, text="Those of the utility")
    filed.refresh_from_db()
    question.refresh_from_db()
    assert (filed.status, filed.paused_at, filed.answer_due_at) == ("submitted", None, None)
    assert (filed.due_at - due).days == (4 if pauses else 0)
    assert question.answer == "Those of the utility"
    assert Notice.objects.filter(event="aggregation_answered", user=rto(world)).exists()
    with pytest.raises(Conflict):
        deciding.answer(actor=world.user("aggregator", "approver"), decision=question, text="Again")


def test_without_an_answer_the_rto_goes_on(world, filed):
    asked(world, filed)
    assert deciding.check_clocks()["unanswered"] == 0
    moved(filed, answer_due_at=ago(1))
    assert deciding.check_clocks()["unanswered"] == 1
    filed.refresh_from_db()
    assert filed.status == "submitted"
    assert deciding.check_clocks() == {"unanswered": 0, "lapsed": 0, "escalated": 0}


def test_nobody_changes_what_the_rto_asks_about(world, filed):
    asked(world, filed)
    with pytest.raises(Conflict):
        building.change(actor=world.user("aggregator", "filer"), aggregation=filed, name="Another")
    with pytest.raises(NotPermitted):
        deciding.answer(actor=world.user("aggregator2", "approver"), decision=filed.decisions.get(), text="No")
    assert filed.decisions.get().answer == ""


def test_returned_as_incomplete_within_the_days_for_it(world, filed):
    """Its aggregator mends it and submits it again, or it is a draft again."""
    deciding.return_incomplete(actor=rto(world), aggregation=filed, statement="The limits are missing")
    filed.refresh_from_db()
    assert (filed.status, filed.due_at) == ("returned", None)
    assert building.change(actor=world.user("aggregator", "filer"), aggregation=filed, upper_limit_kw=Decimal(100)).upper_limit_kw == 100
    moved(filed, answer_due_at=ago(1))
    assert deciding.check_clocks()["lapsed"] == 1
    filed.refresh_from_db()
    assert filed.status == "draft"


def test_after_its_days_it_counts_as_complete(world, filed):
    moved(filed, submitted_at=ago(9))
    with pytest.raises(Conflict):
        deciding.return_incomplete(actor=rto(world), aggregation=filed, statement="Late")
    filed.refresh_from_db()
    assert filed.status == "submitted"


def test_an_overdue_review_is_escalated_once(world, filed):
    moved(filed, due_at=ago(1))
    assert [deciding.check_clocks()["escalated"] for _ in range(2)] == [1, 0]
    told = set(Notice.objects.filter(event="validation_overdue").values_list("user__email", flat=True))
    assert {rto(world).email, world.user("aggregator", "approver").email} <= told


def test_only_the_own_rto_asks_and_says_what(world, filed):
    with pytest.raises(NotPermitted):
        deciding.ask(actor=world.user("tso2", "administrator"), aggregation=filed, statement="What?")
    with pytest.raises(UserError):
        deciding.ask(actor=rto(world), aggregation=filed, statement=" ")
    assert not MarketDecision.objects.exists()


def test_approval_survives_suspension_and_requalification(world, filed):
    """R7: the moments of approval stay: what was decided when, the id, the first day, and since when a verdict stands."""
    first = deciding.register(actor=rto(world), aggregation=filed, market_id="R-1", effective_on=TODAY)
    since = filed.qualifications.get().since
    with pytest.raises(Conflict):
        deciding.suspend(actor=rto(world), aggregation=filed, rule="PQ-AGG-SMALL")
    passes.qualify()
    assert filed.qualifications.get().since == since
    law("min_aggregation_kw", 200)
    deciding.suspend(actor=rto(world), aggregation=filed, rule="PQ-AGG-SMALL", statement="Too small by now")
    filed.refresh_from_db()
    assert filed.status == "suspended"
    with pytest.raises(Conflict):
        deciding.reinstate(actor=rto(world), aggregation=filed, statement="Again")
    law("min_aggregation_kw", 100)
    deciding.reinstate(actor=rto(world), aggregation=filed, statement="It has grown")
    filed.refresh_from_db()
    assert (filed.status, filed.market_id, filed.effective_on) == ("registered", "R-1", TODAY)
    assert MarketDecision.objects.get(pk=first.pk).decided_at == first.decided_at
    assert [*filed.decisions.order_by("pk").values_list("kind", flat=True)] == ["register", "suspend", "reinstate"]


@pytest.mark.parametrize("organization", ["edc", "rerra"])
def test_an_aggregation_is_barred_and_let_in_with_a_reason(world, filed, organization):
    """R7: by the utility of its members or that utility's regulator; the RTO sees it, and may deny by it."""
    role = "approver" if organization == "edc" else "administrator"
    actor, energy = world.user(organization, role), GridService.objects.get(pk="energy")
    passes.qualify()
    made = overriding.override(actor=actor, subject=filed, service=energy, eligible=False, reason="The feeder is full: study 7")
    verdict = filed.qualifications.get()
    assert (verdict.by_rules, verdict.eligible, made.by) == (True, False, world.organizations[organization])
    passes.qualify()
    with pytest.raises(Conflict, match="PQ-OVERRIDE"):
        deciding.register(actor=rto(world), aggregation=filed, market_id="R-1", effective_on=TODAY)
    overriding.end_override(actor=actor, override=made)
    law("min_aggregation_kw", 500)
    overriding.override(actor=actor, subject=filed, service=energy, eligible=True, reason="A pilot")
    assert deciding.register(actor=rto(world), aggregation=filed, market_id="R-1", effective_on=TODAY).verdicts["energy"]["broken"]


@pytest.mark.parametrize(("organization", "role"), [("edc2", "approver"), ("tso", "administrator"), ("aggregator", "administrator")])
def test_nobody_else_bars_an_aggregation(world, filed, organization, role):
    passes.qualify()
    actor, energy = world.user(organization, role), GridService.objects.get(pk="energy")
    with pytest.raises(NotPermitted):
        overriding.override(actor=actor, subject=filed, service=energy, eligible=False, reason="A wish")
    assert filed.qualifications.get().eligible


def test_the_word_of_one_utility_is_not_that_of_several(world):
    """Members at two utilities: each has a word on its own DERs only."""
    made = aggregate(world, [*register(world, 1), *register(world, 1, prefix="ELSE", edc="edc2")], status="draft")
    building.move(actor=world.user("aggregator", "approver"), aggregation=made, name="submit")
    passes.qualify()
    assert overriding.authority_over(world.user("edc", "approver"), made) is None


def test_pages_of_a_question_and_its_answer(world, filed, client_of):
    """R7: the RTO asks, the aggregator finds it in its queue and answers, the RTO goes on."""
    passes.qualify()
    client, own = client_of(rto(world)), [filed.uuid]
    assert client.post(reverse("registry:aggregation_ask", args=own), {"statement": "Which meters?"}).status_code == 302
    aggregator = client_of(world.user("aggregator", "approver"))
    assert "Aggregations to mend or to answer for" in aggregator.get("/").content.decode()
    assert filed.name in aggregator.get(reverse("registry:validation_list"), {"status": "mine"}).content.decode()
    assert "Which meters?" in aggregator.get(reverse("registry:aggregation_answer", args=own)).content.decode()
    aggregator.post(reverse("registry:aggregation_answer", args=own), {"text": "Those of the utility"})
    page = client.get(reverse("registry:aggregation_checklist", args=own)).content.decode()
    assert "Those of the utility" in page and "The RTO decides by" in page
