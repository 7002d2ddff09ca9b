"""The part of the access matrix's scene that is about aggregations."""

from django.db import models

from moc.access.models import Organization
from moc.jobs.models import Job
from registry.aggregations.models import Aggregation, AggregationMember, AggregationPnode, AggregationUtility
from registry.aggregations.services import agents, loads
from registry.catalogue import services as catalogue
from registry.catalogue.models import GridService
from registry.ders.models import Der
from tests.factories.world import World

ALWAYS = ("2026-01-01", None)


def objects(world: World, der: Der) -> dict[str, models.Model]:
    """An aggregation that waits for validation, with one member and all of its response at one node; and a draft."""
    aggregation = make(world.aggregator, world.tso, name="An aggregation", meter_reader=world.edc)
    node = world.tso.pnodes.first()
    parts = {
        "aggregation_draft": make(world.aggregator, world.tso, services=["energy", "capacity"], name="A draft"),
        "aggregation_drops": make(world.aggregator, world.tso, services=["regulation"], name="A draft to leave"),
        "factor": AggregationPnode.objects.create(aggregation=aggregation, pnode=node, factor=1, valid_during=ALWAYS),
        "member": AggregationMember.objects.create(
            aggregation=aggregation,
            der=der,
            service_id="energy",
            aggregator=world.aggregator,
            edc=world.edc,
            wholesale=True,
            valid_during=ALWAYS,
        ),
        "aggregation_utility": AggregationUtility.objects.create(aggregation=aggregation, aggregator=world.aggregator, edc=world.edc),
        "grid_service": GridService.objects.get(pk="energy"),
        "service_draft": catalogue.draft(actor=None, code="inertia", name="Inertia", level="wholesale"),
    }
    leaving = {"aggregation": parts["aggregation_drops"], "service_id": "regulation", "wholesale": True, "valid_during": ALWAYS}
    AggregationMember.objects.create(der=der, aggregator=world.aggregator, edc=world.edc, **leaving)
    about = {"aggregation": aggregation.pk}
    user = world.user("aggregator", "filer")
    parts["aggregation_load"] = Job.objects.create(user=user, task=loads.TASK, title="Adding members", status="done", arguments=about)
    Aggregation.objects.filter(pk=aggregation.pk).update(status="submitted")
    aggregation.refresh_from_db()
    agents.settle(aggregation)
    parts["agent_grant"] = aggregation.agents.get()
    for part in (aggregation, parts["factor"], parts["member"]):
        part.refresh_from_db()
    return parts | {"aggregation": aggregation}


def make(aggregator: Organization, tso: Organization | None, **facts) -> Aggregation:
    """An aggregation whose agents are the aggregator."""
    agents = dict.fromkeys(("market_agent", "dispatch_agent", "meter_reader"), aggregator)
    return Aggregation.objects.create(**{"aggregator": aggregator, "tso": tso, "services": ["energy"]} | agents | facts)
