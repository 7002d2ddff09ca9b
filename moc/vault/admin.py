"""Data keys in the workplace: which party has which, wrapped by which master key, since when; never the keys."""

from django.contrib import admin

from moc.admin import RecordAdmin
from moc.vault.models import DataKey, SubjectKey


@admin.register(DataKey)
class DataKeyAdmin(RecordAdmin):
    hidden = ("wrapped",)
    list_display = ("organization", "master", "is_current", "created_at", "retired_at")
    list_filter = ("is_current",)
    list_select_related = ("organization",)


@admin.register(SubjectKey)
class SubjectKeyAdmin(RecordAdmin):
    hidden = ("wrapped",)
    list_display = ("id", "data_key")
    list_select_related = ("data_key__organization",)
    search_fields = ("=id",)
