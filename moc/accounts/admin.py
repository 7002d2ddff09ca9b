"""Users, organisations, memberships, oversight and grants, edited by those who administer them; roles through the accounts' services."""

from django import forms
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.forms.renderers import DjangoTemplates

from moc.access import policy
from moc.access.models import ApiToken, Membership, Organization, OrganizationUserObjectPermission, Oversight, User
from moc.access.roles import PERMISSIONS
from moc.accounts import identity_admin, services  # noqa: F401  (registers its records too)
from moc.admin import RecordAdmin, ReferenceAdmin
from moc.admin.filters import ScopedFilter
from moc.admin.holders import Holder
from moc.errors import UserError


class GrantForm(forms.ModelForm):
    """A grant names one of roles.py's permissions."""

    default_renderer = DjangoTemplates

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["permission"].queryset = Permission.objects.filter(
            content_type__app_label="moc", content_type__model="organization", codename__in=PERMISSIONS
        ).order_by("name")
        self.fields["permission"].label_from_instance = lambda permission: permission.name


class GrantInline(admin.TabularInline):
    """Grants across organisations on this one, given by the operator (guardian's table)."""

    model = OrganizationUserObjectPermission
    form = GrantForm
    fields = ("user", "permission")
    raw_id_fields = ("user",)
    extra = 0
    verbose_name_plural = "Grants to users of other organisations"

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("user", "permission__content_type")

    def has_view_permission(self, request, obj=None) -> bool:
        return policy.operates(request.user, "audit") or policy.allows(request.user, "audit", obj)

    def has_add_permission(self, request, obj=None) -> bool:
        return policy.operates(request.user, "administer") and "as_of" not in request.GET

    def has_change_permission(self, request, obj=None) -> bool:
        return self.has_add_permission(request, obj)

    def has_delete_permission(self, request, obj=None) -> bool:
        return self.has_add_permission(request, obj)


@admin.register(User)
class UserAdmin(Holder, ReferenceAdmin):
    section = "Access"
    sensitive = True
    write_permission = "administer"
    keyset = True
    hidden = ("password",)
    readonly_fields = ("email", "kind", "last_login", "created_at")
    list_display = ("email", "name", "kind", "is_active", "created_at")
    list_filter = ("kind", "is_active")
    search_fields = ("=email",)
    search_help_text = "The whole e-mail address"

    def has_add_permission(self, request) -> bool:
        """People are invited, and machine clients issued, on the accounts' pages."""
        return False


@admin.register(Organization)
class OrganizationAdmin(Holder, ReferenceAdmin):
    section = "Access"
    sensitive = True
    write_permission = "administer"
    list_display = ("name", "legal_name", "kind", "is_active")
    list_filter = ("kind", "is_active")
    search_fields = ("name", "legal_name")
    inlines = (GrantInline,)


@admin.register(Membership)
class MembershipAdmin(ReferenceAdmin):
    section = "Access"
    sensitive = True
    write_permission = "manage_members"
    list_display = ("user", "organization", "role", "is_active")
    list_filter = ("role", "is_active", ("organization", ScopedFilter))
    list_select_related = ("user", "organization")
    raw_id_fields = ("user",)
    search_fields = ("=user__email",)
    search_help_text = "The user's whole e-mail address"

    def formfield_for_foreignkey(self, db_field, request, **kwargs):
        """Of people only those may be chosen whom the administrator sees."""
        if db_field.name == "user":
            kwargs["queryset"] = policy.scope(User.objects.all(), request.user, self.view_permission)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def get_readonly_fields(self, request, obj=None):
        """A seat is one role of one user in one organisation: it is ended and revived; another role is another seat."""
        return [*super().get_readonly_fields(request, obj), *(("user", "organization", "role") if obj else ("is_active",))]

    def save_model(self, request, obj, form, change):
        """Through the accounts' services: nobody changes their own roles, and the last administrator stays."""
        if obj.role == services.ADMINISTRATOR and obj.is_active:
            remedy = "Give the role on the page of its members."
            raise UserError("A second person confirms a new administrator.", remedy, "FOUR_EYES")
        seat = {"actor": request.user, "organization": obj.organization, "user": obj.user}
        roles = services.roles_in(obj.organization, obj.user)
        roles = roles | {obj.role} if obj.is_active else roles - {obj.role}
        reason = form.cleaned_data["reason"]
        services.set_roles(**seat, roles=roles, reason=reason) if roles else services.deactivate_member(**seat, reason=reason)
        obj.pk = Membership.objects.get(user=obj.user, organization=obj.organization, role=obj.role).pk


@admin.register(Oversight)
class OversightAdmin(ReferenceAdmin):
    section = "Access"
    sensitive = True
    write_permission = "administer"
    deletable = True
    list_display = ("overseer", "overseen")
    list_filter = (("overseer", ScopedFilter),)
    list_select_related = ("overseer", "overseen")


@admin.register(ApiToken)
class ApiTokenAdmin(RecordAdmin):
    section = "Access"
    hidden = ("digest",)
    list_display = ("name", "user", "created_at", "revoked_at")
    list_select_related = ("user",)
    search_fields = ("=user__email",)
    search_help_text = "The user's whole e-mail address"
