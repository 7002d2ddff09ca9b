"""Filters of contacts."""

import django_filters

from moc.portal.filters import ScopedFilterSet
from registry.participants.models import Contact


class ContactFilterSet(ScopedFilterSet):
    """Contacts by organisation, purpose and day."""

    organization = django_filters.CharFilter(field_name="organization__slug", label="Organization", help_text="the organisation's slug")
    purpose = django_filters.ChoiceFilter(choices=Contact.Purpose.choices, label="Purpose")
    on = django_filters.DateFilter(field_name="valid_during", lookup_expr="contains", label="On", help_text="a day")
