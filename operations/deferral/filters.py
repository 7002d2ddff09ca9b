"""Filters of transformer alarms."""

import django_filters

from moc.portal.filters import PartyFilter, ScopedFilterSet
from operations.deferral.models import TransformerAlarm


class AlarmFilterSet(ScopedFilterSet):
    """Alarms by status, day, feeder and utility."""

    party_filters = {"edc": "edc"}

    status = django_filters.ChoiceFilter(choices=TransformerAlarm.Status.choices, label="Status")
    day = django_filters.DateFilter(label="Day")
    feeder = django_filters.CharFilter(field_name="feeder__code", label="Feeder", max_length=40)
    edc = PartyFilter(field_name="edc_id", label="Utility")
