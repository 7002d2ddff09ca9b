"""Seals and verifications in the workplace: nobody writes them, who may has one more made."""

from django.contrib import admin, messages

from moc.access import policy
from moc.admin import RecordAdmin
from moc.admin.asking import Asking
from moc.seals import archives, archiving, destroying, services
from moc.seals.forms import DestructionForm
from moc.seals.models import Archive, Destruction, Seal, SealedBlock, SealedTable, Verification


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


@admin.register(Archive)
class ArchiveAdmin(Asking, RecordAdmin):
    ask_permission, asked = "administer", "Archive what is due"
    ask_words = (
        "Months of telemetry and of the access log that are no longer kept online (rule sets online_days_…) are moved into signed files. "
        "Verifications go on to read them. History is never moved."
    )
    list_display = ("table", "starts_at", "ends_at", "row_count", "size", "last_seal", "made_at", "sha256")
    readonly_fields = ("destroyed",)
    list_filter = ("table",)
    list_select_related = ("last_seal",)
    search_fields = ("=uuid", "=sha256")
    search_help_text = "The archive's id, or the SHA-256 of its file"
    actions = ("verify_files",)

    def ask(self, actor):
        return archiving.ask(actor=actor)

    def get_fields(self, request, obj=None):
        return [*super().get_fields(request, obj), *(["destroyed"] if obj else [])]

    @admin.display(description="Destroyed")
    def destroyed(self, archive: Archive):
        """When its file was destroyed."""
        return archive.destroyed_at

    def has_verify_permission(self, request) -> bool:
        return policy.allows(request.user, "verify_seals")

    @admin.action(description="Verify the files", permissions=["verify"])
    def verify_files(self, request, queryset):
        """Each chosen file is read, and compared with what was signed of it."""
        wrong = [sentence for archive in queryset[:100] if (sentence := archives.wrong_with(archive))]
        for sentence in wrong:
            messages.error(request, sentence)
        if not wrong:
            messages.success(request, "Every chosen file is as it was archived.")


@admin.register(Destruction)
class DestructionAdmin(Asking, RecordAdmin):
    ask_permission, asked = "administer", "Propose to destroy an archive"
    ask_words = (
        "Its file goes once another person has confirmed it, unless an open dispute holds a party of its rows. The record of the archive "
        "stays, and the seals go on to prove the rest. History is never destroyed."
    )
    list_display = ("archive", "status", "law", "proposed_by", "confirmed_by", "destroyed_at")
    list_filter = ("status",)
    list_select_related = ("archive", "law", "proposed_by", "confirmed_by")
    search_fields = ("=uuid",)
    search_help_text = "The destruction's id"
    moves = ("confirm", "withdraw")

    def ask_form(self, request) -> DestructionForm:
        return DestructionForm(request.POST or None)

    def ask(self, actor, **said):
        return destroying.propose(actor=actor, **said)

    def asked_for(self, made) -> tuple[str, str]:
        return f"{made} is proposed. Another person confirms it.", self.address("change", made.pk)

    def move_service(self, *, actor, rows, name, reason):
        destroying.move(actor=actor, rows=rows, name=name, reason=reason)
