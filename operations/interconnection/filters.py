"""Filters of studies and of settings read back."""

import django_filters
from django.db.models import QuerySet

from moc.portal.filters import PartyFilter, ScopedFilterSet
from operations.interconnection.models import InterconnectionStudy, SettingsReadback
from registry.ders.filters import DerFilter


class StudyFilterSet(ScopedFilterSet):
    """Studies by status, feeder and utility."""

    party_filters = {"edc": "edc"}

    status = django_filters.ChoiceFilter(choices=InterconnectionStudy.Status.choices, label="Status")
    feeder = django_filters.CharFilter(field_name="feeder__code", label="Feeder", max_length=40)
    edc = PartyFilter(field_name="edc_id", label="Utility")


class ReadbackFilterSet(ScopedFilterSet):
    """What was read back, by DER and parties."""

    party_filters = {"aggregator": "aggregator", "edc": "edc"}

    der = DerFilter()
    as_issued = django_filters.BooleanFilter(method="held", label="As issued")
    source = django_filters.ChoiceFilter(choices=SettingsReadback.Source.choices, label="Read by")
    aggregator = PartyFilter(field_name="aggregator_id", label="Aggregator")
    edc = PartyFilter(field_name="edc_id", label="Utility")

    def held(self, rows: QuerySet, name: str, value: bool) -> QuerySet:
        """Those in which nothing differs from what was issued; or the others."""
        return rows.filter(differences=[]) if value else rows.exclude(differences=[])
