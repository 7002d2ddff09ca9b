"""Take-outs by what is known of them."""

from django.contrib import admin

from moc.admin import RecordAdmin
from moc.admin.filters import ScopedFilter
from moc.takeouts.models import Takeout


@admin.register(Takeout)
class TakeoutAdmin(RecordAdmin):
    section = "Take-outs"
    list_display = ("organization", "purpose", "plain", "requested_by", "row_count", "created_at", "expires_at")
    list_filter = ("plain", ("organization", ScopedFilter))
    list_select_related = ("organization", "requested_by")
    search_fields = ("=uuid",)
    search_help_text = "The take-out's id"
