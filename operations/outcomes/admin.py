"""Outcomes of envelopes in the workplace: read here, made by the platform."""

from django.contrib import admin

from moc.admin import RecordAdmin
from moc.admin.filters import ScopedFilter
from operations.outcomes.models import EnvelopeOutcome


@admin.register(EnvelopeOutcome)
class EnvelopeOutcomeAdmin(RecordAdmin):
    list_display = ("feeder", "number", "starts_at", "ends_at", "ders", "beyond", "curtailed_export_kwh", "operator_export_kwh")
    list_display += ("curtailed_import_kwh", "operator_import_kwh", "aggregator", "edc")
    list_filter = (("edc", ScopedFilter), ("aggregator", ScopedFilter))
    list_select_related = ("feeder", "aggregator", "edc")
    search_fields = ("=uuid", "=run__uuid", "=feeder__code")
    exclude = ("figures", "series")
