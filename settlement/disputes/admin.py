"""Disputes in the workplace, where regulators work: read, moved by their lifecycles, determinations confirmed."""

from django.contrib import admin
from django.db import transaction
from django.utils import timezone

from moc.access import policy
from moc.admin import Line, RecordAdmin, panel
from moc.admin.filters import ScopedFilter
from settlement.disputes.endings import Determination, SettlementProposal
from settlement.disputes.models import BundleItem, Dispute, DisputePart
from settlement.disputes.services import determining, levels, settling


@admin.register(Dispute)
class DisputeAdmin(RecordAdmin):
    headline = 6
    list_display = ("title", "status", "level", "outcome", "aggregator", "edc", "turn", "opened_at", "due_at", "closed_at")
    list_filter = ("status", "level", "outcome", ("edc", ScopedFilter), ("aggregator", ScopedFilter))
    list_select_related = ("aggregator", "edc")
    moves = ("escalate_to_rto", "escalate_to_rerra", "refer", "withdraw")
    search_fields = ("=uuid",)
    search_help_text = "The dispute's id"

    def move_service(self, *, actor, rows, name, reason):
        with transaction.atomic():
            for dispute in rows.select_related("aggregator", "edc", "tso", "rerra"):
                levels.move(actor=actor, dispute=dispute, name=name, reason=reason)


class OfDisputeAdmin(RecordAdmin):
    """Something in the file of a dispute, found by the dispute's id."""

    search_fields = ("=uuid", "=dispute__uuid")
    search_help_text = "Its id, or the dispute's"


@admin.register(DisputePart)
class DisputePartAdmin(OfDisputeAdmin):
    hidden = ("document",)
    list_display = ("dispute", "kind", "level", "author", "is_shared", "asked", "document_name", "created_at")
    list_filter = ("kind", "level", "is_shared", ("author", ScopedFilter))
    list_select_related = ("dispute", "author")


@admin.register(SettlementProposal)
class SettlementProposalAdmin(OfDisputeAdmin):
    list_display = ("dispute", "side", "effect", "status", "proposed_at", "answered_at")
    list_filter = ("status", "effect")
    list_select_related = ("dispute",)
    moves = ("accept", "decline", "withdraw")

    def move_service(self, *, actor, rows, name, reason):
        with transaction.atomic():
            for proposal in rows.select_related("dispute__aggregator", "dispute__edc"):
                settling.move(actor=actor, proposal=proposal, name=name, reason=reason)


@admin.register(Determination)
class DeterminationAdmin(OfDisputeAdmin):
    hidden = ("document",)
    list_display = ("dispute", "authority", "level", "outcome", "status", "proposed_by", "confirmed_by", "confirmed_at")
    list_filter = ("status", "outcome", "level", ("authority", ScopedFilter))
    list_select_related = ("dispute", "authority", "proposed_by", "confirmed_by")
    moves = ("confirm", "reject")

    def move_service(self, *, actor, rows, name, reason):
        with transaction.atomic():
            for draft in rows.select_related("dispute", "authority"):
                determining.move(actor=actor, determination=draft, name=name, reason=reason)


@admin.register(BundleItem)
class BundleItemAdmin(RecordAdmin):
    list_display = ("dispute", "kind", "source", "source_key", "audience", "stood_at", "sha256")
    list_filter = ("kind",)
    list_select_related = ("dispute",)
    search_fields = ("=dispute__uuid",)
    search_help_text = "The dispute's id"


@panel("Disputes past their clock", order=12, empty="No dispute is overdue.")
def overdue(user) -> list[Line]:
    """Standing disputes whose level's days are over, the longest overdue first."""
    own = admin.site.get_model_admin(Dispute)
    rows = policy.scope(Dispute.objects.overdue(timezone.now()), user, own.view_permission)
    return [
        Line(str(dispute), own.address("change", dispute.pk), f"{dispute.get_status_display()}, due", "overdue", "Overdue", dispute.due_at)
        for dispute in rows.order_by("due_at")[:8]
    ]
