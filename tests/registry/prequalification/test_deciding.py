"""Overrides with reason, and the RTO's validation or denial. R7; Order 2222 ¶130, ¶160, ¶292."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone

from moc.access.policy import NotPermitted
from moc.errors import Conflict, UserError
from moc.notices.models import Notice
from registry.catalogue.models import GridService
from registry.ders.models import Der
from registry.prequalification import reports
from registry.prequalification.models import MarketDecision, QualificationOverride
from registry.prequalification.services import deciding, overriding, passes
from tests.factories.ders import register
from tests.factories.qualification import aggregate, law

pytestmark = pytest.mark.django_db
TODAY = timezone.localdate()


@pytest.fixture
def small(world) -> Der:
    """A DER of 1 kW in a market that wants two."""
    law("min_der_kw", 2)
    (der,) = register(world, 1)
    passes.qualify()
    return der


@pytest.fixture
def energy(world) -> GridService:
    return GridService.objects.get(pk="energy")


def eligible(der: Der, service: str = "energy") -> bool:
    return der.qualifications.get(service=service).eligible


@pytest.mark.parametrize(("organization", "role"), [("edc", "approver"), ("rerra", "administrator")])
def test_an_override_holds_for_one_service_until_it_ends(world, small, energy, organization, role):
    """R7: by the utility or its regulator, with a reason; the rules' own verdict stays beside it, and comes back."""
    actor = world.user(organization, role)
    made = overriding.override(actor=actor, subject=small, service=energy, eligible=True, reason="A pilot")
    assert made.by == world.organizations[organization]
    verdict = small.qualifications.get(service="energy")
    assert (verdict.eligible, verdict.by_rules, eligible(small, "capacity")) == (True, False, False)
    passes.qualify()
    assert eligible(small)
    overriding.end_override(actor=actor, override=made)
    assert not eligible(small)
    with pytest.raises(Conflict):
        overriding.end_override(actor=actor, override=made)


def test_a_later_override_takes_the_place_of_an_earlier_one(world, small, energy):
    actor = world.user("edc", "administrator")
    overriding.override(actor=actor, subject=small, service=energy, eligible=True, reason="A pilot")
    overriding.override(actor=actor, subject=small, service=energy, eligible=False, reason="The pilot is over")
    assert not eligible(small)
    assert QualificationOverride.objects.filter(ended_at=None).get().reason == "The pilot is over"


@pytest.mark.parametrize(
    ("organization", "role"),
    [
        ("aggregator", "administrator"),
        ("edc", "reviewer"),
        ("edc2", "administrator"),
        ("rerra2", "administrator"),
        ("tso", "administrator"),
    ],
)
def test_nobody_else_overrides(world, small, energy, organization, role):
    with pytest.raises(NotPermitted):
        overriding.override(actor=world.user(organization, role), subject=small, service=energy, eligible=True, reason="A wish")
    assert not QualificationOverride.objects.exists()


def test_an_override_needs_a_reason(world, small, energy):
    with pytest.raises(UserError):
        overriding.override(actor=world.user("edc", "approver"), subject=small, service=energy, eligible=True, reason=" ")


@pytest.fixture
def ready(world):
    """An aggregation of 120 kW that qualifies."""
    law("min_aggregation_kw", 100)
    return aggregate(world, register(world, 2, nameplate_ac_kw=Decimal(60)))


def rto(world):
    return world.user("tso", "administrator")


def test_validation_registers_with_id_and_day(world, ready):
    """R7: only after the verdicts, and they are kept with the decision; the aggregator is told."""
    made = deciding.register(actor=rto(world), aggregation=ready, market_id="PJM-7", effective_on=TODAY)
    ready.refresh_from_db()
    assert (ready.status, ready.market_id, ready.effective_on) == ("registered", "PJM-7", TODAY)
    assert made.verdicts == {"energy": {"eligible": True, "broken": {}}}
    assert Notice.objects.filter(event="aggregation_decided", user=world.user("aggregator", "approver")).count() == 1


def test_what_does_not_qualify_is_not_registered(world, ready):
    """R7: verdicts are computed anew at the decision: a rule that came meanwhile counts."""
    passes.qualify()
    law("min_aggregation_kw", 121)
    with pytest.raises(Conflict, match="PQ-AGG-SMALL"):
        deciding.register(actor=rto(world), aggregation=ready, market_id="PJM-7", effective_on=TODAY)
    ready.refresh_from_db()
    assert ready.status == "submitted" and not MarketDecision.objects.exists()


@pytest.mark.parametrize(
    ("starts", "day"), [({"energy": str(TODAY + timedelta(days=9))}, TODAY), ({"*": None}, TODAY), ({}, TODAY - timedelta(days=1))]
)
def test_participation_begins_when_the_market_is_open(world, ready, starts, day):
    """N13: the day from which a market opens for a service is a row of the law; one that is not known opens nothing."""
    law("participation_starts", starts)
    with pytest.raises(UserError):
        deciding.register(actor=rto(world), aggregation=ready, market_id="PJM-7", effective_on=day)


def test_a_denial_names_a_rule_that_is_broken(world, ready):
    """Order 2222 ¶160, ¶292: no denial at will."""
    with pytest.raises(Conflict):
        deciding.deny(actor=rto(world), aggregation=ready, rule="PQ-AGG-SMALL")
    law("min_aggregation_kw", 121)
    made = deciding.deny(actor=rto(world), aggregation=ready, rule="PQ-AGG-SMALL", statement="Add a DER")
    ready.refresh_from_db()
    assert ready.status == "denied"
    assert [*made.verdicts["energy"]["broken"]] == ["PQ-AGG-SMALL"] and made.verdicts["energy"]["broken"]["PQ-AGG-SMALL"][1] == "121"


@pytest.mark.parametrize(("organization", "role"), [("tso2", "administrator"), ("tso", "auditor"), ("aggregator", "administrator")])
def test_only_its_own_rto_decides(world, ready, organization, role):
    with pytest.raises(NotPermitted):
        deciding.register(actor=world.user(organization, role), aggregation=ready, market_id="PJM-7", effective_on=TODAY)


def test_one_is_not_decided_twice(world, ready):
    deciding.register(actor=rto(world), aggregation=ready, market_id="PJM-7", effective_on=TODAY)
    with pytest.raises(Conflict):
        deciding.register(actor=rto(world), aggregation=ready, market_id="PJM-8", effective_on=TODAY)


def test_the_checklist_has_every_rule_with_numbers_and_source(world, small):
    """R7: passed and broken, with the number of the row, that of the rule, and where it is from."""
    service = next(each for each in reports.checklist(small) if each.verdict.service_id == "energy")
    (broken,) = service.broken
    assert (broken.rule.code, broken.value, broken.limit, broken.row.source) == ("PQ-DER-SMALL", "1", "2", "a tariff")
    assert "PQ-RETAIL" in {item.rule.code for item in service.passed}
    assert "PQ-METERING" not in {item.rule.code for item in service.items}  # no row of this market asks it


def test_pages_of_the_rto(world, ready, client_of):
    """R7: the queue, the checklist and the decision, as the RTO walks through them."""
    passes.qualify()
    client, own = client_of(rto(world)), [ready.uuid]
    assert ready.name in client.get(reverse("registry:validation_list")).content.decode()
    page = client.get(reverse("registry:aggregation_checklist", args=own)).content.decode()
    assert "Ready for market" in page and "PQ-AGG-SMALL" in page
    answer = client.post(reverse("registry:aggregation_register", args=own), {"market_id": "PJM-7", "effective_on": str(TODAY)})
    assert answer.status_code == 302
    ready.refresh_from_db()
    assert ready.status == "registered"
    assert "PJM-7" in client.get(reverse("registry:aggregation_checklist", args=own)).content.decode()


def test_the_list_filters_by_the_broken_rule(world, small, client_of):
    register(world, 1, prefix="OTHER", nameplate_ac_kw=Decimal(9))
    passes.qualify()
    client = client_of(world.user("aggregator", "viewer"))
    page = client.get(reverse("registry:qualification_list"), {"breaks": "PQ-DER-SMALL", "service": "energy"}).content.decode()
    assert "D-1" in page and "OTHER-1" not in page
    exported = b"".join(client.get(reverse("registry:qualification_csv"), {"eligible": "true"}).streaming_content).decode()
    assert "OTHER-1" in exported and "D-1" not in exported
