"""The access log in the workplace: read, filtered and exported there."""

from django.contrib import admin

from moc.accesslog.models import AccessEntry, ExportEntry
from moc.admin import RecordAdmin
from moc.admin.filters import ScopedFilter


@admin.register(AccessEntry)
class AccessEntryAdmin(RecordAdmin):
    section = "Access log"
    list_display = ("at", "actor", "holder", "filed_by", "record", "purpose", "note")
    list_filter = ("purpose", ("holder", ScopedFilter), ("filed_by", ScopedFilter))
    list_select_related = ("actor", "holder", "filed_by")
    search_fields = ("=subject",)
    search_help_text = "The person's key"


@admin.register(ExportEntry)
class ExportEntryAdmin(RecordAdmin):
    section = "Access log"
    list_display = ("at", "actor", "organization", "holder", "what", "format", "row_count", "complete", "as_of")
    list_filter = ("format", "complete", ("organization", ScopedFilter), ("holder", ScopedFilter))
    list_select_related = ("actor", "organization", "holder")
    search_fields = ("=address",)
    search_help_text = "The address at which it was asked for"
