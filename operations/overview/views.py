"""One page for a utility, and one for each feeder: the five questions with their answers."""

from django.urls import reverse
from django.utils.functional import cached_property

from moc.access import policy
from moc.access.models import Organization
from moc.portal import List
from moc.portal.views import One
from operations.overview import reports
from operations.overview.tables import FEEDER_TABLE
from registry.grid.models import Feeder

PARENTS = (("Feeders", "operations:overviews"),)


class Overviews(List):
    """The feeders within reach, each with its page; and the page of each utility."""

    model = Feeder
    title = "Feeders"
    lead = "Who takes part behind each feeder, with what, able to what, doing what now, before and next."
    noun = "feeders"
    table = FEEDER_TABLE

    def actions(self) -> list[tuple[str, str, bool]]:
        mine = Organization.objects.filter(pk__in=policy.reach(self.request.user, self.permission), kind="edc").order_by("name")
        return [(f"All of {each}", reverse("operations:overview_utility", args=[each.slug]), False) for each in mine[:8]]


class FeederOverview(One):
    """The questions about one feeder."""

    model = Feeder
    key = "pk"
    template_name = "operations/overview/overview.html"
    parents = PARENTS
    lead = "As far as you may see it. Injection is positive."

    def get_title(self) -> str:
        return f"Feeder {self.object}"

    def actions(self) -> list[tuple[str, str, bool]]:
        return [("Operating envelope", reverse("operations:envelope_group", args=["feeder", self.object.pk]), False)]

    @cached_property
    def place(self) -> reports.Place:
        return reports.Place(self.request.user, self.object.edc, self.object)

    def get_context_data(self, **kwargs) -> dict:
        return super().get_context_data(**{"answers": reports.answers(self.place)} | kwargs)


class UtilityOverview(FeederOverview):
    """The questions about a utility as a whole."""

    model = Organization
    key = "slug"

    def get_queryset(self):
        return Organization.objects.filter(pk__in=policy.reach(self.request.user, self.permission), kind="edc")

    def get_title(self) -> str:
        return str(self.object)

    def actions(self) -> list[tuple[str, str, bool]]:
        return []

    @cached_property
    def place(self) -> reports.Place:
        return reports.Place(self.request.user, self.object)
