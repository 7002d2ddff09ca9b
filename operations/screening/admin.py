"""Screens in the workplace: read here, moved on the pages of the portal."""

from django.contrib import admin

from moc.admin import RecordAdmin
from moc.admin.filters import ScopedFilter
from operations.screening.models import ReviewScreen, ScreenFinding


@admin.register(ReviewScreen)
class ReviewScreenAdmin(RecordAdmin):
    list_display = ("review", "feeder", "status", "row_count", "short_count", "computed_at", "edc")
    list_filter = ("status", ("edc", ScopedFilter))
    list_select_related = ("review__submission", "review__edc", "feeder", "edc")
    search_fields = ("=uuid",)


@admin.register(ScreenFinding)
class ScreenFindingAdmin(RecordAdmin):
    list_display = ("row", "direction", "filed_kw", "limit_kw", "month", "hour", "binds", "aggregator", "edc")
    list_filter = ("direction", "binds", ("edc", ScopedFilter), ("aggregator", ScopedFilter))
    list_select_related = ("row", "aggregator", "edc")
