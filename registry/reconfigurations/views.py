"""Pages of reconfigurations: the list, the form, the consequences with the act, and what held when as known when."""

from django.urls import reverse

from moc.access import policy
from moc.portal import Create, Detail, List, Page, Transition
from registry.grid.forms import utilities_of
from registry.grid.models import ServicePoint
from registry.grid.views import GRID
from registry.reconfigurations import reports
from registry.reconfigurations.forms import ReconfigurationForm, WhenForm
from registry.reconfigurations.models import Reconfiguration
from registry.reconfigurations.services import acts
from registry.reconfigurations.tables import RECONFIGURATION_TABLE

LIST = (*GRID, ("Reconfigurations", "registry:reconfigurations"))
PARTS = ("edc", "from_feeder", "from_transformer", "to_feeder", "to_transformer", "to_substation", "created_by")


class Reconfigurations(List):
    """The reconfigurations within reach, newest first."""

    model = Reconfiguration
    title = "Reconfigurations"
    lead = "Service points that a utility moved to another feeder, transformer or node, in one act each."
    noun = "reconfigurations"
    table = RECONFIGURATION_TABLE
    parents = GRID

    def actions(self) -> list[tuple[str, str, bool]]:
        shown = [("What held when", reverse("registry:connection"), False)]
        may = utilities_of(self.request.user).exists()
        return [("Reconfigure", reverse("registry:reconfiguration_new"), True), *shown] if may else shown


class NewReconfiguration(Create):
    """What moves where; the next page shows the consequences before anything moves."""

    title = "Reconfigure"
    lead = "Nothing moves yet: the next page shows whose DERs move, which nodes change and which aggregations break a rule."
    permission = acts.PERMISSION
    parents = LIST
    form_class = ReconfigurationForm
    submit_label = "Show the consequences"

    def allowed(self) -> bool:
        return utilities_of(self.request.user).exists()

    def get_form_kwargs(self) -> dict:
        return {"user": self.request.user}

    def perform(self, form) -> Reconfiguration:
        return acts.prepare(actor=self.request.user, **form.act())

    def done_url(self, result: Reconfiguration) -> str:
        return reverse("registry:reconfiguration", args=[result.uuid])


class ReconfigurationDetail(Detail):
    """One reconfiguration: its consequences, and the act."""

    model = Reconfiguration
    template_name = "registry/reconfigurations/detail.html"
    transition_url = "registry:reconfiguration_transition"
    parents = LIST
    related = PARTS

    def facts(self) -> list:
        made = self.object
        names = policy.allows(self.request.user, acts.PERMISSION, made.edc) or policy.allows(self.request.user, "audit", made)
        return [
            (
                "The act",
                [
                    ("What moves", made.source, None, ""),
                    ("To", made.target, None, ""),
                    ("From", made.starts_on, None, "the first day; days before keep their connection"),
                    ("Reason", made.reason, None, ""),
                    ("Utility", made.edc, None, ""),
                    ("Prepared by", str(made.created_by or "") if names else None, None, ""),
                    ("Carried out", made.done_at, None, ""),
                ],
            )
        ]

    def get_context_data(self, **kwargs) -> dict:
        return super().get_context_data(**{"preview": self.object.preview, "aggregations": reports.shown(self.object)} | kwargs)


class ReconfigurationTransition(Transition):
    """Carry out, or discard."""

    model = Reconfiguration
    detail_url = "registry:reconfiguration"

    def move(self, actor, obj: Reconfiguration, name: str, reason: str) -> None:
        acts.MOVES[name](actor=actor, reconfiguration=obj)


class ConnectionPage(Page):
    """As known on one day, where a service point was connected on another."""

    title = "What held when"
    lead = "Two times: the day on which a connection held, and the day on which the registry knew it."
    parents = LIST
    template_name = "registry/reconfigurations/connection.html"

    def get_context_data(self, **kwargs) -> dict:
        form = WhenForm(self.request.GET or None)
        found = point = None
        if form.is_valid():
            rows = ServicePoint.objects.visible_to(self.request.user).select_related("edc")
            point = rows.filter(usage_point_id=form.cleaned_data["usage_point_id"]).order_by("edc_id").first()
            found = reports.connection(point, form.cleaned_data["day"], form.cleaned_data["known"]) if point else None
        return super().get_context_data(**{"form": form, "found": found, "point": point, "asked": form.is_valid()} | kwargs)
