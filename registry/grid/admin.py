"""Grid records, changed by the utility's administrators and the operator."""

from django.contrib import admin

from moc.admin import RecordAdmin, ReferenceAdmin
from moc.admin.filters import ScopedFilter
from registry.grid.models import (
    County,
    Feeder,
    GridFinding,
    GridLoad,
    Pnode,
    ServicePoint,
    ServiceTerritory,
    Substation,
    TdInterface,
    Transformer,
)


class GridAdmin(ReferenceAdmin):
    """A grid record: written by those who manage the grid."""

    write_permission = "manage_grid"


class UtilityGridAdmin(GridAdmin):
    """A grid record of one utility, of which there may be many."""

    keyset = True
    list_filter = (("edc", ScopedFilter),)
    search_fields = ("=code",)
    search_help_text = "The whole code"


@admin.register(County)
class CountyAdmin(GridAdmin):
    list_display = ("name", "state", "fips", "population")
    list_filter = ("state",)
    search_fields = ("=fips", "name")

    def get_readonly_fields(self, request, obj=None):
        """The FIPS code names the county in history: it stays."""
        return [*super().get_readonly_fields(request, obj), *(("fips",) if obj else ())]


@admin.register(ServiceTerritory)
class ServiceTerritoryAdmin(GridAdmin):
    deletable = True
    list_display = ("edc", "county")
    list_filter = (("edc", ScopedFilter), ("county", ScopedFilter))
    list_select_related = ("edc", "county")


@admin.register(Pnode)
class PnodeAdmin(GridAdmin):
    list_display = ("name", "tso")
    list_filter = (("tso", ScopedFilter),)
    list_select_related = ("tso",)
    search_fields = ("name",)


@admin.register(TdInterface)
class TdInterfaceAdmin(UtilityGridAdmin):
    list_display = ("code", "name", "edc", "pnode")
    list_select_related = ("edc", "pnode")


@admin.register(Substation)
class SubstationAdmin(UtilityGridAdmin):
    list_display = ("code", "name", "edc", "td_interface")
    list_select_related = ("edc", "td_interface")
    raw_id_fields = ("td_interface",)


@admin.register(Feeder)
class FeederAdmin(UtilityGridAdmin):
    list_display = ("code", "edc", "substation", "nominal_kv")
    list_select_related = ("edc", "substation")
    raw_id_fields = ("substation",)


@admin.register(Transformer)
class TransformerAdmin(UtilityGridAdmin):
    list_display = ("code", "edc", "feeder", "rated_kva")
    list_select_related = ("edc", "feeder")
    raw_id_fields = ("feeder",)


@admin.register(ServicePoint)
class ServicePointAdmin(UtilityGridAdmin):
    headline = 2
    list_display = ("usage_point_id", "edc", "feeder", "county", "zip_code", "phases_available")
    list_select_related = ("edc", "feeder", "county")
    raw_id_fields = ("transformer", "feeder")
    search_fields = ("=usage_point_id",)
    search_help_text = "The whole service point id"


@admin.register(GridLoad)
class GridLoadAdmin(RecordAdmin):
    list_display = ("document", "kind", "status", "edc", "row_count", "bad", "created", "changed", "created_at")
    list_filter = ("status", "kind", ("edc", ScopedFilter))
    list_select_related = ("document", "edc")
    search_fields = ("=uuid",)
    search_help_text = "The load's id"


@admin.register(GridFinding)
class GridFindingAdmin(RecordAdmin):
    list_display = ("row_number", "column", "value", "code", "severity", "edc")
    list_filter = ("severity", ("edc", ScopedFilter))
    list_select_related = ("edc",)
    search_fields = ("=code",)
