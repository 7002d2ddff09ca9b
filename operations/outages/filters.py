"""Filters of outages, grid events and the operational log."""

import django_filters
from django.db.models import Q, QuerySet

from moc.portal.filters import PartyFilter, ScopedFilterSet
from moc.portal.paging import Sort
from operations.outages.models import DerOutage, GridEvent, LogEntry
from registry.ders.filters import DerFilter

BY_TIME = (Sort("-at", ("-at", "-id")), Sort("at", ("at", "id")))


class OutageFilterSet(ScopedFilterSet):
    """Outages by status, cause, DER and party."""

    party_filters = {"edc": "edc", "aggregator": "aggregator"}

    status = django_filters.ChoiceFilter(choices=DerOutage.Status.choices, label="Status")
    kind = django_filters.ChoiceFilter(choices=DerOutage.Kind.choices, label="Kind")
    cause = django_filters.ChoiceFilter(choices=DerOutage.Cause.choices, label="Cause")
    der = DerFilter()
    edc = PartyFilter(field_name="edc_id", label="Utility")
    aggregator = PartyFilter(field_name="aggregator_id", label="Aggregator")


class EventFilterSet(ScopedFilterSet):
    """Grid events by status, kind, feeder and utility."""

    party_filters = {"edc": "edc"}

    status = django_filters.ChoiceFilter(choices=GridEvent.Status.choices, label="Status")
    kind = django_filters.ChoiceFilter(choices=GridEvent.Kind.choices, label="Kind")
    feeder = django_filters.CharFilter(field_name="feeder__code", label="Feeder", max_length=40)
    edc = PartyFilter(field_name="edc_id", label="Utility")


class LogFilterSet(ScopedFilterSet):
    """Log rows by act, days, feeder and parties."""

    party_filters = {"edc": "edc", "aggregator": "aggregator", "tso": "tso"}

    act = django_filters.ChoiceFilter(choices=list(LogEntry.ACTS.items()), label="Act")
    since = django_filters.DateFilter(field_name="at", lookup_expr="date__gte", label="From", help_text="a day")
    until = django_filters.DateFilter(field_name="at", lookup_expr="date__lte", label="Until", help_text="a day")
    feeder = django_filters.CharFilter(method="of_feeder", label="Feeder", max_length=40)
    about = django_filters.CharFilter(field_name="subject", lookup_expr="icontains", label="What", max_length=100)
    edc = PartyFilter(field_name="edc_id", label="Utility")
    aggregator = PartyFilter(field_name="aggregator_id", label="Aggregator")
    tso = PartyFilter(field_name="tso_id", label="RTO")

    def of_feeder(self, rows: QuerySet, name: str, code: str) -> QuerySet:
        """Acts on a feeder, and those that touched DERs of several, of which it is one."""
        return rows.filter(Q(feeder__code=code) | Q(after__feeders__contains=[code]) | Q(before__feeders__contains=[code]))
