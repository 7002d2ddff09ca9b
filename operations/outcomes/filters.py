"""Filters of outcomes, for the portal and the API."""

from datetime import datetime, time, timedelta

import django_filters
from django.utils import timezone

from moc.portal.filters import PartyFilter, ScopedFilterSet
from operations.outcomes import reports

BEYOND = (("yes", "Some went beyond"), ("no", "None went beyond"))


class OutcomeFilterSet(ScopedFilterSet):
    """Outcomes by feeder, day, set, conduct and party."""

    party_filters = {"edc": "edc", "aggregator": "aggregator"}

    feeder = django_filters.CharFilter(field_name="feeder__code", label="Feeder", help_text="the utility's code", max_length=40)
    day = django_filters.DateFilter(label="Day", method="on_day", help_text="on which the set was in force")
    number = django_filters.NumberFilter(label="Set", help_text="its number on the feeder", min_value=1, max_value=2**31 - 1)
    beyond = django_filters.ChoiceFilter(choices=BEYOND, label="Kept to it", method="went_beyond")
    der = django_filters.UUIDFilter(label="DER id", method="of_der", help_text="sets that held it")
    edc = PartyFilter(field_name="edc_id", label="Utility")
    aggregator = PartyFilter(field_name="aggregator_id", label="Aggregator")

    def on_day(self, rows, name, value):
        """Sets that were in force on a local day."""
        first, last = (timezone.make_aware(datetime.combine(value + timedelta(days=n), time.min)) for n in range(2))
        return rows.filter(starts_at__lt=last, ends_at__gt=first)

    def of_der(self, rows, name, value):
        """Outcomes that tell of a DER, of the feeders on which its service point is and was."""
        return rows.filter(feeder__in=reports.feeders_of(value), figures__contains=[[str(value)]])

    def went_beyond(self, rows, name, value):
        """Sets beyond which some DER went; or none of those heard of."""
        return rows.filter(beyond__gt=0) if value == "yes" else rows.filter(beyond=0, heard__gt=0)
