"""Seals and verifications in the workplace; nobody writes them."""

from django.contrib import admin

from moc.admin import RecordAdmin
from moc.seals.models import Seal, SealedBlock, SealedTable, Verification


@admin.register(Seal)
class SealAdmin(RecordAdmin):
    list_display = ("number", "sealed_at", "row_count", "key", "digest")
    search_fields = ("=number", "=digest")
    search_help_text = "The seal's number or digest"


@admin.register(SealedTable)
class SealedTableAdmin(RecordAdmin):
    list_display = ("table", "seal", "row_count", "root")
    list_select_related = ("seal",)
    search_fields = ("=table", "=seal__number")
    search_help_text = "A table, or a seal's number"


@admin.register(SealedBlock)
class SealedBlockAdmin(RecordAdmin):
    hidden = ("keys", "leaves", "fields", "hash")
    list_display = ("table", "seal", "number", "first", "last")
    list_select_related = ("seal",)
    search_fields = ("=seal__number",)
    search_help_text = "A seal's number"


@admin.register(Verification)
class VerificationAdmin(RecordAdmin):
    list_display = ("at", "asked_by", "last_seal", "row_count", "unsealed", "finding_count")
    list_select_related = ("asked_by", "last_seal")
