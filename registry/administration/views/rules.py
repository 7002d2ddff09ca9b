"""Pages of review rules and practice."""

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.functional import cached_property

from moc.access.models import User
from moc.portal import Create, List, Page, Sort
from moc.portal.changes import REFUSALS
from moc.portal.timeline import timeline
from registry.administration.filters import RuleFilterSet
from registry.administration.forms import EndForm, PracticeForm, RuleForm, from_today
from registry.administration.services import rules
from registry.administration.tables import RULE_TABLE
from registry.administration.views.base import OfUtility
from registry.utilities.models import ReviewPractice, ReviewRule
from registry.utilities.rules import as_rule

EXAMPLES = 10


class EveryRule(List):
    """The review rules of all utilities in force today, or on another day, for whoever files."""

    model = ReviewRule
    title = "Review rules of the utilities"
    lead = "What each utility asks of filings beyond the registry's own rules. They are checked together with those."
    noun = "rules"
    table = RULE_TABLE
    filterset_class = RuleFilterSet
    sorts = (Sort("id", ("id",)),)

    def filtered(self):
        rows = super().filtered()
        return rows if self.request.GET.get("on") else rows.filter(valid_during__contains=timezone.localdate())


class Rules(OfUtility, Page):
    """The utility's rules: in force, to come, and over."""

    title = "Review rules"
    lead = (
        "They are checked with the registry's own rules, for the rows filed with you. A change begins on a day and touches no decided row."
    )
    template_name = "registry/administration/rules.html"

    def actions(self) -> list[tuple[str, str, bool]]:
        return [("New rule", self.address("admin_rule_new"), True)]

    def get_context_data(self, **kwargs) -> dict:
        today = timezone.localdate()
        rows = list(ReviewRule.objects.filter(edc=self.edc).select_related("edc"))
        groups = {"In force": [], "To come": [], "Over": []}
        for row in rows:
            days = row.valid_during
            over = days.isempty or (days.upper is not None and days.upper <= today)
            groups["Over" if over else "To come" if days.lower > today else "In force"].append((row, as_rule(row)))
        return super().get_context_data(**{"groups": [(name, found) for name, found in groups.items() if found]} | kwargs)


class NewRule(OfUtility, Create):
    """A new rule; the preview says which open rows it would find before it is saved."""

    title = "New review rule"
    form_class = RuleForm
    submit_label = "Put in force"
    template_name = "registry/administration/rule_form.html"
    back, back_title = "admin_rules", "Review rules"
    replaces: ReviewRule | None = None
    success = "The rule is set."

    def get_form_kwargs(self) -> dict:
        return {"initial": from_today()}

    def perform(self, form) -> ReviewRule:
        given = form.cleaned_data
        return rules.set_rule(
            actor=self.request.user,
            rule=form.rule_for(self.edc),
            starts_on=given["starts_on"],
            ends_on=given["ends_on"],
            replaces=self.replaces,
        )

    def done_url(self, result) -> str:
        return self.address("admin_rules")

    def post(self, request, *args, **kwargs) -> HttpResponse:
        if "preview" not in request.POST or not self.form.is_valid():
            return super().post(request, *args, **kwargs)
        try:
            rule = self.form.rule_for(self.edc)
            hit, number = rules.preview(actor=request.user, rule=rule)
        except REFUSALS as refusal:
            self.form.add_error(None, str(refusal))
            return self.render_to_response(self.get_context_data(), status=422)
        shown = {"rule": as_rule(rule), "number": number, "hits": hit.count(), "examples": hit.select_related("submission")[:EXAMPLES]}
        return self.render_to_response(self.get_context_data(preview=shown))

    def get_context_data(self, **kwargs) -> dict:
        return super().get_context_data(**{"more_submits": [("Preview", "preview")]} | kwargs)


class ChangeRule(NewRule):
    """A rule in the place of another, which ends on the day on which this begins."""

    title = "Change a review rule"
    lead = "The rule as it was ends on the day on which the new one begins; what was found or decided under it stays."
    success = "The rule is changed."

    @cached_property
    def replaces(self) -> ReviewRule:
        return get_object_or_404(ReviewRule.objects.filter(edc=self.edc), uuid=self.kwargs["uuid"])

    def get_form_kwargs(self) -> dict:
        return {"initial": RuleForm.values_of(self.replaces) | from_today()}


class EndRule(OfUtility, Create):
    """The end of a rule."""

    title = "End a review rule"
    form_class = EndForm
    submit_label = "End the rule"
    back, back_title = "admin_rules", "Review rules"
    success = "The rule ends."

    @cached_property
    def rule(self) -> ReviewRule:
        return get_object_or_404(ReviewRule.objects.filter(edc=self.edc).select_related("edc"), uuid=self.kwargs["uuid"])

    @property
    def lead(self) -> str:
        return as_rule(self.rule).sentence

    def get_form_kwargs(self) -> dict:
        return {"initial": {"on": timezone.localdate()}}

    def perform(self, form) -> ReviewRule:
        return rules.end_rule(actor=self.request.user, rule=self.rule, on=form.cleaned_data["on"])

    def done_url(self, result) -> str:
        return self.address("admin_rules")


class Practice(OfUtility, Create):
    """To whom new reviews go, and what a decision file may do."""

    title = "Review practice"
    form_class = PracticeForm
    submit_label = "Put in force"
    template_name = "registry/administration/practice.html"
    success = "The practice is set."

    @cached_property
    def current(self) -> ReviewPractice:
        return ReviewPractice.objects.on(timezone.localdate()).filter(edc=self.edc).first() or ReviewPractice(edc=self.edc)

    def get_form_kwargs(self) -> dict:
        current = {"reviewers": self.current.reviewers, "limits_by_file": self.current.limits_by_file}
        return {"edc": self.edc, "initial": current | from_today()}

    def perform(self, form) -> ReviewPractice:
        return rules.set_practice(actor=self.request.user, edc=self.edc, **form.cleaned_data)

    def done_url(self, result) -> str:
        return self.address("admin_practice")

    def get_context_data(self, **kwargs) -> dict:
        people = User.objects.in_bulk(self.current.reviewers)
        shown = {
            "current": self.current,
            "reviewers": [str(people[pk]) for pk in self.current.reviewers if pk in people],
            "timeline": timeline(ReviewPractice.history.model.objects.filter(edc=self.edc)),
        }
        return super().get_context_data(**shown | kwargs)
