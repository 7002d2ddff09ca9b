"""Reports and their runs: built on the pages of reports, run, retired and restored here too."""

from django.contrib import admin, messages
from django.db import transaction

from moc.access import policy
from moc.admin import RecordAdmin
from moc.admin.filters import ScopedFilter
from moc.errors import UserError
from moc.reports import services
from moc.reports.models import PERMISSION, ReportDefinition, ReportRun


@admin.register(ReportDefinition)
class ReportDefinitionAdmin(RecordAdmin):
    list_display = ("name", "organization", "user", "source", "status", "every", "next_at")
    list_filter = ("status", "every", ("organization", ScopedFilter))
    list_select_related = ("organization", "user")
    search_fields = ("=uuid",)
    search_help_text = "The report's id"
    moves = ("retire", "restore")
    actions = ("run_now",)

    def move_service(self, *, actor, rows, name, reason):
        with transaction.atomic():
            for definition in rows.select_related("organization"):
                services.move(actor=actor, definition=definition, name=name, reason=reason)

    def has_run_permission(self, request) -> bool:
        return policy.allows(request.user, PERMISSION) and self.moment(request) is None

    @admin.action(description="Run now", permissions=["run"])
    def run_now(self, request, queryset):
        """Each chosen report is run for its organisation; a refusal is told and none is run."""
        try:
            with transaction.atomic():
                made = [services.run(actor=request.user, definition=each) for each in queryset.select_related("organization")]
        except (UserError, policy.NotPermitted) as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, f"Runs asked for: {', '.join(run.title for run in made)}. They appear below Report runs.")


@admin.register(ReportRun)
class ReportRunAdmin(RecordAdmin):
    list_display = ("title", "organization", "user", "format", "row_count", "scheduled", "read_at", "document")
    list_filter = ("format", "scheduled", ("organization", ScopedFilter))
    list_select_related = ("organization", "user", "document")
