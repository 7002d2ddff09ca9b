"""Telemetry in the workplace: read only; readings come in by the API."""

from django.contrib import admin

from moc.admin import RecordAdmin
from moc.admin.filters import ScopedFilter
from operations.telemetry.models import SUBJECTS, DerState, Reading, SubjectReading, SubjectState, TelemetryCheck


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


@admin.register(SubjectReading)
class SubjectReadingAdmin(RecordAdmin):
    list_display = (*SUBJECTS, "event_at", "published_at", "p_kw", "voltage_pu", "source", "quality", "edc")
    list_filter = ("quality", ("edc", ScopedFilter))
    list_select_related = (*SUBJECTS, "edc")
    search_fields = ("=feeder__code", "=transformer__code", "=td_interface__code", "=aggregation__name")


@admin.register(SubjectState)
class SubjectStateAdmin(RecordAdmin):
    list_display = (*SUBJECTS, "event_at", "stale_at", "p_kw", "voltage_pu", "aggregator", "edc")
    list_filter = ("quality", ("edc", ScopedFilter), ("aggregator", ScopedFilter))
    list_select_related = (*SUBJECTS, "edc", "aggregator")
    search_fields = ("=feeder__code", "=transformer__code", "=td_interface__code", "=aggregation__name")


@admin.register(TelemetryCheck)
class TelemetryCheckAdmin(RecordAdmin):
    list_display = (
        "day",
        "der",
        "aggregation",
        "cadence_s",
        "owed",
        "delivered",
        "missing",
        "late",
        "incomplete",
        "differing",
        "aggregator",
    )
    list_filter = ("day", ("edc", ScopedFilter), ("aggregator", ScopedFilter))
    list_select_related = ("der", "aggregation", "aggregator")
    search_fields = ("=der__uuid", "=aggregation__name")
