"""Filters of registrations and suspensions, for the portal and the API."""

import django_filters

from moc.portal.filters import PartyFilter, ScopedFilterSet
from registry.aggregators.models import AggregatorRegistration, Suspension


class RegistrationFilterSet(ScopedFilterSet):
    """Registrations by status."""

    status = django_filters.ChoiceFilter(choices=AggregatorRegistration.Status.choices, label="Status")


class SuspensionFilterSet(ScopedFilterSet):
    """Suspensions by status, level and aggregator."""

    party_filters = {"aggregator": "aggregator"}

    status = django_filters.ChoiceFilter(choices=Suspension.Status.choices, label="Status")
    level = django_filters.ChoiceFilter(choices=Suspension.Level.choices, label="Level")
    aggregator = PartyFilter(field_name="aggregator_id", label="Aggregator")
