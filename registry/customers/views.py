"""The owner's own pages, and what aggregators and utilities do about owners."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.functional import cached_property
from django.views.generic import TemplateView

from moc import sight
from moc.access import policy
from moc.access.presence import Fresh
from moc.errors import UserError
from moc.portal import Create, Detail, End, List, Page, Transition
from registry.customers import forms, reports, services
from registry.customers.filters import ConsentFilterSet
from registry.customers.tables import CONSENT_TABLE
from registry.ders.models import Der
from registry.participants.models import Consent


class Mine:
    """A page of an owner about what is the owner's; of anybody else's: not found."""

    parents = (("My energy resources", "registry:my"),)

    def allowed(self) -> bool:
        return bool(self.found)

    def done_url(self, result) -> str:
        return reverse("registry:my")

    def get_context_data(self, **kwargs) -> dict:
        return super().get_context_data(**{"cancel_url": reverse("registry:my")} | kwargs)

    def one_of(self, rows: list):
        return next((row for row in rows if row.uuid == self.kwargs["uuid"]), None)


class MyDers(Page):
    """An owner's DERs, who sees them, consents, personal use, and who looked."""

    title = "My energy resources"
    template_name = "registry/customers/my.html"

    def dispatch(self, request, *args, **kwargs) -> HttpResponse:
        if request.user.is_authenticated and not self._owns(request.user):
            raise Http404
        return super().dispatch(request, *args, **kwargs)

    @staticmethod
    @sight.engine()  # the owner belongs to no organisation
    def _owns(user) -> bool:
        return reports.owners(user).exists()

    def actions(self) -> list[tuple[str, str, bool]]:
        return [("Give a consent", reverse("registry:my_consent"), True)]

    def get_context_data(self, **kwargs) -> dict:
        user = self.request.user
        shown = {
            "ders": reports.ders(user),
            "seers": reports.seers(user),
            "consents": reports.consents(user),
            "uses": [(use, reports.told(use)) for use in reports.uses(user)],
            "looks": reports.looks(user),
        }
        return super().get_context_data(**shown | kwargs)


class NewConsent(Mine, Create):
    """A consent, to the present aggregator or to one that shall take over."""

    title = "Give a consent"
    lead = "To change your aggregator, let the new one take your DERs over: it then asks for the change."
    form_class = forms.OwnConsentForm
    submit_label = "Consent"
    success = "Your consent is on record; you can revoke it at any time."

    @cached_property
    def found(self) -> list:
        with sight.engine():  # the user's own records
            return list(reports.owners(self.request.user).select_related("edc"))

    def perform(self, form) -> list[Consent]:
        return [services.consent(actor=self.request.user, owner=owner, **form.cleaned_data) for owner in self.found]


class EndMine(Mine, End):
    """The end of something of the owner's, who belongs to no organisation."""

    @property
    def ended(self):
        return self.found

    @sight.engine()
    def version(self) -> str:
        return super().version()

    @sight.engine()
    def require_opened(self, obj) -> None:
        super().require_opened(obj)


class RevokeConsent(EndMine):
    """The end of a consent, by its owner."""

    title = "Revoke the consent"
    form_class = forms.ReasonForm
    submit_label = "Revoke"
    template_name = "portal/confirm.html"
    success = "The consent is revoked."

    @cached_property
    def found(self) -> Consent | None:
        return self.one_of(reports.consents(self.request.user))

    def perform(self, form) -> None:
        services.revoke(actor=self.request.user, consent=self.found, reason=form.cleaned_data["reason"])

    def get_context_data(self, **kwargs) -> dict:
        return super().get_context_data(**{"danger": True, "message": f"What it allowed {self.found.aggregator} ends now."} | kwargs)


class StateUse(Mine, Create):
    """What the owner keeps of a DER."""

    title = "Personal use"
    form_class = forms.UseForm
    success = "It is on record; offers and dispatch respect it."

    @cached_property
    def found(self) -> Der | None:
        return self.one_of(reports.ders(self.request.user))

    @property
    def lead(self) -> str:
        return f"What you keep of {self.found} for yourself: a reserve of its energy, hours of a week, or an event that it stays out of."

    def perform(self, form):
        try:
            return services.state_use(actor=self.request.user, der=self.found, **form.facts())
        except ValidationError as refusal:
            raise ValidationError(refusal.messages) from refusal


class EndUse(EndMine):
    """The owner takes a statement back."""

    title = "Take it back"
    form_class = forms.ConfirmForm
    submit_label = "Take it back"
    template_name = "portal/confirm.html"

    @cached_property
    def found(self):
        return self.one_of(reports.uses(self.request.user))

    def perform(self, form) -> None:
        services.end_use(actor=self.request.user, use=self.found)

    def get_context_data(self, **kwargs) -> dict:
        return super().get_context_data(**{"message": reports.told(self.found)} | kwargs)


class OfDer:
    """A page of an aggregator or a utility about the owner of a DER that it sees."""

    permission = "view_personal"

    @cached_property
    def der(self) -> Der:
        rows = Der.objects.visible_to(self.request.user).exclude(owner=None).select_related("owner__edc", "owner__aggregator")
        return get_object_or_404(rows, uuid=self.kwargs["uuid"], owner__erased_at=None)

    def allowed(self) -> bool:
        return policy.allows(self.request.user, self.permission, self.der.owner)

    def breadcrumbs(self) -> list[tuple[str, str]]:
        at = reverse("registry:der_detail", args=[self.der.uuid])
        return [("DERs", reverse("registry:der_list")), (self.der.external_id, at), (self.get_title(), "")]

    def done_url(self, result) -> str:
        return reverse("registry:der_detail", args=[self.der.uuid])

    def get_context_data(self, **kwargs) -> dict:
        return super().get_context_data(**{"cancel_url": self.done_url(None)} | kwargs)


class InviteOwner(Fresh, OfDer, Create):
    """A letter to the owner's address, with the link to the owner's own page."""

    title = "Invite the owner"
    form_class = forms.ConfirmForm
    submit_label = "Write to the owner"
    template_name = "portal/confirm.html"
    success = "The owner was written to."

    def perform(self, form) -> None:
        services.invite(actor=self.request.user, owner=self.der.owner)

    def get_context_data(self, **kwargs) -> dict:
        said = "The owner gets a link to a page of their own. That the address is used stands in the access log."
        return super().get_context_data(**{"message": said} | kwargs)


class ShowConsent(OfDer, Create):
    """A consent that the owner signed for the aggregator."""

    title = "Record a consent"
    permission = "file_ders"
    form_class = forms.ShownConsentForm
    success = "The consent is on record."

    def perform(self, form) -> Consent:
        owner = self.der.owner
        return services.consent(actor=self.request.user, owner=owner, aggregator=owner.aggregator, **form.cleaned_data)


class ConsentList(List):
    """Consents to one's aggregator, or of one's customers."""

    model = Consent
    title = "Consents"
    noun = "consents"
    table = CONSENT_TABLE
    filterset_class = ConsentFilterSet


class ConsentDetail(Detail):
    """One consent."""

    model = Consent
    keeps_versions = True
    related = ("aggregator", "edc", "evidence")
    parents = (("Consents", "registry:consent_list"),)
    transition_url = "registry:consent_transition"

    def facts(self) -> list:
        one = self.object
        about = [
            ("To", one.aggregator.name),
            ("What may be done", ", ".join(Consent.Scope(scope).label for scope in one.scopes)),
            ("What for", one.purpose),
            ("From", one.granted_on),
            ("Until", one.expires_on),
            ("Given", "by the owner here" if one.by_owner else "on paper"),
            ("Utility", one.edc.name),
        ]
        return [("Consent", [(label, value, None, None) for label, value in about])]

    def actions(self) -> list[tuple[str, str, bool]]:
        evidence = self.object.evidence
        return [("Evidence", reverse("document", args=[evidence.uuid]), False)] if evidence else []

    def transitions(self) -> list[dict]:
        own = policy.allows(self.request.user, "file_ders", self.object.aggregator)
        return super().transitions() if own and self.moment is None else []


class ConsentTransition(Transition):
    """The owner told the aggregator that the consent ends."""

    model = Consent
    detail_url = "registry:consent_detail"

    def move(self, actor, obj: Consent, name: str, reason: str) -> None:
        policy.require(actor, "file_ders", obj.aggregator)
        services.revoke(actor=actor, consent=obj, reason=reason)


class Welcome(TemplateView):
    """Behind an invitation's link: open the owner's account, or add the records to the account that has the address."""

    template_name = "registry/customers/welcome.html"

    @cached_property
    def found(self):
        return services.invited(self.kwargs["key"])

    @property
    def own(self) -> bool:
        return bool(self.found) and self.found[2] is not None and self.request.user == self.found[2]

    @cached_property
    def form(self):
        if self.found is None or self.found[2] is not None:
            return forms.ConfirmForm(self.request.POST or None)
        return forms.WelcomeForm(self.request.POST if self.request.method == "POST" else None)

    def get_context_data(self, **kwargs) -> dict:
        shown = {
            "title": "Your energy resources" if self.found else "This link is no longer valid",
            "found": self.found,
            "own": self.own,
            "form": self.form,
        }
        return super().get_context_data(**shown | kwargs)

    def post(self, request, *args, **kwargs) -> HttpResponse:
        if self.found is None or (self.found[2] is not None and not self.own):
            raise Http404
        if self.own or self.form.is_valid():
            given = {"user": request.user} if self.own else {name: self.form.cleaned_data[name] for name in ("name", "password")}
            try:
                services.open_account(key=kwargs["key"], **given)
            except UserError as refusal:
                messages.error(request, str(refusal))
            else:
                messages.success(request, "Your page is open." if self.own else "Your account is open: sign in to see your page.")
                return HttpResponseRedirect(reverse("registry:my"))
        return self.render_to_response(self.get_context_data(), status=422)
