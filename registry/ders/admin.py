"""The master record of DERs: read here, written by the decisions on filings."""

from django.contrib import admin

from moc.admin import RecordAdmin
from moc.admin.filters import ScopedFilter
from registry.ders.dictionary import by_group
from registry.ders.filters import FOUND_AT_MOST, called, matching_ids
from registry.ders.models import DECIDED, Der, DerTenure

RECORD = ["uuid", "status", "aggregator", "edc", "service_point", "feeder", "county", "owner", "registered_on"]
FACTS = {field.name for field in Der._meta.concrete_fields}


@admin.register(Der)
class DerAdmin(RecordAdmin):
    section = "DERs"
    headline = 1
    list_display = ("external_id", "der_type", "nameplate_ac_kw", "aggregator", "edc", "county", "status", "registered_on")
    list_filter = ("status", "der_type", ("edc", ScopedFilter), ("aggregator", ScopedFilter), ("county", ScopedFilter))
    list_select_related = ("aggregator", "edc", "county")
    search_fields = ("=uuid", "=external_id", "=serial_no", "premise_address")
    search_help_text = "DER id, the aggregator's id, serial number or address"
    fieldsets = [
        ("Record", {"fields": RECORD}),
        ("Limits set by the utility", {"fields": DECIDED}),
        *[(group, {"fields": [name for name in names if name in FACTS]}) for group, names in by_group().items() if FACTS & set(names)],
    ]

    def find(self, rows, term):
        """As the portal's list: each kind of name by its own index, the first few hundred."""
        return rows.filter(called(term), id__in=matching_ids(term)[:FOUND_AT_MOST])

    def called(self, term):
        return called(term)


@admin.register(DerTenure)
class DerTenureAdmin(RecordAdmin):
    section = "DERs"
    list_display = ("aggregator", "external_id", "edc", "valid_during", "status")
    list_filter = ("status", ("edc", ScopedFilter), ("aggregator", ScopedFilter))
    list_select_related = ("aggregator", "edc")
    hidden = ("der", "closing", "service_point", "is_first")
