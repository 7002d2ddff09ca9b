"""Pages of reports: those that were saved, the ready-made ones, the builder with its preview, and the runs."""

from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.functional import cached_property
from django.views.generic import View

from moc.access import policy
from moc.access.models import Organization
from moc.errors import UserError
from moc.jobs.models import Job
from moc.jobs.views import RUNNING, progress_of
from moc.portal import Column, Create, Detail, List, Page, Table, Transition, Update
from moc.portal.changes import FormPage
from moc.reports import previews, services
from moc.reports.datasets import Dataset, NoSuch, Ready, all_datasets, all_ready, source_of
from moc.reports.forms import BuilderForm, KeptReadyForm, ReadyForm, initial_of, kept_fields
from moc.reports.models import PERMISSION, Format, ReportDefinition, ReportRun

TITLE = "Reports"
ABOVE = ((TITLE, "report_list"),)


class ForReporters:
    """Pages for those who may run reports somewhere."""

    permission = view_permission = PERMISSION

    def dispatch(self, request, *args, **kwargs) -> HttpResponse:
        if request.user.is_authenticated and not policy.allows(request.user, PERMISSION):
            raise Http404
        return super().dispatch(request, *args, **kwargs)

    @property
    def organizations(self):
        """Those for which the user may run reports."""
        return Organization.objects.filter(pk__in=policy.reach(self.request.user, PERMISSION)).order_by("name")


def chosen(code: str) -> Dataset | Ready:
    """A dataset or ready-made report of the address; 404 for none."""
    try:
        return source_of(code)
    except NoSuch:
        raise Http404 from None


class ReportList(ForReporters, List):
    """The reports that the user may see: the own ones and those shared with the organisation."""

    model = ReportDefinition
    title, noun = TITLE, "reports"
    lead = "Saved reports run on request or by themselves; what they show is what you may see."
    table = Table(
        caption=TITLE,
        url=lambda row: reverse("report_detail", args=[row["uuid"]]),
        needs=("uuid",),
        empty_title="No report was saved yet",
        columns=(
            Column("name", "Report"),
            Column("organization__name", "Organization"),
            Column("user__name", "Author"),
            Column("status", "Status", kind="status", choices=ReportDefinition.Status),
            Column("every", "Runs", choices=ReportDefinition.Every),
            Column("next_at", "Next run"),
        ),
    )

    def actions(self) -> list[tuple[str, str, bool]]:
        pages = (
            ("Build a report", "report_new", True),
            ("Ready-made reports", "report_ready_list", False),
            ("Runs", "report_run_list", False),
        )
        return [(label, reverse(name), primary) for label, name, primary in pages]


class Catalogue(ForReporters, Page):
    """The ready-made reports."""

    title, parents, template_name = "Ready-made reports", ABOVE, "reports/catalogue.html"
    lead = "Reports that agencies and the law ask for. Each can be run at once, or saved with a schedule."

    def get_context_data(self, **kwargs) -> dict:
        entries = [(each.title, each.about, each.cites, reverse("report_ready", args=[each.code])) for each in all_ready().values()]
        return super().get_context_data(**{"entries": entries} | kwargs)


class Datasets(ForReporters, Page):
    """The datasets to build a report on."""

    title, parents, template_name = "Build a report", ABOVE, "reports/catalogue.html"
    lead = "Choose what it is about."

    def get_context_data(self, **kwargs) -> dict:
        entries = [(each.title, each.about, "", reverse("report_build", args=[each.code])) for each in all_datasets().values()]
        return super().get_context_data(**{"entries": entries} | kwargs)


class Previewing(ForReporters, FormPage):
    """A form whose report can be looked at before it is saved or run: the button "preview"."""

    template_name = "reports/build.html"

    @cached_property
    def source(self) -> Dataset | Ready:
        return chosen(self.kwargs["code"])

    def get_title(self) -> str:
        return self.source.title

    @property
    def lead(self) -> str:
        return self.source.about

    def get_form_kwargs(self) -> dict:
        return {"source": self.source, "organizations": self.organizations}

    def post(self, request, *args, **kwargs) -> HttpResponse:
        if "preview" not in request.POST:
            return super().post(request, *args, **kwargs)
        self.form.fields.get("name", self.form.fields["format"]).required = False  # who looks has not named it yet
        if not self.form.is_valid():
            return self.render_to_response(self.get_context_data(), status=422)
        try:
            return self.render_to_response(self.get_context_data(result=self.preview()))
        except UserError as refusal:
            self.form.add_error(None, str(refusal))
            return self.render_to_response(self.get_context_data(), status=422)

    def preview(self) -> dict:
        return previews.of_form(self.request.user, self.form)

    def get_context_data(self, **kwargs) -> dict:
        laid = self.form.laid_out() if isinstance(self.form, BuilderForm) else None
        if laid is None and "name" in self.form.fields:
            asked = [self.form[each.name] for each in self.source.parameters]
            laid = [*([("What it asks for", "", asked)] if asked else []), *kept_fields(self.form)]
        about = {"fieldsets": laid, "cites": getattr(self.source, "cites", ""), "only_now": getattr(self.source, "undated", "")}
        return super().get_context_data(**about | kwargs)


class ReadyReport(Previewing):
    """One ready-made report: preview, or run."""

    form_class, submit_label, parents = ReadyForm, "Run", (*ABOVE, ("Ready-made reports", "report_ready_list"))

    def get_form_kwargs(self) -> dict:
        if not isinstance(self.source, Ready):
            raise Http404
        return super().get_form_kwargs()

    def perform(self, form) -> ReportRun:
        said = form.cleaned_data
        return services.run_ready(
            actor=self.request.user,
            organization=said["organization"],
            source=self.source.code,
            parameters=form.spec()["parameters"],
            format=said["format"],
        )

    def done_url(self, result: ReportRun) -> str:
        return reverse("report_run", args=[result.uuid])

    def get_context_data(self, **kwargs) -> dict:
        save = reverse("report_build", args=[self.source.code])
        return super().get_context_data(**{"actions": [("Save with a schedule", save, False)]} | kwargs)


class Build(Previewing, Create):
    """A new report on a dataset, or a ready-made one with its parameters."""

    submit_label, success, parents = "Save", "The report is saved.", (*ABOVE, ("Build a report", "report_new"))

    @property
    def form_class(self):
        return BuilderForm if isinstance(self.source, Dataset) else KeptReadyForm

    def get_form_kwargs(self) -> dict:
        initial = {"name": self.source.title} if isinstance(self.source, Ready) else {}
        return super().get_form_kwargs() | {"initial": initial}

    def perform(self, form) -> ReportDefinition:
        organization = form.cleaned_data["organization"]
        return services.define(actor=self.request.user, organization=organization, source=self.source.code, spec=form.spec(), **form.kept())

    def done_url(self, result: ReportDefinition) -> str:
        return reverse("report_detail", args=[result.uuid])


class ChangeReport(Previewing, Update):
    """Another definition, name or schedule."""

    model, submit_label, success, parents = ReportDefinition, "Save", "The report is changed.", ABOVE

    @cached_property
    def source(self) -> Dataset | Ready:
        return chosen(self.object.source)

    @property
    def form_class(self):
        return BuilderForm if isinstance(self.source, Dataset) else KeptReadyForm

    def get_title(self) -> str:
        return f"Change {self.object}"

    def allowed(self) -> bool:
        return policy.allows(self.request.user, PERMISSION, self.object.organization)

    def get_form_kwargs(self) -> dict:
        kept = {name: getattr(self.object, name) for name in ("name", "about", "is_shared", "format", "every", "ways")}
        mine = self.organizations.filter(pk=self.object.organization_id)
        return {"source": self.source, "organizations": mine, "initial": initial_of(self.object.spec) | kept}

    def perform(self, form) -> None:
        services.change(actor=self.request.user, definition=self.object, spec=form.spec(), **form.kept())

    def done_url(self, result) -> str:
        return reverse("report_detail", args=[self.object.uuid])


class ReportDetail(Detail):
    """One report: what it asks, when it runs, its latest runs and versions."""

    model, permission, template_name = ReportDefinition, PERMISSION, "reports/detail.html"
    parents, related, transition_url, keeps_versions = ABOVE, ("organization", "user"), "report_transition", False

    def actions(self) -> list[tuple[str, str, bool]]:
        active = self.object.status == ReportDefinition.Status.ACTIVE
        return [("Change", reverse("report_change", args=[self.object.uuid]), False)] if active else []

    def transitions(self) -> list[dict]:
        """Moves are the organisation's own."""
        return super().transitions() if policy.allows(self.request.user, PERMISSION, self.object.organization) else []

    def facts(self) -> list:
        report = self.object
        try:
            found = source_of(report.source)
            asked = [(what, which, None, "") for what, which in services.wording(found, report.spec)]
            title = found.title
        except UserError as refusal:  # a dataset or column that is gone with the software that had it
            asked, title = [("Definition", str(refusal), None, "")], report.source
        kept = [
            ("Organization", report.organization, None, ""),
            ("Author", report.user, None, "it runs with the author's rights in the organization"),
            ("Shared with the organization", report.is_shared, None, ""),
            ("Format", report.get_format_display(), None, ""),
            ("Runs by itself", report.get_every_display(), None, ""),
            ("Next run", report.next_at, None, ""),
            ("Delivered by", ", ".join(ReportDefinition.Way(way).label for way in report.ways), None, ""),
        ]
        return [("What it asks", [("Data", title, None, ""), *asked]), ("How it is kept", kept)]

    def get_context_data(self, **kwargs) -> dict:
        runs = ReportRun.objects.visible_to(self.request.user, PERMISSION).filter(definition=self.object)
        versions = self.object.history.select_related("history_user").order_by("-history_date", "-history_id")[:20]
        more = {"runs": runs.select_related("document", "user", "job")[:10], "formats": Format.choices, "versions": versions}
        return super().get_context_data(**more | kwargs)


class RunReport(ForReporters, LoginRequiredMixin, View):
    """POST: run a saved report now."""

    http_method_names = ["post"]

    def post(self, request, uuid) -> HttpResponse:
        definition = get_object_or_404(ReportDefinition.objects.visible_to(request.user, PERMISSION), uuid=uuid)
        try:
            made = services.run(actor=request.user, definition=definition, format=request.POST.get("format", ""))
        except UserError as refusal:
            messages.error(request, str(refusal))
            return HttpResponseRedirect(reverse("report_detail", args=[uuid]))
        return HttpResponseRedirect(reverse("report_run", args=[made.uuid]))


class MoveReport(Transition):
    """POST: retire or restore."""

    model, detail_url, view_permission = ReportDefinition, "report_detail", PERMISSION

    def move(self, actor, obj, name: str, reason: str) -> None:
        services.move(actor=actor, definition=obj, name=name, reason=reason)


class RunList(ForReporters, List):
    """Runs, newest first."""

    model, title, noun, parents = ReportRun, "Runs of reports", "runs", ABOVE
    table = Table(
        caption="Runs of reports",
        url=lambda row: reverse("report_run", args=[row["uuid"]]),
        needs=("uuid",),
        empty_title="No report was run yet",
        columns=(
            Column("title", "Report"),
            Column("created_at", "Run"),
            Column("user__name", "By"),
            Column("format", "Format", choices=Format),
            Column("row_count", "Rows", numeric=True),
            Column("document__name", "File"),
        ),
    )


class RunDetail(Detail):
    """One run: its progress, then its file."""

    model, permission, template_name = ReportRun, PERMISSION, "reports/run.html"
    parents, related = (*ABOVE, ("Runs of reports", "report_run_list")), ("organization", "user", "document", "seal", "definition")

    def facts(self) -> list:
        made = self.object
        try:
            asked = [(what, which, None, "") for what, which in services.wording(source_of(made.source), made.spec)]
        except UserError as refusal:
            asked = [("Definition", str(refusal), None, "")]
        rows = [
            ("Organization", made.organization, None, ""),
            ("Run by", made.user, None, ""),
            ("Format", made.get_format_display(), None, ""),
            ("Rows", made.row_count, None, ""),
            ("Read at", made.read_at, None, ""),
            ("Last seal before", made.seal, None, ""),
            ("SHA-256 of the file", made.document.sha256 if made.document else "", None, ""),
        ]
        return [("The run", rows), *([("What was asked", asked)] if asked else [])]

    def get_context_data(self, **kwargs) -> dict:
        job = Job.objects.visible_to(self.request.user).filter(pk=self.object.job_id).first()
        waits = job is not None and (job.status in RUNNING or self.object.document_id is None)
        return super().get_context_data(**{"progress": progress_of(job) if waits else None} | kwargs)
