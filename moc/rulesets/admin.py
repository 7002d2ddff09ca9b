"""The law's numbers: a value comes in force as a rule change only, by two people; here it is verified, with its source. Rows that nobody
has checked are listed on the front page."""

from django.contrib import admin

from moc.admin import Line, ReferenceAdmin, panel
from moc.rulesets.models import RuleSet


@admin.register(RuleSet)
class RuleSetAdmin(ReferenceAdmin):
    section = "Rule sets"
    write_permission = "manage_rulesets"
    list_display = ("key", "authority", "value", "unit", "valid_during", "verified")
    list_filter = ("verified", "authority")
    search_fields = ("key", "source")

    def has_add_permission(self, request) -> bool:
        """A row begins as a rule change."""
        return False

    def get_readonly_fields(self, request, obj=None):
        """What holds, for whom and when is changed by a rule change."""
        return [*super().get_readonly_fields(request, obj), "key", "authority", "value", "unit", "valid_during"]


@panel("Rule sets to verify", order=40, empty="Every number of the law has been checked.")
def unverified(user) -> list[Line]:
    """The first of the rows that nobody has checked against the tariff."""
    own = admin.site.get_model_admin(RuleSet)
    rows = RuleSet.objects.filter(verified=False)
    lines = [Line(str(row), own.address("change", row.pk), row.source) for row in rows.order_by("key", "authority")[:5]]
    further = rows.count() - len(lines)
    return [*lines, Line(f"{further} more", f"{own.address('changelist')}?verified__exact=0")] if further > 0 else lines
