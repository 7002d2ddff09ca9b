"""Snapshots in the workplace: who took which, under which seal."""

from django.contrib import admin

from moc.admin import RecordAdmin
from moc.admin.filters import ScopedFilter
from moc.snapshots.models import Snapshot


@admin.register(Snapshot)
class SnapshotAdmin(RecordAdmin):
    section = "Seals"
    list_display = ("moment", "valid_on", "organization", "format", "seal", "requested_by", "row_count", "created_at", "expires_at")
    list_filter = ("format", ("organization", ScopedFilter))
    list_select_related = ("organization", "requested_by", "seal")
    search_fields = ("=uuid",)
    search_help_text = "The snapshot's id"
