"""The law's numbers, edited by the operator; rows that nobody has checked are listed on the front page."""

from django.contrib import admin

from moc.admin import Line, RecordAdmin, ReferenceAdmin, panel
from moc.rulesets.models import RuleChange, RuleSet


@admin.register(RuleSet)
class RuleSetAdmin(ReferenceAdmin):
    section = "Rule sets"
    write_permission = "manage_rulesets"
    list_display = ("key", "authority", "value", "unit", "valid_during", "verified")
    list_filter = ("verified", "authority")
    search_fields = ("key", "source")


@admin.register(RuleChange)
class RuleChangeAdmin(RecordAdmin):
    section = "Rule sets"
    list_display = ("key", "authority", "value", "starts_on", "status", "organization")
    list_filter = ("status",)
    list_select_related = ("organization",)
    search_fields = ("key", "source")


@panel("Rule sets to verify", order=40, empty="Every number of the law has been checked.")
def unverified(user) -> list[Line]:
    """The first of the rows that nobody has checked against the tariff."""
    own = admin.site.get_model_admin(RuleSet)
    rows = RuleSet.objects.filter(verified=False)
    lines = [Line(str(row), own.address("change", row.pk), row.source) for row in rows.order_by("key", "authority")[:5]]
    further = rows.count() - len(lines)
    return [*lines, Line(f"{further} more", f"{own.address('changelist')}?verified__exact=0")] if further > 0 else lines
