"""Rules on aggregations, for each service that they seek: on what their members bring to it."""

from django.db.models import F, Q

from moc.rulesets.kinds import SINGLE_NODE
from registry.prequalification.rules import numbers
from registry.prequalification.rules.base import OFFERS, on

PARTY = "market_id"


@on(
    OFFERS,
    "PQ-AGG-EMPTY",
    remedy="Add DERs for this service.",
    columns=("der_count",),
    cites="FERC Order 2222 ¶236: the list of individual resources",
)
def empty() -> Q:
    """No DER of the aggregation offers this service today."""
    return Q(der_count=0)


@on(
    OFFERS,
    "PQ-AGG-SMALL",
    keys=("min_aggregation_kw",),
    remedy="Add DERs.",
    columns=("capacity_kw",),
    cites="The market's minimum size; FERC Order 2222 ¶171: at most 100 kW",
)
def small() -> Q:
    """The aggregation is smaller than the market's minimum for a service."""
    return Q(capacity_kw__lt=numbers.current().limit("min_aggregation_kw", PARTY))


@on(
    OFFERS,
    "PQ-AGG-INJECTION",
    keys=("max_aggregation_injection_kw",),
    remedy="Split the aggregation.",
    columns=("injection_kw",),
    cites="The market's limit on injection",
)
def injection() -> Q:
    """The aggregation may inject more than the market accepts."""
    return Q(injection_kw__gt=numbers.current().limit("max_aggregation_injection_kw", PARTY))


@on(
    OFFERS,
    "PQ-AGG-NODES",
    keys=("location_scope",),
    remedy="Make one aggregation for each node.",
    columns=("node_count",),
    cites="The market's locational requirement; FERC Order 2222 ¶204",
)
def nodes() -> Q:
    """The members lie at several nodes, and the market asks for one."""
    return Q(node_count__gt=1) & numbers.current().where("location_scope", PARTY, lambda scope: scope in SINGLE_NODE)


@on(
    OFFERS,
    "PQ-AGG-MULTINODE",
    keys=("max_multinode_kw",),
    remedy="Split the aggregation, or keep it at one node.",
    columns=("capacity_kw",),
    cites="The market's cap on aggregations of several nodes",
)
def multinode() -> Q:
    """The aggregation spans several nodes and is larger than the market's cap on that."""
    return Q(node_count__gt=1, capacity_kw__gt=numbers.current().limit("max_multinode_kw", PARTY))


@on(
    OFFERS,
    "PQ-AGG-FACTORS",
    remedy="Give the share of the response at each pricing node.",
    columns=("factor_count",),
    cites="FERC Order 2222 ¶225: total response by pricing node",
)
def factors() -> Q:
    """The members lie at more nodes than the aggregation has distribution factors for."""
    return Q(node_count__gt=1, factor_count__lt=F("node_count"))


@on(
    OFFERS,
    "PQ-AGG-FOREIGN",
    remedy="Leave those DERs out.",
    columns=("foreign_count",),
    cites="FERC Order 2222 ¶114, ¶204: resources of the market's own footprint",
)
def foreign() -> Q:
    """Some members are connected to utilities of another market."""
    return Q(foreign_count__gt=0)


@on(
    OFFERS,
    "PQ-AGG-MEMBERS",
    remedy="Leave those DERs out of this service, or mend what they break.",
    columns=("barred_count",),
    cites="FERC Order 2222 ¶292: each DER is capable of participation",
)
def members() -> Q:
    """Some members do not qualify for this service."""
    return Q(barred_count__gt=0)


@on(
    OFFERS,
    "PQ-AGG-SERVICE",
    keys=("market_services",),
    remedy="Seek services that the market buys.",
    columns=("service",),
    cites="FERC Order 2222 ¶130: services that resources are technically capable of",
)
def service() -> Q:
    """The market does not buy this service."""
    law, found = numbers.current(), Q(pk__in=[])
    for services, markets in law.by_value("market_services", PARTY).values():
        found |= Q(market_id__in=markets, aggregation__tso_id=F("market_id")) & ~Q(service__in=services)
    return found


@on(
    OFFERS,
    "PQ-AGG-MODEL",
    keys=("participation_models",),
    remedy="Choose one of the market's participation models.",
    columns=("service",),
    cites="FERC Order 2222 ¶130: one or more participation models",
)
def model() -> Q:
    """The participation model is none of the market's."""
    law, found = numbers.current(), Q(pk__in=[])
    for models, markets in law.by_value("participation_models", PARTY).values():
        found |= Q(market_id__in=markets, aggregation__tso_id=F("market_id")) & ~Q(aggregation__participation_model__in=list(models))
    return found


@on(
    OFFERS,
    "PQ-AGG-UNSTATED",
    remedy="State its limits and ramps again.",
    columns=("capacity_kw",),
    cites="FERC Order 2222 ¶338: performance is restated where changes of members change it",
)
def unstated() -> Q:
    """The aggregation has not stated its operating limits."""
    return Q(aggregation__stated_on=None, aggregation__tso_id=F("market_id"))
