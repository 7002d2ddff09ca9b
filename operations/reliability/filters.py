"""Filters of reliability findings."""

import django_filters

from moc.portal.filters import PartyFilter, ScopedFilterSet
from operations.reliability.models import ReliabilityFinding
from registry.ders.filters import DerFilter


class FindingFilterSet(ScopedFilterSet):
    """Findings by status, rule, DER and party."""

    party_filters = {"edc": "edc", "aggregator": "aggregator"}

    status = django_filters.ChoiceFilter(choices=ReliabilityFinding.Status.choices, label="Status")
    rule = django_filters.ChoiceFilter(choices=ReliabilityFinding.Rule.choices, label="What")
    der = DerFilter()
    edc = PartyFilter(field_name="edc_id", label="Utility")
    aggregator = PartyFilter(field_name="aggregator_id", label="Aggregator")
