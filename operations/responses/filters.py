"""Filters of responses to outages."""

import django_filters

from moc.portal.filters import IdFilter, PartyFilter, ScopedFilterSet
from operations.responses.models import OutageResponse


class ResponseFilterSet(ScopedFilterSet):
    """Responses by answer, status, outage and party."""

    party_filters = {"edc": "edc", "aggregator": "aggregator"}

    kind = django_filters.ChoiceFilter(choices=OutageResponse.Kind.choices, label="Answer")
    status = django_filters.ChoiceFilter(choices=OutageResponse.Status.choices, label="Status")
    outage = IdFilter(field_name="outage__uuid", label="Outage")
    edc = PartyFilter(field_name="edc_id", label="Utility")
    aggregator = PartyFilter(field_name="aggregator_id", label="Aggregator")
