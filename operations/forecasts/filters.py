"""Filters of forecasts, for the portal and the API."""

import django_filters

from moc.portal.filters import MomentFilter, PartyFilter, ScopedFilterSet
from operations.forecasts.models import Forecast


class ForecastFilterSet(ScopedFilterSet):
    """Forecasts by feeder, day, kind, moment and utility."""

    party_filters = {"edc": "edc"}

    feeder = django_filters.CharFilter(field_name="feeder__code", label="Feeder", help_text="the utility's code", max_length=40)
    day = django_filters.DateFilter(label="Day")
    kind = django_filters.ChoiceFilter(choices=Forecast.Kind.choices, label="Kind")
    seen_at = MomentFilter(label="As it was seen at", method="as_seen", help_text="of each feeder and day the latest then")
    edc = PartyFilter(field_name="edc_id", label="Utility")

    def as_seen(self, rows, name, value):
        """Of each feeder and day what was the latest at a moment."""
        return rows.filter(pk__in=Forecast.objects.seen(value).values("pk"))
