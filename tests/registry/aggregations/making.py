"""Aggregations in tests, made by the services."""

from registry.aggregations.models import Aggregation
from registry.aggregations.services import building, membership
from registry.ders.models import Der
from tests.factories.world import World


def made(world: World, name: str = "Shore", *, aggregator: str = "aggregator", ders: list[Der] = (), **facts) -> Aggregation:
    """An aggregation of an aggregator's filer, wholesale, for energy, with some members from today."""
    actor = world.user(aggregator, "filer")
    given = {"tso": world.tso, "services": ["energy"], "td_interface": world.edc.td_interfaces.first()} | facts
    aggregation = building.create(actor=actor, aggregator=world.organizations[aggregator], name=name, **given)
    if ders:
        membership.add(actor=actor, aggregation=aggregation, ders=chosen(ders), terms=membership.Terms())
    return aggregation


def chosen(ders: list[Der]):
    return Der.objects.filter(pk__in=[der.pk for der in ders])


def filed(world: World, aggregation: Aggregation, *names: str) -> Aggregation:
    """Moved to a status, as the aggregator and the RTO would."""
    for name in names or ("submit",):
        transition = Aggregation.lifecycle.transitions[name]
        if name in building.MOVES:
            building.move(actor=world.user("aggregator", "approver"), aggregation=aggregation, name=name, reason="tests")
        else:
            rows = Aggregation.objects.filter(pk=aggregation.pk)
            Aggregation.lifecycle.move(rows, transition.name, actor=world.user("tso", "administrator"), reason="tests")
    aggregation.refresh_from_db()
    return aggregation
