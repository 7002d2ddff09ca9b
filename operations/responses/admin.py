"""Responses to outages in the workplace: read here, chosen on the pages of the portal."""

from django.contrib import admin

from moc.admin import RecordAdmin
from moc.admin.filters import ScopedFilter
from operations.responses.models import OutageResponse


@admin.register(OutageResponse)
class OutageResponseAdmin(RecordAdmin):
    list_display = ("aggregation", "kind", "status", "lost_up_kw", "regained_up_kw", "chosen_at", "aggregator", "edc", "tso")
    list_filter = ("kind", "status", ("edc", ScopedFilter), ("aggregator", ScopedFilter))
    list_select_related = ("aggregation", "aggregator", "edc", "tso")
    search_fields = ("=uuid", "=outage__uuid")
