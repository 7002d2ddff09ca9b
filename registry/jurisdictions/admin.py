"""Jurisdiction, sales, affiliations and retail programs: public reference data, kept by the operator."""

from django.contrib import admin

from moc.admin import ReferenceAdmin
from moc.admin.filters import ScopedFilter
from registry.jurisdictions.models import Affiliation, AnnualSales, Jurisdiction, RetailProgram
from registry.jurisdictions.services import programs


class OfUtilityAdmin(ReferenceAdmin):
    """A public record of a utility."""

    write_permission = "manage_grid"
    list_filter = (("edc", ScopedFilter),)
    list_select_related = ("edc",)


@admin.register(Jurisdiction)
class JurisdictionAdmin(OfUtilityAdmin):
    list_display = ("rerra", "edc", "county", "valid_during")
    list_filter = (("rerra", ScopedFilter), ("edc", ScopedFilter))
    list_select_related = ("rerra", "edc", "county")


@admin.register(AnnualSales)
class AnnualSalesAdmin(OfUtilityAdmin):
    list_display = ("edc", "year", "sales_mwh", "source")


@admin.register(RetailProgram)
class RetailProgramAdmin(OfUtilityAdmin):
    """Drafted here, and put in force by another person; terms that hold are replaced, not changed."""

    list_display = ("code", "name", "edc", "kind", "pays_for", "bars_wholesale", "valid_during", "status")
    list_filter = ("status", "kind", "bars_wholesale", ("edc", ScopedFilter))
    search_fields = ("=code", "name")
    moves = ("approve", "withdraw")

    def has_change_permission(self, request, obj=None) -> bool:
        return super().has_change_permission(request, obj) and (obj is None or obj.status == RetailProgram.Status.DRAFT)

    def save_model(self, request, obj, form, change):
        obj.drafted_by = request.user
        super().save_model(request, obj, form, change)

    def move_service(self, *, actor, rows, name, reason):
        for program in rows:
            programs.move(actor=actor, program=program, name=name, reason=reason)


@admin.register(Affiliation)
class AffiliationAdmin(OfUtilityAdmin):
    list_display = ("aggregator", "edc", "valid_during", "source")
    list_filter = (("edc", ScopedFilter), ("aggregator", ScopedFilter))
    list_select_related = ("aggregator", "edc")
