"""What the registry knows of its participants; owners and contacts only for those who may see personal data."""

from django.contrib import admin

from moc.access import policy
from moc.admin import RecordAdmin, ReferenceAdmin
from moc.admin.filters import ScopedFilter
from registry.participants import services
from registry.participants.forms import ContactForm
from registry.participants.models import (
    UTILITY_FACTS,
    Contact,
    DerOwner,
    OrganizationIdentifier,
    OwnerFacts,
    UtilityPeriod,
    UtilityProfile,
)

SEALED = ("subject", "sealed", "filled")


def masked_column(name: str, label: str):
    """A personal value as a list and a page of the workplace show it: that there is one."""

    @admin.display(description=label)
    def shown(one, obj) -> str:
        return services.masked(obj)[name]

    return shown


@admin.register(UtilityProfile)
class UtilityProfileAdmin(ReferenceAdmin):
    write_permission = "manage_grid"
    list_display = ("edc", "eia_id", "ownership", "balancing_authority", "tso", "annual_mwh", "annual_mwh_year")
    list_filter = ("ownership", "balancing_authority")
    list_select_related = ("edc", "tso")
    search_fields = ("=eia_id", "edc__name")

    def get_readonly_fields(self, request, obj=None) -> tuple[str, ...]:
        """What holds on days is changed on the utility's page, from a day on."""
        return UTILITY_FACTS if obj else ()


@admin.register(UtilityPeriod)
class UtilityPeriodAdmin(RecordAdmin):
    list_display = ("edc", "valid_during", *UTILITY_FACTS)
    list_filter = (("edc", ScopedFilter),)
    list_select_related = ("edc", "tso")


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
    form = ContactForm
    hidden = SEALED
    list_display = ("organization", "purpose", "name", "email", "phone", "valid_during")
    list_filter = ("purpose", ("organization", ScopedFilter))
    list_select_related = ("organization",)

    def has_change_permission(self, request, obj=None) -> bool:
        """Of the organisation's own people: to whoever deals with it, or registered it, a contact is only shown."""
        own = obj is None or policy.allows(request.user, self.write_permission, obj.organization)
        return own and super().has_change_permission(request, obj)

    def get_fields(self, request, obj=None) -> list[str]:
        return ["organization", "purpose", *Contact.personal]

    def save_model(self, request, obj, form, change):
        services.save_contact(actor=request.user, contact=obj, values=form.personal(), reason=form.cleaned_data["reason"])

    def delete_model(self, request, obj):
        services.remove_contact(actor=request.user, contact=obj, reason=request.POST["reason"].strip())

    def get_readonly_fields(self, request, obj=None) -> list[str]:
        return [] if self.has_change_permission(request, obj) or obj is None else list(Contact.personal)

    name, email, phone = (masked_column(column, column.capitalize()) for column in Contact.personal)


@admin.register(DerOwner)
class DerOwnerAdmin(RecordAdmin):
    view_permission = "view_personal"
    hidden = (*SEALED, *OwnerFacts.BLIND)
    list_display = ("__str__", "aggregator", "edc", *OwnerFacts.personal, "erased_at")
    list_filter = (("aggregator", ScopedFilter), ("edc", ScopedFilter))
    list_select_related = ("aggregator", "edc")
    search_fields = ("account_index",)
    search_help_text = "The whole account number with the utility"
    readonly_fields = OwnerFacts.personal
    edc_account_no, owner_name, owner_email, owner_phone = (masked_column(name, services.LABELS[name]) for name in OwnerFacts.personal)

    def find(self, rows, term):
        """Equal account numbers are met by their blind index, under every data key that may have made one."""
        return rows.filter(account_index__in=services.account_indexes(term))

    def get_fields(self, request, obj=None) -> list[str]:
        return ["aggregator", "edc", *OwnerFacts.personal, "erased_at"]
