"""Pages of changes of the law: drafted, looked at beforehand, put in force by another person."""

from django.http import Http404
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property

from moc import charts
from moc.access import policy
from moc.portal import Create, Detail, List, Transition
from moc.rulesets import services as rulesets
from moc.rulesets.models import RuleChange
from registry.ders.filters import DerFilterSet
from registry.ders.models import Der
from registry.ders.tables import DER_EXPORT, DER_TABLE
from registry.prequalification import reports
from registry.prequalification.forms import ChangeForm
from registry.prequalification.rules.numbers import shown
from registry.prequalification.services import passes
from registry.prequalification.tables import CHANGE_TABLE

DIRECTIONS = {"break": True, "pass": False}
TITLES = {"break": "would newly break a rule", "pass": "would newly pass"}


class Changes(List):
    """Changes that are prepared or in force."""

    model = RuleChange
    title = "Rule changes"
    lead = "Rows of the law that an authority prepares. What each would change is seen before it takes effect."
    noun = "changes"
    table = CHANGE_TABLE
    parents = (("Qualification", "registry:qualification_list"),)

    def actions(self) -> list[tuple[str, str, bool]]:
        may = policy.allows(self.request.user, rulesets.PERMISSION)
        return [("New change", reverse("registry:rule_change_new"), True)] if may else []


class NewChange(Create):
    """A draft; its page shows whom it would touch."""

    title = "Draft a rule change"
    lead = "Nothing is in force yet: the next page shows who would newly break or newly pass, and another person schedules it."
    permission = rulesets.PERMISSION
    form_class = ChangeForm
    submit_label = "Draft, and see what it would change"

    def get_form_kwargs(self) -> dict:
        return {"user": self.request.user, "initial": {"starts_on": timezone.localdate()}}

    def perform(self, form) -> RuleChange:
        return rulesets.draft(actor=self.request.user, **form.cleaned_data)

    def done_url(self, result) -> str:
        return reverse("registry:rule_change", args=[result.uuid])


class Change(Detail):
    """One change with its preview."""

    model = RuleChange
    template_name = "registry/prequalification/change.html"
    transition_url = "registry:rule_change_transition"
    related = ("organization", "drafted_by", "scheduled_by")
    parents = (("Rule changes", "registry:rule_changes"),)

    def facts(self) -> list:
        change = self.object
        standing = reports.standing(change)
        return [
            (
                "The row",
                [
                    ("What", change.key, None, ""),
                    ("Authority", change.authority or "all", None, ""),
                    ("Today", shown(standing.value) if standing else "nothing", None, standing.source if standing else ""),
                    ("Value", f"{shown(change.value)} {change.unit}".strip(), None, ""),
                    ("In force from", change.starts_on, None, ""),
                    ("Source", change.source, None, ""),
                ],
            ),
            (
                "Who",
                [
                    ("Asked for by", str(change.organization), None, ""),
                    ("Drafted by", str(change.drafted_by), None, ""),
                    ("Scheduled by", str(change.scheduled_by or ""), None, ""),
                ],
            ),
        ]

    def get_context_data(self, **kwargs) -> dict:
        found = None
        if self.object.status == RuleChange.Status.DRAFT:
            found = reports.preview(self.object, self.request.user)
        parts = [] if found is None else [self._part(found, name) for name in DIRECTIONS]
        sights = reports.sights(self.object) if found else {}
        return super().get_context_data(**{"preview": found, "parts": parts, "sights": sights} | kwargs)

    def _part(self, found: reports.Preview, name: str) -> dict:
        """One direction: how many, by whom, the charts and where the list is."""
        drawn = [
            charts.bar_chart(rows, identity=f"{name}-{group}", title=f"By {group}", unit="DERs", category=group.capitalize(), top=10)
            for group, rows in found.groups[name].items()
            if rows
        ]
        return {
            "title": TITLES[name],
            "ders": found.ders[name],
            "offers": found.offers[name],
            "charts": drawn,
            "url": reverse("registry:rule_change_ders", args=[self.object.uuid, name]),
        }


class ChangedDers(List):
    """The DERs that would newly break or newly pass, as a list and an export."""

    model = Der
    keeps_versions = False
    noun = "DERs"
    lead = "Held against the registry of this moment, within your reach; filters narrow it by utility, aggregator and technology."
    table = DER_TABLE
    exports = (("CSV", "registry:rule_change_csv"), ("XLSX", "registry:rule_change_xlsx"))
    filterset_class = DerFilterSet
    export_columns = DER_EXPORT
    export_name = "rule-change"

    @cached_property
    def change(self) -> RuleChange:
        if self.kwargs["direction"] not in DIRECTIONS:
            raise Http404
        return get_object_or_404(RuleChange.objects.visible_to(self.request.user), uuid=self.kwargs["uuid"])

    @property
    def title(self) -> str:
        return f"{self.change}: DERs that {TITLES[self.kwargs['direction']]}"

    def breadcrumbs(self) -> list[tuple[str, str]]:
        return [(str(self.change), reverse("registry:rule_change", args=[self.change.uuid])), (self.get_title(), "")]

    def rows(self):
        return reports.touched(self.change, breaks=DIRECTIONS[self.kwargs["direction"]])


class ChangeTransition(Transition):
    """Schedule or withdraw."""

    model = RuleChange
    detail_url = "registry:rule_change"

    def move(self, actor, obj: RuleChange, name: str, reason: str) -> None:
        passes.settle(actor=actor, change=obj, name=name)
