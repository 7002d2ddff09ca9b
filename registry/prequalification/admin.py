"""Qualification in the workplace: read here; overrides and decisions are made on the pages of the portal."""

from django.contrib import admin
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html

from moc.admin import RecordAdmin
from moc.admin.asking import Asking
from moc.admin.filters import ScopedFilter
from moc.rulesets import services as rulesets
from moc.rulesets.models import RuleChange
from registry.prequalification.forms import ChangeForm
from registry.prequalification.models import BrokenRule, MarketDecision, Offer, Qualification, QualificationOverride, QualificationPass
from registry.prequalification.services import passes

SUBJECT = ("=der__uuid", "=aggregation__uuid")
HELP = "The DER's or the aggregation's id"


@admin.register(Qualification)
class QualificationAdmin(RecordAdmin):
    list_display = ("service", "der", "aggregation", "eligible", "by_rules", "aggregator", "edc", "since")
    list_filter = ("eligible", "service", ("edc", ScopedFilter), ("aggregator", ScopedFilter))
    list_select_related = ("service", "der", "aggregation", "aggregator", "edc")
    search_fields = SUBJECT
    search_help_text = HELP


@admin.register(BrokenRule)
class BrokenRuleAdmin(RecordAdmin):
    list_display = ("code", "der", "aggregation", "services", "value", "limit", "aggregator", "edc")
    list_filter = ("code", ("edc", ScopedFilter), ("aggregator", ScopedFilter))
    list_select_related = ("der", "aggregation", "aggregator", "edc")
    search_fields = SUBJECT
    search_help_text = HELP


@admin.register(Offer)
class OfferAdmin(RecordAdmin):
    list_display = ("aggregation", "service", "der_count", "capacity_kw", "node_count", "barred_count")
    list_select_related = ("aggregation", "service")
    search_fields = ("=aggregation__uuid",)


@admin.register(QualificationOverride)
class QualificationOverrideAdmin(RecordAdmin):
    list_display = ("der", "aggregation", "service", "eligible", "by", "made_at", "ended_at")
    list_filter = ("eligible", ("edc", ScopedFilter))
    list_select_related = ("der", "aggregation", "service", "by")
    search_fields = SUBJECT
    search_help_text = HELP


@admin.register(MarketDecision)
class MarketDecisionAdmin(RecordAdmin):
    list_display = ("aggregation", "kind", "rule", "market_id", "effective_on", "decided_at")
    list_filter = ("kind",)
    list_select_related = ("aggregation",)
    search_fields = ("=aggregation__uuid", "=market_id")


@admin.register(QualificationPass)
class QualificationPassAdmin(RecordAdmin):
    list_display = ("started_at", "full", "day", "ders", "aggregations", "changed", "ended_at")
    list_filter = ("full",)


@admin.register(RuleChange)
class RuleChangeAdmin(Asking, RecordAdmin):
    section = "Rule sets"
    ask_permission, asked = rulesets.PERMISSION, "Draft the change"
    ask_words = (
        "A row of the law to be: its page in the portal shows whom it would touch, and another person schedules it here or there. The row "
        "that holds until then ends on that day."
    )
    list_display = ("key", "authority", "value", "starts_on", "status", "organization")
    list_filter = ("status",)
    list_select_related = ("organization",)
    search_fields = ("key", "source")
    moves = ("schedule", "withdraw")

    def ask_form(self, request) -> ChangeForm:
        initial = {"starts_on": timezone.localdate()} | {name: request.GET[name] for name in ("key", "authority") if name in request.GET}
        return ChangeForm(request.POST or None, user=request.user, initial=initial)

    def ask(self, actor, **said) -> RuleChange:
        return rulesets.draft(actor=actor, **said)

    def asked_for(self, made: RuleChange) -> tuple[str, str]:
        words = format_html('Drafted. <a href="{}">See whom it would touch</a>.', reverse("registry:rule_change", args=[made.uuid]))
        return words, self.address("change", made.pk)

    def move_service(self, *, actor, rows, name, reason):
        for change in rows:
            passes.settle(actor=actor, change=change, name=name)
