"""Pages of networks: the list, loading one, and one drawn with its findings and moves."""

from django.urls import reverse

from moc.jobs.views import progress_of, refusal_of
from moc.portal import Create, Detail, List, Transition
from moc.portal.shell import url_of
from operations.network import reports
from operations.network.filters import NetworkFilterSet
from operations.network.forms import NetworkForm
from operations.network.models import NetworkVersion
from operations.network.services import versions
from operations.network.tables import NETWORK_TABLE
from registry.grid.forms import utilities_of

LIST = (("Networks", "operations:networks"),)
Status = NetworkVersion.Status


class Networks(List):
    """The network versions within reach, newest first."""

    model = NetworkVersion
    title = "Networks"
    lead = "The electrical model of each feeder, in versions: loaded, checked, approved by a second person, current."
    noun = "networks"
    table = NETWORK_TABLE
    filterset_class = NetworkFilterSet

    def actions(self) -> list[tuple[str, str, bool]]:
        shown = [("Envelopes", reverse("operations:envelope_runs"), False)]
        named = (("Interconnection", "interconnections"), ("Hosting capacity", "hosting_maps"))
        shown += [(label, url, False) for label, name in named if (url := url_of(f"operations:{name}"))]
        return [("Load a network", reverse("operations:network_new"), True), *shown] if utilities_of(self.request.user).exists() else shown


class NewNetwork(Create):
    """A file of one feeder's network."""

    title = "Load a network"
    lead = "The file is read and checked; nothing changes until a second person of your utility approves what was read."
    permission = versions.PERMISSION
    parents = LIST
    form_class = NetworkForm
    submit_label = "Upload and check"
    template_name = "operations/networks/new.html"

    def allowed(self) -> bool:
        return utilities_of(self.request.user).exists()

    def get_form_kwargs(self) -> dict:
        return {"user": self.request.user}

    def perform(self, form) -> NetworkVersion:
        given = form.cleaned_data
        return versions.receive(actor=self.request.user, feeder=given["feeder"], source=given["source"], upload=given["file"])

    def done_url(self, result: NetworkVersion) -> str:
        return reverse("operations:network", args=[result.uuid])


class NetworkDetail(Detail):
    """One version: how far it is, its findings, its drawing with what is searched, and its moves."""

    model = NetworkVersion
    template_name = "operations/networks/detail.html"
    transition_url = "operations:network_transition"
    parents = LIST
    related = ("edc", "feeder", "document", "job")

    def facts(self) -> list:
        version = self.object
        rows = [
            ("Feeder", version.feeder, None, ""),
            ("Utility", version.edc, None, ""),
            ("File", version.document, None, version.get_source_display()),
            ("In force", version.valid_from, None, "from"),
            ("Until", version.valid_until, None, ""),
            ("Nodes", version.node_count, None, "a bus and a phase"),
            ("Elements", version.element_count, None, ""),
            ("Points", version.point_count, None, "loads and resources of the model"),
            ("Linked", version.linked_count, None, "points that bear the id of a service point of this feeder"),
            ("Topology", version.topology_hash, None, "SHA-256 of everything that decides a power flow"),
        ]
        return [("Network", rows)]

    def get_context_data(self, **kwargs) -> dict:
        version, job = self.object, self.object.job
        shown = {"progress": progress_of(job) if job and version.status == Status.READING else None}
        wanted = self.request.GET.get("q", "").strip()[:60]
        if shown["progress"] is None:
            failed = version.status == Status.FAILED
            shown |= {"refusal": refusal_of(version.job_id)} if failed else {"findings": reports.findings(version)}
            shown |= {"drawing": reports.drawing(version, wanted)}
            shown |= {"wanted": wanted, "found": reports.search(version, wanted) if wanted else []}
        return super().get_context_data(**shown | kwargs)


class NetworkTransition(Transition):
    """Approve, or reject."""

    model = NetworkVersion
    detail_url = "operations:network"

    def move(self, actor, obj: NetworkVersion, name: str, reason: str) -> None:
        versions.MOVES[name](actor=actor, version=obj, reason=reason)
