"""Forecasts and meter data in the workplace: read only."""

from django.contrib import admin

from moc.admin import RecordAdmin
from moc.admin.filters import ScopedFilter
from operations.forecasts.models import Forecast, MeterDay


@admin.register(Forecast)
class ForecastAdmin(RecordAdmin):
    list_display = ("feeder", "day", "kind", "published_at", "known_until", "edc")
    list_filter = ("kind", ("edc", ScopedFilter))
    list_select_related = ("feeder", "edc")
    search_fields = ("=feeder__code",)


@admin.register(MeterDay)
class MeterDayAdmin(RecordAdmin):
    list_display = ("service_point", "day", "minutes", "source", "published_at", "edc")
    list_filter = ("source", ("edc", ScopedFilter))
    list_select_related = ("service_point", "edc")
    search_fields = ("=service_point__usage_point_id",)
