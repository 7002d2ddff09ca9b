"""Invitations, administrators to confirm, admissions, sign-in of organisations, grants: read in the workplace; moves by the services."""

from django.contrib import admin

from moc.access.models import OrganizationUserObjectPermission
from moc.access.roles import PERMISSIONS
from moc.accounts import admissions, invitations, providers
from moc.accounts.models import AdministratorGrant, Admission, Invitation, SignInDomain, SignInFailures, SignInProvider
from moc.admin import RecordAdmin
from moc.admin.filters import ScopedFilter


@admin.register(Invitation)
class InvitationAdmin(RecordAdmin):
    section = "Access"
    hidden = ("digest",)
    list_display = ("email", "organization", "status", "invited_by", "expires_at")
    list_filter = ("status", ("organization", ScopedFilter))
    list_select_related = ("organization", "invited_by")
    moves = ("revoke",)

    def move_service(self, *, actor, rows, name, reason):
        for invitation in rows.select_related("organization"):
            invitations.revoke(actor=actor, invitation=invitation)


@admin.register(AdministratorGrant)
class AdministratorGrantAdmin(RecordAdmin):
    section = "Access"
    list_display = ("member", "organization", "status", "proposed_by", "decided_by")
    list_filter = ("status", ("organization", ScopedFilter))
    list_select_related = ("member", "organization", "proposed_by", "decided_by")


@admin.register(Admission)
class AdmissionAdmin(RecordAdmin):
    section = "Access"
    view_permission = admissions.PERMISSION
    list_display = ("organization", "status", "user", "rerra", "applied_at", "decided_by")
    list_filter = ("status", ("rerra", ScopedFilter))
    list_select_related = ("organization", "user", "rerra", "decided_by")
    moves = ("admit", "refuse")

    def move_service(self, *, actor, rows, name, reason):
        admissions.decide(actor=actor, admissions=rows, name=name, reason=reason)


@admin.register(SignInProvider)
class SignInProviderAdmin(RecordAdmin):
    section = "Access"
    hidden = ("secret",)
    list_display = ("organization", "issuer", "client_id", "is_active")
    list_select_related = ("organization",)


@admin.register(SignInDomain)
class SignInDomainAdmin(RecordAdmin):
    section = "Access"
    hidden = ("token",)
    list_display = ("domain", "provider", "status")
    list_filter = ("status",)
    list_select_related = ("provider__organization",)
    moves = ("verify", "doubt")

    def move_service(self, *, actor, rows, name, reason):
        providers.move(actor=actor, rows=rows, name=name, reason=reason)


@admin.register(SignInFailures)
class SignInFailuresAdmin(RecordAdmin):
    section = "Access"
    list_display = ("user", "count", "locked_at")
    list_select_related = ("user",)


@admin.register(OrganizationUserObjectPermission)
class GrantAdmin(RecordAdmin):
    section = "Access"
    list_display = ("user", "may", "content_object")
    list_filter = (("content_object", ScopedFilter),)
    list_select_related = ("user", "permission", "content_object")
    search_fields = ("=user__email",)
    search_help_text = "The e-mail address of the user who has it"

    @admin.display(description="May")
    def may(self, grant) -> str:
        """The permission in roles.py's words."""
        return PERMISSIONS.get(grant.permission.codename, grant.permission.codename)
