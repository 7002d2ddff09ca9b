"""Aggregations in the workplace: read here, written by services; grid services are kept here."""

from django.contrib import admin

from moc.admin import RecordAdmin, ReferenceAdmin
from moc.admin.filters import ScopedFilter
from registry.aggregations.models import Aggregation, AggregationMember, AggregationPnode, AggregationUtility, GridService


@admin.register(GridService)
class GridServiceAdmin(ReferenceAdmin):
    write_permission = "manage_rulesets"
    list_display = ("name", "code", "level")
    list_filter = ("level",)
    search_fields = ("=code", "name")

    def get_readonly_fields(self, request, obj=None):
        """The code names the service in aggregations and in history: it stays."""
        return [*super().get_readonly_fields(request, obj), *(("code",) if obj else ())]


@admin.register(Aggregation)
class AggregationAdmin(RecordAdmin):
    list_display = ("name", "status", "purpose", "aggregator", "tso", "effective_on")
    list_filter = ("status", "purpose", ("aggregator", ScopedFilter), ("tso", ScopedFilter))
    list_select_related = ("aggregator", "tso")
    search_fields = ("=uuid", "=market_id", "name")


@admin.register(AggregationUtility)
class AggregationUtilityAdmin(RecordAdmin):
    list_display = ("aggregation", "edc")
    list_filter = (("edc", ScopedFilter),)
    list_select_related = ("aggregation", "edc")


@admin.register(AggregationPnode)
class AggregationPnodeAdmin(RecordAdmin):
    list_display = ("aggregation", "pnode", "factor", "valid_during")
    list_select_related = ("aggregation", "pnode")
    search_fields = ("=aggregation__uuid", "=pnode__name")


@admin.register(AggregationMember)
class AggregationMemberAdmin(RecordAdmin):
    keyset = True
    list_display = ("der", "aggregation", "service", "edc", "share_percent", "valid_during")
    list_filter = (("edc", ScopedFilter),)
    list_select_related = ("der", "aggregation", "service", "edc")
    search_fields = ("=aggregation__uuid", "=der__uuid")
    search_help_text = "The aggregation's or the DER's id"
