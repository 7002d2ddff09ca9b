"""Studies and settings in the workplace: read here, moved on the pages of the portal."""

from django.contrib import admin

from moc.admin import RecordAdmin
from moc.admin.filters import ScopedFilter
from operations.interconnection.models import InterconnectionStudy, SettingsReadback


@admin.register(InterconnectionStudy)
class InterconnectionStudyAdmin(RecordAdmin):
    list_display = ("title", "feeder", "bus", "status", "rated_kw", "firm_export_kw", "flexible_export_kw", "curtailed_percent", "edc")
    list_filter = ("status", "technology", ("edc", ScopedFilter))
    list_select_related = ("feeder", "edc")
    search_fields = ("=uuid",)


@admin.register(SettingsReadback)
class SettingsReadbackAdmin(RecordAdmin):
    list_display = ("der", "at", "source", "told_at", "aggregator", "edc")
    list_filter = ("source", ("edc", ScopedFilter), ("aggregator", ScopedFilter))
    list_select_related = ("der", "aggregator", "edc")
