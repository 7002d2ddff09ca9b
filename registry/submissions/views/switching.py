"""Pages of switches: the look-up by two facts, the switch of what was found, and the present aggregator's answer."""

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.functional import cached_property

from moc.access import policy
from moc.portal import Column, Detail, List, Table, Update
from moc.portal.changes import FormPage
from registry.submissions import reports
from registry.submissions.forms.switching import AnswerSwitchForm, LookUpForm, SwitchForm
from registry.submissions.models import Submission
from registry.submissions.services import lookups, switches
from registry.submissions.switching import LookUp, SwitchNotice
from registry.submissions.views.detail import SUBMISSIONS

SWITCHES = (*SUBMISSIONS, ("Switches", "registry:switch_list"))
SWITCH_TABLE = Table(
    caption="Switches",
    url=lambda row: reverse("registry:switch", args=[row["uuid"]]),
    needs=("uuid",),
    empty_title="No switch is under way",
    columns=(
        Column("row_count", "DERs", numeric=True),
        Column("status", "Status", kind="status", choices=SwitchNotice.Status),
        Column("former__name", "From"),
        Column("aggregator__name", "To"),
        Column("edc__name", "Utility"),
        Column("starts_on", "First day"),
        Column("due_at", "Objections until", value=lambda row: reports.last_day(row["due_at"]), needs=("due_at",)),
    ),
)


class LookUpPage(FormPage):
    """Two facts, and what they identify; the same answer for a wrong fact and an unknown one."""

    title = "Look up a DER"
    lead = "Two facts that the customer has given you identify DERs of another party. Each look-up is recorded for utility and owner."
    permission = "file_ders"
    parents = SWITCHES
    form_class = LookUpForm
    submit_label = "Look up"
    template_name = "registry/submissions/look_up.html"

    def get_form_kwargs(self) -> dict:
        return {"user": self.request.user}

    def perform(self, form) -> LookUp:
        return lookups.look_up(actor=self.request.user, **form.cleaned_data)

    def post(self, request, *args, **kwargs) -> HttpResponse:
        """The answer stands on the page itself: nothing of the facts in an address."""
        if not self.form.is_valid():
            return self.render_to_response(self.get_context_data(), status=422)
        try:
            found = self.perform(self.form)
        except lookups.TooMany as refusal:
            self.form.add_error(None, str(refusal))
            return self.render_to_response(self.get_context_data(), status=422)
        return self.render_to_response(self.get_context_data(found=found))


class NewSwitch(FormPage):
    """A switch of what a look-up identified."""

    title = "Switch to you"
    lead = "The present aggregator is told and may object; the utility decides. Until the first day nothing changes for it."
    permission = "file_ders"
    parents = SWITCHES
    form_class = SwitchForm
    submit_label = "Start the draft"

    @cached_property
    def look_up(self) -> LookUp:
        return get_object_or_404(LookUp.objects.visible_to(self.request.user, self.permission).exclude(ders=[]), uuid=self.kwargs["uuid"])

    def allowed(self) -> bool:
        return policy.allows(self.request.user, self.permission, self.look_up.aggregator)

    def perform(self, form) -> Submission:
        return switches.start(actor=self.request.user, look_ups=[self.look_up], **form.cleaned_data)

    def done_url(self, result: Submission) -> str:
        return reverse("registry:submission_detail", args=[result.uuid])


class SwitchList(List):
    """Switches within reach: from you, to you, or of your utility."""

    model = SwitchNotice
    title = "Switches"
    lead = "Customers who go from one aggregator to another. The present one is heard within the window; the utility decides."
    noun = "switches"
    table = SWITCH_TABLE
    parents = SUBMISSIONS

    def actions(self) -> list[tuple[str, str, bool]]:
        may = policy.allows(self.request.user, "file_ders")
        return [("Look up a DER", reverse("registry:look_up"), True)] if may else []


class SwitchDetail(Detail):
    """One switch, as the present aggregator, the new one and the utility see it."""

    model = SwitchNotice
    template_name = "registry/submissions/switch.html"
    parents = SWITCHES
    related = ("former", "aggregator", "edc")

    @property
    def is_former(self) -> bool:
        return policy.allows(self.request.user, "view_registry", self.object.former)

    def actions(self) -> list[tuple[str, str, bool]]:
        may = self.object.is_running and policy.allows(self.request.user, "file_ders", self.object.former)
        return [("Answer", reverse("registry:switch_answer", args=[self.object.uuid]), True)] if may else []

    def facts(self) -> list:
        notice = self.object
        return [
            (
                "The switch",
                [
                    ("From", notice.former, None, ""),
                    ("To", notice.aggregator, None, ""),
                    ("Utility", notice.edc, None, "it decides"),
                    ("DERs", notice.row_count, None, ""),
                    ("First day with the new aggregator", notice.starts_on, None, "or the day of the decision, if that is later"),
                    ("Objections until", reports.last_day(notice.due_at), None, "the end of the day"),
                ],
            ),
            (
                "Answer",
                [
                    ("Ground", notice.get_ground_display(), None, ""),
                    ("Statement", notice.statement, None, ""),
                    ("At", notice.answered_at, None, ""),
                ],
            ),
        ]

    def get_context_data(self, **kwargs) -> dict:
        return super().get_context_data(**{"names": self.object.ders if self.is_former else ()} | kwargs)


class AnswerSwitch(Update):
    """The present aggregator's answer."""

    model = SwitchNotice
    title = "Answer to the switch"
    lead = "The customer has authorised it. An objection has a ground of the closed list; the utility decides either way."
    permission = "file_ders"
    form_class = AnswerSwitchForm
    submit_label = "Answer"
    success = "The utility and the new aggregator were told."

    @cached_property
    def object(self) -> SwitchNotice:
        rows = SwitchNotice.objects.visible_to(self.request.user).select_related("former", "aggregator", "edc")
        return get_object_or_404(rows, uuid=self.kwargs["uuid"])

    def allowed(self) -> bool:
        return policy.allows(self.request.user, self.permission, self.object.former)

    def perform(self, form) -> SwitchNotice:
        given = form.cleaned_data
        said = {name: given[name] for name in ("ground", "statement")}
        return switches.answer(actor=self.request.user, notice=self.object, name=given["answer"], **said)

    def done_url(self, result) -> str:
        return reverse("registry:switch", args=[self.object.uuid])

    def get_context_data(self, **kwargs) -> dict:
        return super().get_context_data(**{"cancel_url": self.done_url(None)} | kwargs)
