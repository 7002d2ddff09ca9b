"""Owners' accounts, consents and personal use in the workplace: read there."""

from django.contrib import admin

from moc.admin import RecordAdmin
from moc.admin.filters import ScopedFilter
from registry.customers.models import OwnerAccount, PersonalUse
from registry.participants.models import Consent


@admin.register(OwnerAccount)
class OwnerAccountAdmin(RecordAdmin):
    view_permission = "view_personal"
    list_display = ("owner", "edc", "opened_at")
    list_select_related = ("owner", "edc")


@admin.register(Consent)
class ConsentAdmin(RecordAdmin):
    list_display = ("aggregator", "status", "scopes", "granted_on", "expires_on", "edc")
    list_filter = ("status", ("aggregator", ScopedFilter), ("edc", ScopedFilter))
    list_select_related = ("aggregator", "edc")


@admin.register(PersonalUse)
class PersonalUseAdmin(RecordAdmin):
    list_display = ("der", "kind", "stated_at", "ended_at", "edc")
    list_filter = ("kind", ("edc", ScopedFilter))
    list_select_related = ("der", "edc")
