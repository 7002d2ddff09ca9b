"""Pages of rosters: what differs, the rosters, and their upload."""

from django.urls import reverse
from django.utils.functional import cached_property

from moc.access import policy
from moc.access.models import Organization
from moc.portal import Create, List
from registry.rosters import forms, services
from registry.rosters.filters import RosterFindingFilterSet
from registry.rosters.models import Roster, RosterFinding
from registry.rosters.tables import FINDING_TABLE, ROSTER_TABLE

LIST = (("Differences", "registry:roster_findings"),)


class Findings(List):
    """Where registry and rosters differ."""

    model = RosterFinding
    title = "Programme rosters: differences"
    lead = "Who is paid by a retail programme for a service is not paid for it again by a market. Matched at every upload and nightly."
    noun = "differences"
    table = FINDING_TABLE
    filterset_class = RosterFindingFilterSet
    counts_filtered = True

    def actions(self) -> list[tuple[str, str, bool]]:
        may = policy.allows(self.request.user, services.PERMISSION)
        new = [("Upload a roster", reverse("registry:roster_new"), True)] if may else []
        return [*new, ("Rosters", reverse("registry:roster_list"), False)]


class RosterList(List):
    """The rosters as they were last given."""

    model = Roster
    title = "Programme rosters"
    noun = "rosters"
    table = ROSTER_TABLE
    parents = LIST


class NewRoster(Create):
    """A programme's accounts, in the place of those before."""

    title = "Upload a roster"
    lead = "All accounts of one programme; they take the place of those given before."
    permission = services.PERMISSION
    form_class = forms.RosterForm
    submit_label = "Upload and match"
    success = "The roster is matched."
    parents = LIST

    @cached_property
    def edc(self) -> Organization:
        return Organization.objects.get(pk=min(policy.reach(self.request.user, self.permission)))

    def perform(self, form) -> Roster:
        accounts = services.read(form.cleaned_data["file"])
        return services.give(actor=self.request.user, edc=self.edc, program=form.cleaned_data["program"], accounts=accounts)

    def done_url(self, result) -> str:
        return reverse("registry:roster_findings")
