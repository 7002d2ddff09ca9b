"""Reconfigurations in the workplace: read here; they are prepared and carried out on the pages of the portal."""

from django.contrib import admin

from moc.admin import RecordAdmin
from moc.admin.filters import ScopedFilter
from registry.reconfigurations.models import FormerConnection, Reconfiguration


@admin.register(Reconfiguration)
class ReconfigurationAdmin(RecordAdmin):
    list_display = ("reason", "status", "starts_on", "point_count", "der_count", "edc", "done_at")
    list_filter = ("status", ("edc", ScopedFilter))
    list_select_related = ("edc",)
    search_fields = ("=uuid",)


@admin.register(FormerConnection)
class FormerConnectionAdmin(RecordAdmin):
    list_display = ("service_point", "feeder", "transformer", "pnode", "valid_during", "recorded_at", "edc")
    list_filter = (("edc", ScopedFilter),)
    list_select_related = ("service_point", "feeder", "transformer", "pnode", "edc")
    search_fields = ("=service_point__usage_point_id",)
