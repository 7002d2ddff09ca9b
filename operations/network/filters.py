"""Filters of networks, for the portal and the API."""

import django_filters

from moc.portal.filters import PartyFilter, ScopedFilterSet
from operations.network.models import NetworkVersion


class NetworkFilterSet(ScopedFilterSet):
    """Networks by feeder, status and utility."""

    party_filters = {"edc": "edc"}

    feeder = django_filters.CharFilter(field_name="feeder__code", label="Feeder", help_text="the utility's code")
    status = django_filters.ChoiceFilter(label="Status", choices=NetworkVersion.Status.choices)
    edc = PartyFilter(field_name="edc_id", label="Utility")
