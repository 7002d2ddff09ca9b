"""One registration serves every level: services ask for service terms only, no fact is asked or stored twice. R1, R4; ¶236, ¶238."""

import pytest
from django.apps import apps

from moc.history import Version
from registry.aggregations.api import AggregationBody, FactorsBody, MembersBody
from registry.aggregations.models import AGENTS, Aggregation
from registry.aggregations.services import building, membership
from registry.ders.models import Der, DerFacts
from registry.submissions.models import StagedDer, Submission
from tests.factories.ders import register
from tests.registry.aggregations.making import chosen, made

# what a DER is; limits, ramps and agents of an aggregation are its own, whatever those of its members
FACTS = {field.name for field in DerFacts._meta.get_fields()} - {*building.PERFORMANCE, *AGENTS}
SLICES = ("registry.aggregations", "registry.prequalification")
BODIES = (AggregationBody, MembersBody, FactorsBody)


def test_what_services_are_offered_with_asks_for_no_fact_of_a_der():
    assert {"der_type", "nameplate_ac_kw", "serial_no", "energy_capacity_kwh"} <= FACTS
    asked = {name for body in BODIES for name in body().fields}
    assert "share_percent" in asked and not asked & FACTS


def test_what_services_are_offered_with_stores_no_fact_of_a_der():
    models = [model for model in apps.get_models() if model.__module__.startswith(SLICES) and not issubclass(model, Version)]
    stored = {f"{model.__name__}.{field.name}" for model in models for field in model._meta.concrete_fields if field.name in FACTS}
    assert Aggregation in models and stored == set()


@pytest.mark.django_db
def test_the_same_members_serve_the_market_and_the_utility_without_another_filing(world):
    """Consistent treatment: one record, one review, one set of members, by service only what differs."""
    ders = register(world, 2)
    before = [model.objects.count() for model in (Der, Der.history.model, StagedDer, Submission)]
    both = made(world, purpose="both", services=["energy"], edc=world.edc, ders=ders)
    building.change(actor=world.user("aggregator", "filer"), aggregation=both, services=["energy", "peak_reduction"])
    terms = membership.Terms(services=("peak_reduction",))
    membership.add(actor=world.user("aggregator", "filer"), aggregation=both, ders=chosen(ders), terms=terms)
    assert sorted(both.members.values_list("der", "service")) == sorted(
        (der.pk, service) for der in ders for service in ("energy", "peak_reduction")
    )
    assert [model.objects.count() for model in (Der, Der.history.model, StagedDer, Submission)] == before
