"""Filters of envelope policies, for the portal and the API."""

import django_filters

from moc.portal.filters import PartyFilter, ScopedFilterSet
from operations.envelopes.models import EnvelopePolicy


class PolicyFilterSet(ScopedFilterSet):
    """Policies by feeder, method and utility."""

    party_filters = {"edc": "edc"}

    feeder = django_filters.CharFilter(field_name="feeder__code", label="Feeder", help_text="the utility's code")
    method = django_filters.ChoiceFilter(label="Method", choices=EnvelopePolicy.Method.choices)
    edc = PartyFilter(field_name="edc_id", label="Utility")
