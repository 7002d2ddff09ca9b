"""Envelopes in the workplace: policies are kept here; runs and sets are read here and moved on the pages of the portal."""

from django.contrib import admin

from moc.admin import RecordAdmin, ReferenceAdmin
from moc.admin.filters import ScopedFilter
from operations.envelopes.models import EnvelopeBlock, EnvelopePoint, EnvelopePolicy, EnvelopeReceipt, EnvelopeRun


@admin.register(EnvelopePolicy)
class EnvelopePolicyAdmin(ReferenceAdmin):
    write_permission = "manage_grid"
    list_display = ("edc", "feeder", "method", "robust", "auto_publish")
    list_filter = (("edc", ScopedFilter), "method")
    list_select_related = ("edc", "feeder")
    raw_id_fields = ("feeder",)


@admin.register(EnvelopeRun)
class EnvelopeRunAdmin(RecordAdmin):
    list_display = ("feeder", "starts_at", "ends_at", "status", "number", "point_count", "edc")
    list_filter = ("status", ("edc", ScopedFilter))
    list_select_related = ("feeder", "edc")
    search_fields = ("=uuid", "=feeder__code")


@admin.register(EnvelopeBlock)
class EnvelopeBlockAdmin(RecordAdmin):
    list_display = ("run", "bound", "unit_kw", "edc")
    list_filter = ("bound", ("edc", ScopedFilter))
    list_select_related = ("run__feeder", "edc")
    search_fields = ("=run__uuid",)
    exclude = ("limits", "reasons")


@admin.register(EnvelopePoint)
class EnvelopePointAdmin(RecordAdmin):
    list_display = ("der", "feeder", "aggregator", "edc", "published_at")
    list_filter = (("edc", ScopedFilter), ("aggregator", ScopedFilter))
    list_select_related = ("der", "feeder", "aggregator", "edc")
    search_fields = ("=der__uuid", "=der__external_id")


@admin.register(EnvelopeReceipt)
class EnvelopeReceiptAdmin(RecordAdmin):
    list_display = ("feeder_code", "number", "aggregator", "status", "changed", "sent_at", "acknowledged_at", "edc")
    list_filter = ("status", ("edc", ScopedFilter), ("aggregator", ScopedFilter))
    list_select_related = ("aggregator", "edc")
    search_fields = ("=uuid",)
