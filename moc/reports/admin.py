"""Reports and their runs, to be read; they are built and run on the pages of reports."""

from django.contrib import admin

from moc.admin import RecordAdmin
from moc.admin.filters import ScopedFilter
from moc.reports.models import ReportDefinition, ReportRun


@admin.register(ReportDefinition)
class ReportDefinitionAdmin(RecordAdmin):
    list_display = ("name", "organization", "user", "source", "status", "every", "next_at")
    list_filter = ("status", "every", ("organization", ScopedFilter))
    list_select_related = ("organization", "user")


@admin.register(ReportRun)
class ReportRunAdmin(RecordAdmin):
    list_display = ("title", "organization", "user", "format", "row_count", "scheduled", "read_at", "document")
    list_filter = ("format", "scheduled", ("organization", ScopedFilter))
    list_select_related = ("organization", "user", "document")
