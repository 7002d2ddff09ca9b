"""Transformer alarms in the workplace: read here, moved on the pages of the portal."""

from django.contrib import admin

from moc.admin import RecordAdmin
from moc.admin.filters import ScopedFilter
from operations.deferral.models import TransformerAlarm


@admin.register(TransformerAlarm)
class TransformerAlarmAdmin(RecordAdmin):
    list_display = ("transformer", "day", "status", "rated_kva", "peak_kw", "covered_kw", "over_kwh", "edc")
    list_filter = ("status", ("edc", ScopedFilter))
    list_select_related = ("transformer", "edc")
    search_fields = ("=uuid", "=transformer__code")
