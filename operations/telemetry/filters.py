"""Filters of states, for the portal and the API."""

import django_filters

from moc.portal.filters import PartyFilter, ScopedFilterSet
from operations.telemetry.models import DerState
from registry.aggregations.models import AggregationMember
from registry.ders.choices import DerType


class StateFilterSet(ScopedFilterSet):
    """DERs' states by readiness, technology, feeder, DER, aggregation and party."""

    party_filters = {"edc": "edc", "aggregator": "aggregator"}

    readiness = django_filters.ChoiceFilter(label="Readiness", choices=DerState.Readiness.choices, method="of_readiness")
    der_type = django_filters.ChoiceFilter(field_name="der__der_type", label="Technology", choices=DerType.choices)
    feeder = django_filters.CharFilter(field_name="der__feeder__code", label="Feeder", help_text="the utility's code", max_length=40)
    der = django_filters.UUIDFilter(field_name="der__uuid", label="DER id")
    aggregation = django_filters.UUIDFilter(method="of_aggregation", label="Aggregation id")
    edc = PartyFilter(field_name="edc_id", label="Utility")
    aggregator = PartyFilter(field_name="aggregator_id", label="Aggregator")

    def of_readiness(self, rows, name, value):
        """Heard of and delivering, heard of and not, or not heard of."""
        return rows.with_readiness(value)

    def of_aggregation(self, rows, name, value):
        """DERs that are members of an aggregation."""
        return rows.filter(der__in=AggregationMember.objects.filter(aggregation__uuid=value).values("der"))
