"""What the registry knows of its participants; owners and contacts only for those who may see personal data."""

from django.contrib import admin

from moc.admin import RecordAdmin, ReferenceAdmin
from moc.admin.filters import ScopedFilter
from registry.participants.models import Contact, DerOwner, OrganizationIdentifier, UtilityProfile


@admin.register(UtilityProfile)
class UtilityProfileAdmin(ReferenceAdmin):
    write_permission = "manage_grid"
    list_display = ("edc", "eia_id", "ownership", "balancing_authority", "tso", "annual_mwh", "annual_mwh_year")
    list_filter = ("ownership", "balancing_authority")
    list_select_related = ("edc", "tso")
    search_fields = ("=eia_id", "edc__name")


@admin.register(OrganizationIdentifier)
class OrganizationIdentifierAdmin(ReferenceAdmin):
    write_permission = "manage_members"
    deletable = True
    list_display = ("organization", "scheme", "value")
    list_filter = ("scheme",)
    list_select_related = ("organization",)
    search_fields = ("=value", "organization__name")


@admin.register(Contact)
class ContactAdmin(ReferenceAdmin):
    view_permission = "view_personal"
    write_permission = "manage_members"
    deletable = True
    list_display = ("organization", "purpose", "name", "email", "phone")
    list_filter = ("purpose", ("organization", ScopedFilter))
    list_select_related = ("organization",)


@admin.register(DerOwner)
class DerOwnerAdmin(RecordAdmin):
    view_permission = "view_personal"
    list_display = ("__str__", "aggregator", "edc")
    list_filter = (("aggregator", ScopedFilter), ("edc", ScopedFilter))
    list_select_related = ("aggregator", "edc")
    search_fields = ("=id",)
    search_help_text = "The owner's number"
