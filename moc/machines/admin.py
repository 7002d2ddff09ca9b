"""Machine clients, their secrets, keys and tokens, to be read; they are made and ended on the pages of machine clients."""

from django.contrib import admin

from moc.access.machines import MachineClient, MachineCredential, MachineToken, UsedAssertion
from moc.admin import RecordAdmin
from moc.admin.filters import ScopedFilter


@admin.register(MachineClient)
class MachineClientAdmin(RecordAdmin):
    section = "Access"
    list_display = ("name", "uuid", "membership", "created_at", "last_used_at")
    list_filter = (("membership__organization", ScopedFilter),)
    list_select_related = ("membership__user", "membership__organization")
    search_fields = ("=uuid",)
    search_help_text = "The whole client id"


@admin.register(MachineCredential)
class MachineCredentialAdmin(RecordAdmin):
    section = "Access"
    hidden = ("digest",)
    list_display = ("client", "kind", "hint", "created_at", "expires_at", "revoked_at", "last_used_at")
    list_filter = ("kind",)
    list_select_related = ("client",)


@admin.register(MachineToken)
class MachineTokenAdmin(RecordAdmin):
    section = "Access"
    hidden = ("digest",)
    list_display = ("client", "issued_at", "expires_at", "revoked_at")
    list_select_related = ("client",)


@admin.register(UsedAssertion)
class UsedAssertionAdmin(RecordAdmin):
    section = "Access"
    hidden = ("digest",)
    list_display = ("client", "expires_at")
    list_select_related = ("client",)
