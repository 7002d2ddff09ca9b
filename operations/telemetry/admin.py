"""Telemetry in the workplace: read only; readings come in by the API."""

from django.contrib import admin

from moc.admin import RecordAdmin
from moc.admin.filters import ScopedFilter
from operations.telemetry.models import DerState, Reading


@admin.register(Reading)
class ReadingAdmin(RecordAdmin):
    list_display = ("der", "event_at", "published_at", "p_kw", "soc_percent", "operating", "source", "quality", "edc")
    list_filter = ("operating", "quality", ("edc", ScopedFilter))
    list_select_related = ("der", "edc")
    search_fields = ("=der__uuid",)


@admin.register(DerState)
class DerStateAdmin(RecordAdmin):
    list_display = ("der", "event_at", "stale_at", "p_kw", "soc_percent", "up_kw", "down_kw", "operating", "aggregator", "edc")
    list_filter = ("operating", "quality", ("edc", ScopedFilter), ("aggregator", ScopedFilter))
    list_select_related = ("der", "edc", "aggregator")
    search_fields = ("=der__uuid", "=der__external_id")
