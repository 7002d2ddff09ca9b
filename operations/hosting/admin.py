"""Hosting capacity in the workplace: read here."""

from django.contrib import admin

from moc.admin import RecordAdmin
from moc.admin.filters import ScopedFilter
from operations.hosting.models import HostingMap, HostingNode


@admin.register(HostingMap)
class HostingMapAdmin(RecordAdmin):
    list_display = ("feeder", "window", "status", "node_count", "computed_at", "edc")
    list_filter = ("status", ("edc", ScopedFilter))
    list_select_related = ("feeder", "edc")
    search_fields = ("=uuid",)


@admin.register(HostingNode)
class HostingNodeAdmin(RecordAdmin):
    list_display = ("bus", "export_kw", "export_binds", "import_kw", "import_binds", "map", "edc")
    list_filter = (("edc", ScopedFilter),)
    list_select_related = ("map__feeder", "edc")
    search_fields = ("=bus",)
