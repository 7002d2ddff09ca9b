"""Filters of consents and of personal use."""

import django_filters

from moc.portal.filters import PartyFilter, ScopedFilterSet
from registry.customers.models import PersonalUse
from registry.ders.filters import DerFilter
from registry.participants.models import Consent


class ConsentFilterSet(ScopedFilterSet):
    """Consents by status and aggregator."""

    party_filters = {"aggregator": "aggregator"}

    status = django_filters.ChoiceFilter(choices=Consent.Status.choices, label="Status")
    aggregator = PartyFilter(field_name="aggregator_id", label="Aggregator")


class PersonalUseFilterSet(ScopedFilterSet):
    """Personal use by kind, by DER, and what stands."""

    kind = django_filters.ChoiceFilter(choices=PersonalUse.Kind.choices, label="Kind")
    der = DerFilter()
    standing = django_filters.BooleanFilter(field_name="ended_at", lookup_expr="isnull", label="Not taken back")
