"""Filters of interfaces, their readings and what is deliverable through them."""

import django_filters

from moc.portal.filters import PartyFilter, ScopedFilterSet
from operations.coordination.models import LineEvent


class InterfaceFilterSet(ScopedFilterSet):
    """Interfaces by code and utility."""

    party_filters = {"edc": "edc"}

    code = django_filters.CharFilter(label="Code", max_length=40)
    edc = PartyFilter(field_name="edc_id", label="Utility")


class ResultFilterSet(ScopedFilterSet):
    """Results by interface and utility."""

    party_filters = {"edc": "edc"}

    interface = django_filters.CharFilter(field_name="td_interface__code", label="Interface", max_length=40)
    edc = PartyFilter(field_name="edc_id", label="Utility")


class LineEventFilterSet(ScopedFilterSet):
    """Events of lines by status, kind and line."""

    status = django_filters.ChoiceFilter(choices=LineEvent.Status.choices, label="Status")
    kind = django_filters.ChoiceFilter(choices=LineEvent.Kind.choices, label="Kind")
    line = django_filters.CharFilter(field_name="line__code", label="Line", max_length=40)
