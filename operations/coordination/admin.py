"""T-D coordination in the workplace: read here, written by the portal and by programs."""

from django.contrib import admin

from moc.admin import RecordAdmin
from moc.admin.filters import ScopedFilter
from operations.coordination.models import DeliverabilityRun, InterfaceLimit, InterfaceResult, LineEvent, LineTouched, MonitoredLine


@admin.register(InterfaceLimit)
class InterfaceLimitAdmin(RecordAdmin):
    list_display = ("td_interface", "import_kw", "export_kw", "source", "edc", "tso")
    list_filter = (("edc", ScopedFilter),)
    list_select_related = ("td_interface", "edc", "tso")
    search_fields = ("=td_interface__code",)


@admin.register(MonitoredLine)
class MonitoredLineAdmin(RecordAdmin):
    list_display = ("code", "flow_kw", "limit_kw", "tso")
    list_filter = (("tso", ScopedFilter),)
    list_select_related = ("tso",)
    search_fields = ("=code",)


@admin.register(DeliverabilityRun)
class DeliverabilityRunAdmin(RecordAdmin):
    list_display = ("at", "status", "seconds", "tso", "created_at")
    list_filter = ("status", ("tso", ScopedFilter))
    list_select_related = ("tso",)
    search_fields = ("=uuid",)


@admin.register(InterfaceResult)
class InterfaceResultAdmin(RecordAdmin):
    list_display = ("td_interface", "at", "capable_up_kw", "deliverable_up_kw", "capable_down_kw", "deliverable_down_kw", "edc", "tso")
    list_filter = (("edc", ScopedFilter),)
    list_select_related = ("td_interface", "edc", "tso")
    search_fields = ("=run__uuid", "=td_interface__code")


@admin.register(LineEvent)
class LineEventAdmin(RecordAdmin):
    list_display = ("line", "kind", "status", "capacity_percent", "starts_at", "expected_until", "tso")
    list_filter = ("status", "kind", ("tso", ScopedFilter))
    list_select_related = ("line", "tso")
    search_fields = ("=uuid", "=line__code")


@admin.register(LineTouched)
class LineTouchedAdmin(RecordAdmin):
    list_display = ("event", "td_interface", "aggregator", "der_count", "kw", "edc", "tso")
    list_filter = (("edc", ScopedFilter), ("tso", ScopedFilter))
    list_select_related = ("event__line", "td_interface", "aggregator", "edc", "tso")
    search_fields = ("=event__uuid", "=td_interface__code")
