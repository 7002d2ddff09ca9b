"""Filings, their findings, the utilities' reviews and decisions: read here, written by their services."""

from django.contrib import admin
from django.db import transaction
from django.utils import timezone

from moc.access import policy
from moc.admin import Line, RecordAdmin, panel
from moc.admin.filters import ScopedFilter
from registry.participants.admin import masked_column
from registry.participants.models import OwnerFacts
from registry.participants.services import LABELS
from registry.submissions.involvement import RegulatorPart
from registry.submissions.membership import MemberValidation, StagedMember
from registry.submissions.models import Decision, Finding, StagedDer, Submission, UtilityReview
from registry.submissions.personal import StagedOwner
from registry.submissions.services import reviewing, withdrawing
from registry.submissions.switching import LookUp, SwitchNotice


@admin.register(Submission)
class SubmissionAdmin(RecordAdmin):
    headline = 3
    list_display = ("title", "aggregator", "status", "source", "row_count", "submitted_at", "created_by")
    list_filter = ("status", "source", ("aggregator", ScopedFilter))
    list_select_related = ("aggregator", "created_by")
    moves = ("withdraw",)
    search_fields = ("=uuid",)
    search_help_text = "The submission's id"

    def move_service(self, *, actor, rows, name, reason):
        with transaction.atomic():
            for submission in rows:
                withdrawing.withdraw(actor=actor, submission=submission, reason=reason)


@admin.register(UtilityReview)
class UtilityReviewAdmin(RecordAdmin):
    headline = 4
    list_display = ("submission", "edc", "aggregator", "status", "row_count", "started_at", "due_at", "closed_at")
    list_filter = ("status", ("edc", ScopedFilter), ("aggregator", ScopedFilter))
    list_select_related = ("submission", "edc", "aggregator")
    search_fields = ("=uuid",)
    search_help_text = "The review's id"


@admin.register(Decision)
class DecisionAdmin(RecordAdmin):
    headline = 5
    list_display = ("__str__", "kind", "status", "reason_code", "row_count", "decided_by", "decided_at", "confirmed_by")
    list_filter = ("kind", "status", "reason_code")
    list_select_related = ("review__edc", "review__submission", "decided_by", "confirmed_by")
    moves = ("confirm", "reject")
    search_fields = ("=uuid",)
    search_help_text = "The decision's id"

    def move_service(self, *, actor, rows, name, reason):
        with transaction.atomic():
            for decision in rows.select_related("review__edc"):
                if name == "confirm":
                    reviewing.confirm_denial(actor=actor, decision=decision)
                else:
                    reviewing.reject_denial(actor=actor, decision=decision, reason=reason)


@admin.register(StagedDer)
class StagedDerAdmin(RecordAdmin):
    list_display = ("row_number", "external_id", "der_type", "nameplate_ac_kw", "edc", "status", "change", "submission")
    list_filter = ("status", "change", ("edc", ScopedFilter), ("aggregator", ScopedFilter))
    list_select_related = ("submission", "edc")
    search_fields = ("=external_id",)
    search_help_text = "The whole id that the aggregator gave"


@admin.register(StagedOwner)
class StagedOwnerAdmin(RecordAdmin):
    view_permission = "view_personal"
    hidden = ("subject", "sealed", "filled", "flaws", "earlier_index", *OwnerFacts.BLIND)
    list_display = ("row", *OwnerFacts.personal)
    readonly_fields = OwnerFacts.personal
    edc_account_no, owner_name, owner_email, owner_phone = (masked_column(name, LABELS[name]) for name in OwnerFacts.personal)
    list_select_related = ("row",)


@admin.register(Finding)
class FindingAdmin(RecordAdmin):
    list_display = ("code", "severity", "row_number", "column", "value", "submission")
    list_filter = ("severity",)
    list_select_related = ("submission",)


@panel("Overdue reviews", order=10, empty="No review is overdue.")
def overdue(user) -> list[Line]:
    """Reviews whose clock has expired and that are not closed, the longest overdue first."""
    own = admin.site.get_model_admin(UtilityReview)
    rows = policy.scope(UtilityReview.objects.undecided().filter(due_at__lte=timezone.now()), user, own.view_permission)
    return [
        Line(str(review), own.address("change", review.pk), f"{review.row_count:,} DERs, due", "overdue", "Overdue", review.due_at)
        for review in rows.select_related("edc", "submission").order_by("due_at")[:8]
    ]


@admin.register(StagedMember)
class StagedMemberAdmin(RecordAdmin):
    list_display = ("der", "service", "share_percent", "starts_on", "ends_on", "submission")
    list_filter = (("edc", ScopedFilter), ("aggregator", ScopedFilter))
    list_select_related = ("der", "service", "submission")


@admin.register(MemberValidation)
class MemberValidationAdmin(RecordAdmin):
    list_display = ("aggregation", "aggregator", "tso", "status", "row_count", "due_at", "rule")
    list_filter = ("status", ("tso", ScopedFilter), ("aggregator", ScopedFilter))
    list_select_related = ("aggregation", "aggregator", "tso")
    search_fields = ("=uuid",)


@admin.register(RegulatorPart)
class RegulatorPartAdmin(RecordAdmin):
    list_display = ("text", "rerra", "edc", "aggregator", "status", "due_at", "allows")
    list_filter = ("status", ("rerra", ScopedFilter), ("edc", ScopedFilter), ("aggregator", ScopedFilter))
    list_select_related = ("rerra", "edc", "aggregator")
    search_fields = ("=uuid",)


@admin.register(LookUp)
class LookUpAdmin(RecordAdmin):
    list_display = ("at", "aggregator", "edc", "ders", "actor")
    list_filter = (("aggregator", ScopedFilter),)
    list_select_related = ("aggregator", "edc", "actor")
    search_fields = ("=uuid",)


@admin.register(SwitchNotice)
class SwitchNoticeAdmin(RecordAdmin):
    list_display = ("former", "aggregator", "edc", "status", "row_count", "starts_on", "due_at", "ground")
    list_filter = ("status", ("edc", ScopedFilter), ("former", ScopedFilter), ("aggregator", ScopedFilter))
    list_select_related = ("former", "aggregator", "edc")
    search_fields = ("=uuid",)
