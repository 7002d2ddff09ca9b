"""Networks in the workplace: read here; they are loaded and approved on the pages of the portal."""

from django.contrib import admin

from moc.admin import RecordAdmin
from moc.admin.filters import ScopedFilter
from operations.network.models import NetworkArrays, NetworkElement, NetworkFinding, NetworkPoint, NetworkVersion


@admin.register(NetworkVersion)
class NetworkVersionAdmin(RecordAdmin):
    list_display = ("feeder", "status", "source", "document", "node_count", "point_count", "edc", "created_at")
    list_filter = ("status", "source", ("edc", ScopedFilter))
    list_select_related = ("feeder", "document", "edc")
    search_fields = ("=uuid", "=feeder__code")


class OfVersionAdmin(RecordAdmin):
    """Rows of versions, found by a whole name."""

    list_filter = (("edc", ScopedFilter),)
    list_select_related = ("version__feeder", "version__document", "edc")
    search_fields = ("=name",)


@admin.register(NetworkElement)
class NetworkElementAdmin(OfVersionAdmin):
    list_display = ("name", "kind", "from_bus", "to_bus", "phases", "rated_a", "loading_percent", "edc")


@admin.register(NetworkPoint)
class NetworkPointAdmin(OfVersionAdmin):
    list_display = ("name", "bus", "phases", "load_kw", "voltage_pu", "service_point", "edc")
    list_select_related = ("service_point", "edc")


@admin.register(NetworkFinding)
class NetworkFindingAdmin(OfVersionAdmin):
    list_display = ("element", "code", "severity", "value", "edc")
    search_fields = ("=element", "=code")


@admin.register(NetworkArrays)
class NetworkArraysAdmin(OfVersionAdmin):
    list_display = ("version", "edc")
    search_fields = ("=version__uuid",)
    exclude = ("content",)
