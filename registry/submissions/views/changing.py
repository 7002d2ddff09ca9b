"""Pages of changes: of a list of DERs, of a home that is sold; the wider review; and the table of who approves what (¶336)."""

from django.db.models import QuerySet
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property

from moc.access import policy
from moc.portal import Page
from moc.portal.changes import FormPage
from moc.rulesets.models import RuleSet
from moc.units import counted
from registry.ders.dictionary import PERSONAL, by_group
from registry.ders.models import Der
from registry.ders.views import DerList
from registry.intents.models import IntentNotice
from registry.submissions.forms.changing import ChangeForm, ConfirmForm, SoldForm, WidenForm
from registry.submissions.kinds import NOTICE_FIELDS, OWNER_CONTACT, TERMS
from registry.submissions.models import Submission
from registry.submissions.services import changes, classifying, intents
from registry.submissions.views.detail import SUBMISSIONS
from registry.submissions.views.reviewing import OfReview

DERS = (("DERs", "registry:der_list"),)


class Starting(FormPage):
    """A form that ends in a draft."""

    permission = "file_ders"
    parents = DERS

    def done_url(self, result: Submission) -> str:
        return reverse("registry:submission_detail", args=[result.uuid])


class StartChange(Starting):
    """A change of the DERs of a filtered list."""

    title = "File a change"
    form_class = ChangeForm
    submit_label = "Start the draft"

    @cached_property
    def ders(self) -> QuerySet[Der]:
        """The DERs of the list that the address names, as they are held now."""
        listed = DerList.for_user(self.request.user, self.request.GET.urlencode())
        if listed.moment or listed.tenure:
            raise Http404
        return listed.selected(self.permission)

    def get_form_kwargs(self) -> dict:
        return {"user": self.request.user, "number": self.ders.order_by().count(), "kind": self.request.GET.get("change", "")}

    def get_context_data(self, **kwargs) -> dict:
        lead = f"{counted(self.form.found, 'DERs')} of the list as filtered. Nothing reaches a utility before you attest and submit it."
        return super().get_context_data(**{"lead": lead} | kwargs)

    def perform(self, form) -> Submission:
        said = {name: form.cleaned_data[name] for name in ("aggregator", "kind", "day", "reason")}
        return changes.start(actor=self.request.user, ders=self.ders, **said)


class FileSettled(Starting):
    """A settled notice of intent becomes a draft."""

    title = "File what is settled"
    parents = (("Notices of intent", "registry:intent_list"),)
    form_class = ConfirmForm
    template_name = "portal/confirm.html"
    submit_label = "Start the draft"

    @cached_property
    def notice(self) -> IntentNotice:
        rows = IntentNotice.objects.visible_to(self.request.user, self.permission).filter(status=IntentNotice.Status.SETTLED)
        return get_object_or_404(rows.select_related("aggregator", "edc__utility"), uuid=self.kwargs["uuid"])

    def allowed(self) -> bool:
        return policy.allows(self.request.user, self.permission, self.notice.aggregator)

    def get_context_data(self, **kwargs) -> dict:
        said = f"{counted(self.notice.row_count, 'DERs')} of “{self.notice}” at the utility's service points; add the other facts."
        return super().get_context_data(**{"message": said, "cancel_url": reverse("registry:intent", args=[self.notice.uuid])} | kwargs)

    def perform(self, form) -> Submission:
        return intents.file_settled(actor=self.request.user, notice=self.notice)


class SellHome(Starting):
    """The home of a DER is sold: its other DERs are offered too."""

    title = "Home sold"
    lead = "What stays goes to the new owner, who has consented; what leaves goes to another service point, or for good."
    form_class = SoldForm
    submit_label = "Start the draft"

    @cached_property
    def der(self) -> Der:
        rows = Der.objects.visible_to(self.request.user, self.permission).registered().select_related("aggregator")
        return get_object_or_404(rows, uuid=self.kwargs["uuid"])

    def allowed(self) -> bool:
        return policy.allows(self.request.user, self.permission, self.der.aggregator)

    def get_form_kwargs(self) -> dict:
        home = Der.objects.visible_to(self.request.user, self.permission).registered().filter(service_point=self.der.service_point_id)
        return {"ders": home.filter(aggregator=self.der.aggregator_id).order_by("external_id")}

    def perform(self, form) -> Submission:
        leave = form.cleaned_data["leaving"]
        said = {name: form.cleaned_data[name] for name in ("consent_reference", "moves_to", "reason")}
        stay = form.ders.exclude(pk__in=leave.values("pk"))
        return changes.sell_home(actor=self.request.user, stay=_keyed(stay), leave=_keyed(leave), owner=form.owner, **said)


def _keyed(ders: QuerySet[Der]) -> QuerySet[Der]:
    """The same DERs without the scope that found them: sets by key can be united."""
    return Der.objects.filter(pk__in=list(ders.order_by().values_list("pk", flat=True)))


class WidenScope(OfReview):
    """The unchanged DERs of the same aggregations are reviewed too."""

    title = "Widen the review"
    lead = "By default only what changed is reviewed again. The other DERs keep operating, as they are registered, whatever you look at."
    form_class = WidenForm
    submit_label = "Widen the review"
    success = "The review has the wider scope; the aggregator was told why."

    def perform(self, form) -> int:
        return classifying.widen(actor=self.request.user, review=self.object, reason=form.cleaned_data["reason"])


class Approvals(Page):
    """Which change takes whose approval: by kind, and by field and market."""

    title = "Which change takes whose approval"
    lead = (
        "FERC Order 2222 ¶336: not the whole is registered anew; what changed is reviewed, an exit abbreviated, some changes are notices."
    )
    parents = SUBMISSIONS
    template_name = "registry/submissions/approvals.html"

    def get_context_data(self, **kwargs) -> dict:
        rows = list(RuleSet.objects.on(timezone.localdate()).filter(key=NOTICE_FIELDS).order_by("authority"))
        groups = [(group, [(name, [_approval(name, row.value) for row in rows]) for name in names]) for group, names in by_group().items()]
        return super().get_context_data(**{"kinds": list(TERMS.items()), "rules": rows, "groups": groups} | kwargs)


def _approval(name: str, notices: list[str]) -> str:
    contact = name in PERSONAL and name != "edc_account_no" and OWNER_CONTACT in notices
    return "notice" if name in notices or contact else "the utility's review"
