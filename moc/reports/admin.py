"""Reports and their runs: built, run, retired and restored here as on the pages of reports, and their files fetched."""

from django.contrib import admin, messages
from django.db import transaction
from django.http import Http404
from django.urls import reverse
from django.utils.html import format_html

from moc.access import policy
from moc.access.models import Organization
from moc.admin import RecordAdmin
from moc.admin.asking import Asking
from moc.admin.filters import ScopedFilter
from moc.errors import UserError
from moc.reports import previews, services
from moc.reports.datasets import Dataset, NoSuch, Ready, all_datasets, all_ready, source_of
from moc.reports.forms import BuilderForm, KeptReadyForm, kept_fields
from moc.reports.models import PERMISSION, ReportDefinition, ReportRun


@admin.register(ReportDefinition)
class ReportDefinitionAdmin(Asking, RecordAdmin):
    ask_permission, asked, ask_template = PERMISSION, "Save the report", "admin/define_report.html"
    ask_words = "A report on a dataset or a ready-made one, with what it shows, when it runs by itself and how it is delivered."
    list_display = ("name", "organization", "user", "source", "status", "every", "next_at")
    list_filter = ("status", "every", ("organization", ScopedFilter))
    list_select_related = ("organization", "user")
    search_fields = ("=uuid",)
    search_help_text = "The report's id"
    moves = ("retire", "restore")
    actions = ("run_now",)

    def source(self, request) -> Dataset | Ready | None:
        """What the report is on; none while that is being chosen. 404 for what there is not."""
        code = request.POST.get("source") or request.GET.get("source")
        try:
            return source_of(code) if code else None
        except NoSuch:
            raise Http404 from None

    def ask_form(self, request):
        source = self.source(request)
        if source is None:
            return None
        kind = BuilderForm if isinstance(source, Dataset) else KeptReadyForm
        mine = Organization.objects.filter(pk__in=policy.reach(request.user, PERMISSION)).order_by("name")
        form = kind(request.POST or None, source=source, organizations=mine, initial={"name": source.title})
        form.fields["name"].required = not self.only_looks(request)
        return form

    def only_looks(self, request) -> bool:
        return "preview" in request.POST

    def ask_context(self, request, form) -> dict:
        if form is None:
            return {"catalogue": (("Datasets", all_datasets().values()), ("Ready-made", all_ready().values()))}
        source = form.source
        asked = [("What it asks for", "", [form[each.name] for each in getattr(source, "parameters", ())]), *kept_fields(form)]
        laid = form.laid_out() if isinstance(source, Dataset) else asked
        return {"source": source, "fieldsets": laid, "result": self._preview(request, form)}

    def _preview(self, request, form) -> dict | None:
        """The first rows of what the form asks for, where that is wanted; a refusal stands at the form."""
        if not self.only_looks(request) or not form.is_valid():
            return None
        try:
            return previews.of_form(request.user, form)
        except UserError as refusal:
            form.add_error(None, str(refusal))
            return None

    def said(self, form) -> dict:
        return {"organization": form.cleaned_data["organization"], "source": form.source.code, "spec": form.spec(), **form.kept()}

    def ask(self, actor, **said):
        if not said:
            raise UserError("Choose what the report is on.", "Choose a dataset or a ready-made report.", "REPORT-SOURCE")
        return services.define(actor=actor, **said)

    def asked_for(self, made) -> tuple[str, str]:
        return f"{made} is saved. Run it from the list.", self.address("change", made.pk)

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
    list_display = ("title", "organization", "user", "format", "row_count", "scheduled", "read_at", "file")
    list_filter = ("format", "scheduled", ("organization", ScopedFilter))
    list_select_related = ("organization", "user", "document")

    @admin.display(description="File")
    def file(self, run: ReportRun) -> str:
        """The file of a run, to be fetched."""
        return format_html('<a href="{}">{}</a>', reverse("document", args=[run.document.uuid]), run.document) if run.document else "–"
