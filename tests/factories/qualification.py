"""Aggregations to qualify: an RTO's market over the utility's DERs."""

from datetime import date

from django.db.backends.postgresql.psycopg_any import DateRange

from moc.history import acting
from moc.rulesets.models import RuleSet
from registry.aggregations.models import Aggregation, AggregationMember, AggregationPnode
from registry.ders.models import Der
from tests.factories.world import REASON, World

ALWAYS = DateRange(date(2020, 1, 1), None)


def law(key: str, value, authority: str = "tso", **row) -> RuleSet:
    """A row of the law from 2020 on, in the place of any other of that key and authority."""
    with acting(None, REASON):
        RuleSet.objects.filter(key=key, authority=authority).delete()
        return RuleSet.objects.create(
            **{"key": key, "authority": authority, "value": value, "source": "a tariff", "verified": True, "valid_during": ALWAYS} | row
        )


def aggregate(
    world: World, ders: list[Der], *services: str, name: str = "An aggregation", status: str = "submitted", **facts
) -> Aggregation:
    """An aggregation of the market "tso" with these members in each service, its whole response at one node."""
    agents = dict.fromkeys(("market_agent", "dispatch_agent", "meter_reader"), world.aggregator)
    services = services or ("energy",)
    with acting(None, REASON):
        made = Aggregation.objects.create(
            **{"aggregator": world.aggregator, "tso": world.tso, "name": name, "services": [*services], "stated_on": date(2026, 1, 1)}
            | agents
            | facts
        )
        AggregationPnode.objects.create(aggregation=made, pnode=world.tso.pnodes.first(), factor=1, valid_during=ALWAYS)
        AggregationMember.objects.bulk_create(
            AggregationMember(
                aggregation=made, der=der, service_id=service, aggregator=made.aggregator, edc=der.edc, wholesale=True, valid_during=ALWAYS
            )
            for der in ders
            for service in services
        )
        if status != "draft":
            Aggregation.objects.filter(pk=made.pk).update(status="submitted")
        made.refresh_from_db()
    return made
