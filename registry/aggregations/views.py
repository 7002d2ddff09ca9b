"""Pages of aggregations: the list, the record, its composition, its members and how they come and go."""

from django.contrib.auth.mixins import LoginRequiredMixin
from django.db import transaction
from django.db.models import Q
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.views.generic import TemplateView

from moc import sight
from moc.access import policy
from moc.jobs.models import Job
from moc.jobs.views import RUNNING, progress_of
from moc.portal import Create, Detail, End, List, Sort, Transition, Update
from moc.portal.paging import count_up_to
from moc.portal.versions import FIELD, HeldParts
from registry.aggregations import forms, reports
from registry.aggregations.filters import AggregationFilterSet, MemberFilterSet
from registry.aggregations.models import AGENTS, AgentGrant, Aggregation, AggregationMember
from registry.aggregations.services import agents, building, loads, membership
from registry.aggregations.tables import AGGREGATION_EXPORT, AGGREGATION_TABLE, MEMBER_EXPORT, MEMBER_TABLE, UNLINKED

NEWEST = (Sort("-id", ("-id",)), Sort("id", ("id",)))
LIST = (("Aggregations", "registry:aggregation_list"),)
PARTIES = ("aggregator", "tso", "edc", "td_interface", *AGENTS)

# how members come and go: of a registered aggregation by filings, of any other as its aggregator likes
FREELY = (("Add", "add", True), ("Drop", "drop", False), ("Add or drop by file", "file", False))
FILED = (("File who joins", "join", True), ("File who leaves", "leave", False), ("File by table", "members_filed", False))


def at(name: str, aggregation, *further) -> str:
    return reverse(f"registry:aggregation_{name}", args=[aggregation.uuid, *further])


class AggregationList(List):
    """The aggregations within reach, newest first."""

    model = Aggregation
    title = "Aggregations"
    noun = "aggregations"
    table = AGGREGATION_TABLE
    filterset_class = AggregationFilterSet
    sorts = NEWEST
    exports = (("CSV", "registry:aggregation_csv"), ("XLSX", "registry:aggregation_xlsx"))
    export_columns = AGGREGATION_EXPORT
    export_name = "aggregations"
    counts_filtered = True

    def actions(self) -> list[tuple[str, str, bool]]:
        may = forms.aggregators_of(self.request.user).exists()
        return [("New aggregation", reverse("registry:aggregation_new"), True)] if may else []

    def branches(self):
        """A few thousand rows: one query with the whole scope is cheaper than a branch for each of seven paths."""
        if self.moment:
            return super().branches()
        return [Q(pk__in=Aggregation.objects.visible_to(self.request.user, self.permission).order_by().values("pk"))]


class OfAggregation:
    """A page below an aggregation that the user sees."""

    @cached_property
    def aggregation(self) -> Aggregation:
        rows = Aggregation.objects.visible_to(self.request.user).select_related("aggregator")
        return get_object_or_404(rows, uuid=self.kwargs["uuid"])

    def may_change(self) -> bool:
        """Its aggregator's people change it: not its agents, though it is open to them."""
        return policy.allows(self.request.user, "file_ders", self.aggregation.aggregator)

    def allowed(self) -> bool:
        return self.may_change()

    def breadcrumbs(self) -> list[tuple[str, str]]:
        above = [(label, reverse(name)) for label, name in LIST]
        return [*above, (str(self.aggregation), at("detail", self.aggregation)), (self.get_title(), "")]


class AggregationDetail(Detail):
    """One aggregation, now or as of a moment."""

    model = Aggregation
    template_name = "registry/aggregations/detail.html"
    keeps_versions = True
    parents = LIST
    related = PARTIES
    transition_url = "registry:aggregation_transition"

    def actions(self) -> list[tuple[str, str, bool]]:
        record = self.object
        shown = [("Members", at("members", record), False), ("Composition", at("composition", record), False)]
        if self.moment is None and policy.allows(self.request.user, "file_ders", record.aggregator):
            registered = record.status in membership.REGISTERED
            shown += [("Add members", at("join" if registered else "add", record), True), ("Change", at("change", record), False)]
            shown += [("Response by node", at("factors", record), False)] if record.is_wholesale else []
        return shown

    def facts(self) -> list:
        return reports.facts(self.object)

    def transitions(self) -> list[dict]:
        """The moves of its aggregator's people; who validates has pages of their own."""
        if self.moment is not None or not policy.allows(self.request.user, "submit_ders", self.object.aggregator):
            return []
        return [move for move in super().transitions() if move["name"] in building.MOVES]

    def get_context_data(self, **kwargs) -> dict:
        pk, shown = self.object.id, {}
        if self.moment is None:
            own = AggregationMember.objects.filter(aggregation_id=pk)
            if not reports.sees_all(self.request.user, self.object):
                own = own.visible_to(self.request.user)
            day = timezone.localdate()
            shown = {"members": count_up_to(own, None), "factors": list(self.object.pnodes.select_related("pnode").not_over(day))}
            may = policy.allows(self.request.user, "file_ders", self.object.aggregator)
            shown |= {"agents": reports.agents(self.object), "may_end": may}
        return super().get_context_data(**shown | kwargs)


class AggregationTransition(Transition):
    """A move of an aggregation by its aggregator."""

    model = Aggregation
    detail_url = "registry:aggregation_detail"

    def move(self, actor, obj: Aggregation, name: str, reason: str) -> None:
        if name not in building.MOVES:
            raise Http404
        building.move(actor=actor, aggregation=obj, name=name, reason=reason)


class Grouped:
    """The form of an aggregation, in groups."""

    form_class = forms.AggregationForm

    def get_context_data(self, **kwargs) -> dict:
        form = self.form
        groups = [(title, text, [form[name] for name in names.split()]) for title, text, names in forms.GROUPS]
        if "aggregator" in form.fields:
            groups[0][2].insert(0, form["aggregator"])
        return super().get_context_data(**{"fieldsets": groups} | kwargs)

    def done_url(self, result: Aggregation) -> str:
        return at("detail", result)


class NewAggregation(Grouped, Create):
    """A draft of an aggregation."""

    title = "New aggregation"
    lead = "It stays a draft, which only you see, until you submit it. Members are added next."
    permission = "file_ders"
    parents = LIST
    submit_label = "Save the draft"

    def allowed(self) -> bool:
        return forms.aggregators_of(self.request.user).exists()

    def get_form_kwargs(self) -> dict:
        return {"user": self.request.user}

    def perform(self, form) -> Aggregation:
        return building.create(actor=self.request.user, aggregator=form.builder, **form.facts())


class ChangeAggregation(OfAggregation, Grouped, Update):
    """An aggregation's facts."""

    model = Aggregation
    title = "Change the aggregation"
    submit_label = "Save"

    def get_form_kwargs(self) -> dict:
        return {"user": self.request.user, "instance": self.object}

    def perform(self, form) -> Aggregation:
        given = {name: value or self.object.aggregator if name in AGENTS else value for name, value in form.facts().items()}
        return building.change(actor=self.request.user, aggregation=self.object, **given)


class EndAgent(OfAggregation, End):
    """Another party's agency ends."""

    lead = "Then the aggregator does it itself, and the other party no longer sees the aggregation."
    submit_label = "End it"
    form_class = forms.EndAgentForm

    @property
    def title(self) -> str:
        return f"End the {self.kwargs['role'].replace('_', ' ')}"

    def allowed(self) -> bool:
        return self.kwargs["role"] in AGENTS and self.may_change()

    @cached_property
    def ended(self) -> AgentGrant | None:
        return AgentGrant.objects.filter(content_object=self.aggregation, permission__codename=self.kwargs["role"]).first()

    def perform(self, form) -> Aggregation:
        agents.end(actor=self.request.user, aggregation=self.aggregation, role=self.kwargs["role"], ends_on=form.cleaned_data["ends_on"])
        return self.aggregation

    def done_url(self, result: Aggregation) -> str:
        return at("detail", result)


class Composition(OfAggregation, Detail):
    """What an aggregation consists of today, computed from its members."""

    model = Aggregation
    is_dated = False
    title = "Composition"
    template_name = "registry/aggregations/composition.html"

    def get_context_data(self, **kwargs) -> dict:
        return super().get_context_data(**reports.drawn(reports.composition(self.request.user, self.object)) | {"status": ""} | kwargs)


class MemberList(OfAggregation, List):
    """The members of an aggregation, those added last first."""

    model = AggregationMember
    noun = "memberships"
    filterset_class = MemberFilterSet
    sorts = NEWEST
    exports = (("CSV", "registry:aggregation_members_csv"), ("XLSX", "registry:aggregation_members_xlsx"))
    export_columns = MEMBER_EXPORT
    export_name = "members"

    @property
    def title(self) -> str:
        return f"Members of {self.aggregation}"

    @property
    def table(self):
        of_agents = not policy.reach(self.request.user, "view_registry") & {self.aggregation.aggregator_id, self.aggregation.tso_id}
        return UNLINKED if of_agents and reports.sees_all(self.request.user, self.aggregation) else MEMBER_TABLE

    def rows(self):
        return super().rows().filter(aggregation=self.aggregation)

    def branches(self):
        if reports.sees_all(self.request.user, self.aggregation):
            return None
        return [Q(edc__in=sorted(policy.reach(self.request.user, self.permission)))]

    @sight.engine()  # the keys were found within the user's scope; an agent sees a member with its DER's name, not the DER's record
    def page_rows(self) -> list[dict]:
        return super().page_rows()

    def actions(self) -> list[tuple[str, str, bool]]:
        if not self.may_change():
            return []
        registered = self.aggregation.status in membership.REGISTERED
        return [(label, at(name, self.aggregation), primary) for label, name, primary in (FILED if registered else FREELY)]


class ChangeMembers(OfAggregation, Create):
    """DERs that come, by list or by filter."""

    title = "Add members"
    lead = "All of them or, if you leave out those that cannot, the others. A file may hold hundreds of thousands."
    submit_label = "Add"
    form_class = forms.MembersForm
    template_name = "registry/aggregations/members_form.html"
    leaving = False

    def get_form_kwargs(self) -> dict:
        return {"user": self.request.user, "aggregation": self.aggregation, "leaving": self.leaving}

    file_page = "registry:aggregation_file"
    refused: dict | None = None

    def perform(self, form):
        try:
            return self.change(form)
        except membership.MembersRefused as refusal:
            self.refused = refusal.outcome.told()
            raise

    def change(self, form) -> membership.Outcome:
        verb = membership.drop if self.leaving else membership.add
        given = {"ders": form.chosen(), "terms": form.terms(), "only_good": form.cleaned_data["only_good"]}
        return verb(actor=self.request.user, aggregation=self.aggregation, **given)

    def done_url(self, result) -> str:
        return at("members", self.aggregation)

    def get_context_data(self, **kwargs) -> dict:
        found = reports.findings_of(self.refused) if self.refused else {}
        links = {"file_url": reverse(self.file_page, args=[self.aggregation.uuid]), "cancel_url": at("members", self.aggregation)}
        return super().get_context_data(**found | links | kwargs)


class DropMembers(ChangeMembers):
    """Members that go, by list or by filter."""

    title = "Drop members"
    lead = "Their memberships end on the day that you give; the others go on."
    submit_label = "Drop"
    leaving = True


class MemberFile(OfAggregation, Create):
    """Members that come or go by file."""

    title = "Members by file"
    lead = "The columns of an export of members; a row without service is for all services that the aggregation seeks."
    submit_label = "Upload"
    form_class = forms.FileForm

    def perform(self, form) -> Job:
        given = form.cleaned_data
        how = {"leaving": given["act"] == "drop", "only_good": given["rows"] == "good"}
        return loads.receive(actor=self.request.user, aggregation=self.aggregation, upload=given["file"], **how)

    def done_url(self, result: Job) -> str:
        return at("load", self.aggregation, result.uuid)

    def get_context_data(self, **kwargs) -> dict:
        return super().get_context_data(**{"cancel_url": at("members", self.aggregation)} | kwargs)


class OfLoad(OfAggregation):
    """The reading of a file of members: a job of the user."""

    @cached_property
    def job(self) -> Job:
        mine = Job.objects.visible_to(self.request.user).filter(task=loads.TASK, arguments__aggregation=self.aggregation.pk)
        return get_object_or_404(mine, uuid=self.kwargs["job"])

    @property
    def progress(self) -> dict:
        return progress_of(self.job) | {"url": at("load_progress", self.aggregation, self.job.uuid)}


class Load(OfLoad, Detail):
    """A file of members: how far it is, and what came of it."""

    model = Aggregation
    template_name = "registry/aggregations/load.html"

    def get_title(self) -> str:
        return self.job.title

    def get_context_data(self, **kwargs) -> dict:
        outcome = self.job.outcome or {}
        shown = {"outcome": outcome, "progress": self.progress if self.job.status in RUNNING else None, "status": "", "reading": self.job}
        return super().get_context_data(**shown | reports.findings_of(outcome) | {"members_url": at("members", self.aggregation)} | kwargs)


class LoadProgress(OfLoad, LoginRequiredMixin, TemplateView):
    """The progress alone; the page is reloaded once when the file has been read."""

    template_name = "includes/progress.html"

    def get(self, request, *args, **kwargs) -> HttpResponse:
        if self.job.status not in RUNNING:
            return HttpResponse(headers={"HX-Refresh": "true"})
        return self.render_to_response(self.get_context_data(progress=self.progress))


class Factors(HeldParts, OfAggregation, Create):
    """The response by pricing node from a day on."""

    title = "Response by node"
    lead = "The share of the aggregation's response at each pricing node. Earlier days keep theirs."
    submit_label = "Save"
    form_class = forms.FactorsForm

    def get_form_kwargs(self) -> dict:
        today = self.aggregation.pnodes.on(timezone.localdate()).select_related("pnode")
        lines = "\n".join(f"{each.pnode}; {each.factor.normalize():f}" for each in today)
        return {"aggregation": self.aggregation, "initial": {"factors": lines}}

    def parts(self, obj: Aggregation) -> list[tuple[str, str]]:
        return [(f"{one['node']} from {one['starts_on']}", f"{one['factor'].normalize():f}") for one in reports.factors(obj)]

    def carry_out(self) -> Aggregation:
        with transaction.atomic():
            self.require_opened(self.aggregation)
            return super().carry_out()

    def get_context_data(self, **kwargs) -> dict:
        return super().get_context_data(**{FIELD: self.seen(self.aggregation)} | kwargs)

    def perform(self, form) -> Aggregation:
        given = form.cleaned_data
        building.set_factors(actor=self.request.user, aggregation=self.aggregation, factors=given["factors"], starts=given["starts_on"])
        return self.aggregation

    def done_url(self, result: Aggregation) -> str:
        return at("detail", result)
