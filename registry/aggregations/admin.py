"""Aggregations in the workplace: read here, written by services."""

from django.contrib import admin

from moc.admin import RecordAdmin
from moc.admin.filters import ScopedFilter
from registry.aggregations.models import AgentGrant, Aggregation, AggregationMember, AggregationPnode, AggregationUtility


@admin.register(Aggregation)
class AggregationAdmin(RecordAdmin):
    list_display = ("name", "status", "purpose", "aggregator", "tso", "effective_on")
    list_filter = ("status", "purpose", ("aggregator", ScopedFilter), ("tso", ScopedFilter))
    list_select_related = ("aggregator", "tso")
    search_fields = ("=uuid", "=market_id", "name")


@admin.register(AgentGrant)
class AgentGrantAdmin(RecordAdmin):
    """From an aggregation to whom it is granted, and from an agent to what it was granted."""

    list_display = ("content_object", "permission_name", "organization", "aggregator", "starts_on", "ends_on")
    list_filter = (("organization", ScopedFilter), ("aggregator", ScopedFilter))
    list_select_related = ("content_object", "permission", "organization", "aggregator")
    search_fields = ("=content_object__uuid", "content_object__name", "organization__name")

    @admin.display(description="permission")
    def permission_name(self, grant) -> str:
        return grant.permission.name


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
