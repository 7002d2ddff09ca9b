"""Grants of support and what was done under them, to be read; they are given and ended on the pages of support access."""

from django.contrib import admin

from moc.access.support import SupportAct, SupportGrant
from moc.admin import RecordAdmin
from moc.admin.filters import ScopedFilter


@admin.register(SupportGrant)
class SupportGrantAdmin(RecordAdmin):
    section = "Access"
    list_display = ("organization", "operator", "staff", "scope", "granted_at", "until", "revoked_at")
    list_filter = ("scope", ("organization", ScopedFilter))
    list_select_related = ("organization", "operator", "staff")


@admin.register(SupportAct)
class SupportActAdmin(RecordAdmin):
    section = "Access"
    list_display = ("at", "user", "grant", "reason")
    list_select_related = ("user", "grant__organization", "grant__operator", "grant__staff")
