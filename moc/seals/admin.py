"""Seals and verifications in the workplace: nobody writes them, who may has one more made."""

from django.contrib import admin

from moc.admin import RecordAdmin
from moc.admin.asking import Asking
from moc.seals import services
from moc.seals.models import Seal, SealedBlock, SealedTable, Verification


@admin.register(Seal)
class SealAdmin(Asking, RecordAdmin):
    ask_permission, asked = "administer", "Seal what is new"
    ask_words = "Every version and added record of the transactions that have ended is hashed and signed, as it is once an hour."
    list_display = ("number", "sealed_at", "row_count", "key", "digest")
    search_fields = ("=number", "=digest")
    search_help_text = "The seal's number or digest"

    def ask(self, actor):
        return services.ask_seal(actor=actor)


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
class VerificationAdmin(Asking, RecordAdmin):
    ask_permission, asked = "verify_seals", "Verify everything"
    ask_words = "All sealed history is hashed again and compared with what was signed. What was altered, removed or inserted is named."
    list_display = ("at", "asked_by", "last_seal", "row_count", "unsealed", "finding_count")
    list_select_related = ("asked_by", "last_seal")

    def ask(self, actor):
        return services.ask_verification(actor=actor)
