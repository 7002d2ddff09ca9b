"""Outages, grid events and the operational log in the workplace: read here, told by forms and programs."""

from django.contrib import admin

from moc.admin import RecordAdmin
from moc.admin.filters import ScopedFilter
from operations.outages.models import DerOutage, GridEvent, LogEntry, TouchedDer


@admin.register(DerOutage)
class DerOutageAdmin(RecordAdmin):
    list_display = ("der", "kind", "cause", "status", "available_kw", "starts_at", "expected_until", "aggregator", "edc")
    list_filter = ("status", "kind", "cause", ("edc", ScopedFilter), ("aggregator", ScopedFilter))
    list_select_related = ("der", "aggregator", "edc")
    search_fields = ("=der__uuid", "=der__external_id")


@admin.register(GridEvent)
class GridEventAdmin(RecordAdmin):
    list_display = ("kind", "status", "feeder", "transformer", "td_interface", "element", "starts_at", "der_count", "edc")
    list_filter = ("status", "kind", ("edc", ScopedFilter))
    list_select_related = ("feeder", "transformer", "td_interface", "edc")
    search_fields = ("=uuid", "=element")


@admin.register(TouchedDer)
class TouchedDerAdmin(RecordAdmin):
    list_display = ("event", "der", "aggregator", "edc")
    list_filter = (("edc", ScopedFilter),)
    list_select_related = ("event__feeder", "event__transformer", "event__td_interface", "der", "aggregator", "edc")
    search_fields = ("=event__uuid", "=der__uuid")


@admin.register(LogEntry)
class LogEntryAdmin(RecordAdmin):
    list_display = ("at", "act", "subject", "reason", "actor", "edc", "aggregator")
    list_filter = ("act", ("edc", ScopedFilter))
    list_select_related = ("actor", "edc", "aggregator")
    search_fields = ("=event__uuid", "=outage__uuid", "subject")
