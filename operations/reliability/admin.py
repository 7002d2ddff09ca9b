"""Reliability findings in the workplace: read here, moved on the pages of the portal."""

from django.contrib import admin

from moc.admin import RecordAdmin
from moc.admin.filters import ScopedFilter
from operations.reliability.models import ReliabilityFinding


@admin.register(ReliabilityFinding)
class ReliabilityFindingAdmin(RecordAdmin):
    list_display = ("der", "rule", "status", "count", "first_at", "last_at", "aggregator", "edc")
    list_filter = ("rule", "status", ("edc", ScopedFilter), ("aggregator", ScopedFilter))
    list_select_related = ("der", "aggregator", "edc")
    search_fields = ("=uuid", "=der__uuid")
