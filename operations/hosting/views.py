"""Pages of hosting capacity: the feeders' maps, one drawn by direction, and its nodes as a list and an export."""

from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.html import format_html

from moc.portal import Create, List, Transition
from operations.computed.views import ComputedDetail
from operations.hosting import reports
from operations.hosting.filters import MapFilterSet, NodeFilterSet
from operations.hosting.models import HostingMap, HostingNode
from operations.hosting.services import ordering
from operations.hosting.tables import MAP_TABLE, NODE_EXPORT, NODE_TABLE
from operations.network.forms import OfFeeder
from registry.grid.forms import utilities_of

MAPS = (("Hosting capacity", "operations:hosting_maps"),)


class Maps(List):
    """The maps within reach, newest first."""

    model = HostingMap
    title = "Hosting capacity"
    lead = "What every node of a feeder can still inject or draw, one at a time, in the hours of the year that leave least room."
    noun = "maps"
    table = MAP_TABLE
    filterset_class = MapFilterSet

    def actions(self) -> list[tuple[str, str, bool]]:
        return [("Compute one", reverse("operations:hosting_new"), False)] if utilities_of(self.request.user).exists() else []


class NewMap(Create):
    """A feeder whose map is wanted now."""

    title = "Compute hosting capacity"
    lead = "Of a feeder's current network. Each feeder's map is computed in the night after its network became current, and once a month."
    permission = ordering.PERMISSION
    parents = MAPS
    form_class = OfFeeder
    submit_label = "Compute"

    def allowed(self) -> bool:
        return utilities_of(self.request.user).exists()

    def get_form_kwargs(self) -> dict:
        return {"user": self.request.user}

    def perform(self, form) -> HostingMap:
        return ordering.ask(actor=self.request.user, feeder=form.cleaned_data["feeder"])

    def done_url(self, result: HostingMap) -> str:
        return reverse("operations:hosting_map", args=[result.uuid])


class MapDetail(ComputedDetail):
    """One map: the feeder drawn with its nodes by what they can host in a direction."""

    model = HostingMap
    template_name = "operations/hosting/map.html"
    parents = MAPS
    related = ("feeder", "edc", "network__feeder", "network__document", "job")
    transition_url = "operations:hosting_transition"

    @property
    def direction(self) -> str:
        asked = self.request.GET.get("direction", "")
        return asked if asked in reports.DIRECTIONS else "export"

    def actions(self) -> list[tuple[str, str, bool]]:
        return [("Nodes", reverse("operations:hosting_nodes", args=[self.object.uuid]), False)]

    def facts(self) -> list:
        one = self.object
        network = format_html('<a href="{}">{}</a>', reverse("operations:network", args=[one.network.uuid]), one.network)
        rows = [
            ("Feeder", one.feeder, None, ""),
            ("Network", network, None, "regulators and capacitors as they stand in it"),
            ("Buses", one.node_count, None, ""),
            ("Computed", one.computed_at, None, ""),
            ("Utility", one.edc, None, ""),
        ]
        return [("Map", rows)]

    def get_context_data(self, **kwargs) -> dict:
        one, wanted = self.object, self.request.GET.get("q", "").strip()
        shown = {}
        if one.computed_at:
            shown |= {"drawing": reports.layer(one, self.direction, wanted), "hours": reports.hours_of(one, self.direction)}
            shown |= {"wanted": wanted, "direction": self.direction, "directions": reports.DIRECTIONS.items()}
        return super().get_context_data(**shown | kwargs)


class Nodes(List):
    """The nodes of one map."""

    model = HostingNode
    noun = "nodes"
    table = NODE_TABLE
    filterset_class = NodeFilterSet
    parents = MAPS
    exports = (("CSV", "operations:hosting_csv"),)
    export_columns = NODE_EXPORT
    export_name = "hosting-capacity"

    @cached_property
    def map(self) -> HostingMap:
        rows = HostingMap.objects.visible_to(self.request.user, self.permission).select_related("feeder")
        return get_object_or_404(rows, uuid=self.kwargs["uuid"])

    def get_title(self) -> str:
        return f"Nodes of {self.map.feeder}"

    def rows(self):
        return super().rows().filter(map=self.map)


class MapTransition(Transition):
    """Compute again."""

    model = HostingMap
    detail_url = "operations:hosting_map"

    def move(self, actor, obj: HostingMap, name: str, reason: str) -> None:
        ordering.again(actor=actor, found=obj, reason=reason)
