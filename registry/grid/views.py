"""Pages of grid records: a list for each kind, a record with its history, and the loads by which a utility brings them in."""

from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.functional import cached_property
from django.views.generic import TemplateView, View

from moc.jobs.views import RUNNING, progress_of, refusal_of
from moc.portal import Create, Detail, List, Sort, Transition
from moc.portal.shell import url_of
from registry.grid import blanks, filters, reports
from registry.grid.dictionary import KINDS
from registry.grid.forms import LoadForm, utilities_of
from registry.grid.models import GridLoad
from registry.grid.services import loads
from registry.grid.tables import EXPORTS, LOAD_TABLE, TABLES

GRID = (("Grid records", "registry:grid"),)
LOADS = (*GRID, ("Loads", "registry:grid_loads"))
Kind = GridLoad.Kind
NEWEST = (Sort("-id", ("-id",)), Sort("id", ("id",)))
FILTERS = {
    Kind.TD_INTERFACES: filters.CodedFilterSet,
    Kind.SUBSTATIONS: filters.CodedFilterSet,
    Kind.FEEDERS: filters.FeederFilterSet,
    Kind.TRANSFORMERS: filters.TransformerFilterSet,
    Kind.SERVICE_POINTS: filters.ServicePointFilterSet,
}
RELATED = {
    Kind.TD_INTERFACES: ("edc", "pnode"),
    Kind.SUBSTATIONS: ("edc", "td_interface"),
    Kind.FEEDERS: ("edc", "substation"),
    Kind.TRANSFORMERS: ("edc", "feeder"),
    Kind.SERVICE_POINTS: ("edc", "transformer", "feeder", "county"),
}
ENVELOPES = {Kind.FEEDERS: "feeder", Kind.TRANSFORMERS: "transformer", Kind.SERVICE_POINTS: "service_point"}


class OfKind:
    """A page about the kind of grid record that its address names."""

    @cached_property
    def kind(self) -> Kind:
        name = self.kwargs.get("kind", Kind.SERVICE_POINTS)
        if name not in KINDS:
            raise Http404
        return Kind(name)

    @property
    def model(self):
        return KINDS[self.kind].model


class GridList(OfKind, List):
    """The grid records of one kind within reach, in the order of their codes."""

    template_name = "registry/grid/list.html"
    exports = (("CSV", "registry:grid_csv"), ("XLSX", "registry:grid_xlsx"))
    counts_filtered = True

    @property
    def title(self) -> str:
        return self.kind.label

    @property
    def noun(self) -> str:
        return self.kind.label if self.kind == Kind.TD_INTERFACES else self.kind.label.lower()

    @property
    def table(self):
        return TABLES[self.kind]

    @property
    def filterset_class(self):
        return FILTERS[self.kind]

    @property
    def sorts(self) -> tuple[Sort, ...]:
        if self.moment and self.kind == Kind.SERVICE_POINTS:
            return NEWEST  # the past of so many is indexed by utility and age only
        key = KINDS[self.kind].key
        return Sort(key, ("edc_id", key)), Sort(f"-{key}", ("-edc_id", f"-{key}"))

    @property
    def export_columns(self) -> dict[str, str]:
        return EXPORTS[self.kind]

    @property
    def export_name(self) -> str:
        return str(self.kind)

    def actions(self) -> list[tuple[str, str, bool]]:
        if not utilities_of(self.request.user):
            return []
        return [("Load a file", f"{reverse('registry:grid_load_new')}?kind={self.kind}", True)]

    def get_context_data(self, **kwargs) -> dict:
        self.kwargs.setdefault("kind", str(self.kind))
        kinds = [(kind.label, reverse("registry:grid_list", args=[kind]), kind == self.kind) for kind in Kind]
        return super().get_context_data(**{"kinds": kinds, "loads_url": reverse("registry:grid_loads")} | kwargs)


class GridRecord(OfKind, Detail):
    """One grid record, now or as of a moment, with its history."""

    key = "pk"
    keeps_versions = True
    parents = GRID

    @property
    def related(self) -> tuple[str, ...]:
        return RELATED[self.kind]

    def actions(self) -> list[tuple[str, str, bool]]:
        """The envelope of all that is connected there."""
        kind = ENVELOPES.get(self.kind) if self.moment is None else None
        envelope = url_of("operations:envelope_group", kind, self.object.pk) if kind else ""
        return [("Operating envelope", envelope, False)] if envelope else []

    def facts(self) -> list:
        return reports.facts(self.object)


class LoadList(List):
    """The files of grid records within reach, newest first."""

    model = GridLoad
    title = "Loads of grid records"
    noun = "loads"
    table = LOAD_TABLE
    filterset_class = filters.LoadFilterSet
    sorts = (Sort("-id", ("-id",)), Sort("id", ("id",)))
    parents = GRID

    def actions(self) -> list[tuple[str, str, bool]]:
        return [("Load a file", reverse("registry:grid_load_new"), True)] if utilities_of(self.request.user) else []


class NewLoad(Create):
    """A file of grid records, with the columns of each kind below the form."""

    title = "Load grid records"
    lead = "Rows are matched by your own codes: a known code changes the record, a new one adds it. Absent columns keep their values."
    permission = "manage_grid"
    parents = LOADS
    form_class = LoadForm
    submit_label = "Upload and load"
    template_name = "registry/grid/load.html"

    def allowed(self) -> bool:
        return utilities_of(self.request.user).exists()

    def get_form_kwargs(self) -> dict:
        wanted = self.request.GET.get("kind")
        return {"user": self.request.user, "initial": {"kind": wanted} if wanted in KINDS else {}}

    def perform(self, form) -> GridLoad:
        given = form.cleaned_data
        only_good = given["rows"] == LoadForm.GOOD
        return loads.receive(actor=self.request.user, edc=given["edc"], kind=given["kind"], upload=given["file"], only_good=only_good)

    def done_url(self, result: GridLoad) -> str:
        return reverse("registry:grid_load", args=[result.uuid])

    def get_context_data(self, **kwargs) -> dict:
        kinds = [(kind, kind.label, [blanks.entry(KINDS[kind], column) for column in KINDS[kind].columns]) for kind in Kind]
        return super().get_context_data(
            **{"kinds": kinds, "headings": blanks.HEADER, "cancel_url": reverse("registry:grid_loads")} | kwargs
        )


class LoadDetail(Detail):
    """A load: how far it is, what was found, what became of it."""

    model = GridLoad
    template_name = "registry/grid/load_detail.html"
    parents = LOADS
    related = ("edc", "document", "job", "created_by")
    transition_url = "registry:grid_load_transition"

    def facts(self) -> list:
        load = self.object
        sheet = load.sheet
        rows = [
            ("Utility", load.edc, None, None),
            ("Records", load.get_kind_display(), None, None),
            ("If rows have errors", "the good rows are loaded" if load.only_good else "nothing is loaded", None, None),
            ("Uploaded", load.created_at, None, None),
        ]
        if sheet:
            rows += [
                ("Columns recognised", ", ".join(name for name in sheet["columns"] if name), None, None),
                ("Columns not known, ignored", sheet["unknown"], None, None),
            ]
        return [("Load", rows)]

    def address(self, **changes) -> str:
        """This page on another page of findings."""
        given = {name: value for name, value in changes.items() if value}
        return "?" + "&".join(f"{name}={value}" for name, value in given.items()) + "#findings"

    def get_context_data(self, **kwargs) -> dict:
        load, job = self.object, self.object.job
        shown = {"progress": progress_of(job) if job and load.status == GridLoad.Status.READING else None}
        if shown["progress"] is None:
            found, page = reports.findings_page(load, self.request.GET, self.address)
            shown |= {"finding_counts": reports.counts_by_rule(load), "findings": found, "findings_page": page}
            shown["refusal"] = refusal_of(load.job_id) if load.status == GridLoad.Status.FAILED else None
            shown["records_url"] = reverse("registry:grid_list", args=[load.kind])
        if shown["progress"]:
            shown["progress"] |= {"url": reverse("registry:grid_load_progress", args=[load.uuid])}
        return super().get_context_data(**shown | kwargs)


class LoadProgress(LoginRequiredMixin, TemplateView):
    """The progress alone, fetched while the file is read; the page is reloaded once when it has ended."""

    template_name = "includes/progress.html"

    def get(self, request, *args, **kwargs) -> HttpResponse:
        load = get_object_or_404(GridLoad.objects.visible_to(request.user).select_related("job"), uuid=kwargs["uuid"])
        if load.status != GridLoad.Status.READING or load.job is None or load.job.status not in RUNNING:
            return HttpResponse(headers={"HX-Refresh": "true"})
        shown = progress_of(load.job) | {"url": request.path}
        return self.render_to_response(self.get_context_data(progress=shown))


class LoadTransition(Transition):
    """Loading the good rows of a refused file."""

    model = GridLoad
    detail_url = "registry:grid_load"

    def move(self, actor, obj: GridLoad, name: str, reason: str) -> None:
        loads.take_good(actor=actor, load=obj)


class GridTemplate(LoginRequiredMixin, OfKind, View):
    """An empty table with the header, an example and the dictionary of columns."""

    suffix = "csv"

    def get(self, request, *args, **kwargs) -> HttpResponse:
        content, media_type = blanks.WRITERS[self.suffix]
        headers = {"Content-Disposition": f'attachment; filename="{self.kind}.{self.suffix}"'}
        return HttpResponse(content(KINDS[self.kind]), content_type=media_type, headers=headers)
