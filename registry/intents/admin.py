"""Notices of intent in the workplace: read here; the parties write on the pages of the portal."""

from django.contrib import admin

from moc.admin import RecordAdmin
from moc.admin.filters import ScopedFilter
from registry.intents.models import IntentNotice, IntentPoint


@admin.register(IntentNotice)
class IntentNoticeAdmin(RecordAdmin):
    list_display = ("title", "status", "row_count", "aggregator", "edc", "due_at", "created_at")
    list_filter = ("status", ("edc", ScopedFilter), ("aggregator", ScopedFilter))
    list_select_related = ("aggregator", "edc")
    search_fields = ("=uuid",)


@admin.register(IntentPoint)
class IntentPointAdmin(RecordAdmin):
    hidden = ("account_index", "data_key")
    list_display = ("reference", "status", "der_type", "nameplate_ac_kw", "usage_point_id", "service_point", "notice")
    list_filter = ("status", ("edc", ScopedFilter), ("aggregator", ScopedFilter))
    list_select_related = ("notice", "service_point")
