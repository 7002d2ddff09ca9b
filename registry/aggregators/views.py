"""Pages of registrations: the company, its parts, the agreement, the review; and suspensions."""

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.functional import cached_property

from moc.access import policy
from moc.access.models import Organization
from moc.access.presence import Fresh
from moc.documents.letters import print_letter
from moc.documents.models import Document
from moc.portal import Create, Detail, End, List, Transition, Update
from moc.portal.views import One
from registry.aggregators import forms, reports
from registry.aggregators.filters import RegistrationFilterSet, SuspensionFilterSet
from registry.aggregators.models import AggregatorRegistration, AgreementSignature, Suspension
from registry.aggregators.services import parts, registering, standing
from registry.aggregators.tables import REGISTRATION_TABLE, SUSPENSION_TABLE
from registry.participants.views import Reveal

WRITES, DECIDES = registering.WRITES, registering.DECIDES
LIST = (("Aggregators", "registry:aggregator_list"),)
SUSPENSIONS = (("Suspensions", "registry:suspension_list"),)
FORMS = {
    "officers": forms.OfficerForm,
    "contacts": forms.ContactForm,
    "certifications": forms.CertificationForm,
    "memberships": forms.MembershipForm,
}


def at(name: str, registration: AggregatorRegistration, *further) -> str:
    return reverse(f"registry:aggregator_{name}", args=[registration.uuid, *further])


def unregistered(user):
    """The user's aggregators that have not begun a registration."""
    mine = policy.reach(user, WRITES)
    return Organization.objects.filter(pk__in=mine, is_active=True, registration=None).order_by("name")


class RegistrationList(List):
    """Registrations within reach: one's own, a regulator's all."""

    model = AggregatorRegistration
    title = "Aggregators"
    lead = "Who files is registered with a regulator, has signed the participation agreement, and keeps its certifications valid."
    noun = "registrations"
    keeps_versions = True
    table = REGISTRATION_TABLE
    filterset_class = RegistrationFilterSet

    def actions(self) -> list[tuple[str, str, bool]]:
        begin = [("Begin the registration", reverse("registry:aggregator_new"), True)] if unregistered(self.request.user).exists() else []
        return [*begin, ("Suspensions", reverse("registry:suspension_list"), False)]


class NewRegistration(Create):
    """The beginning of a registration."""

    title = "Begin the registration"
    lead = "Officers, contacts, certifications and the agreement are added next; then it is submitted to the regulator."
    permission = WRITES
    form_class = forms.RegistrationForm
    parents = LIST

    def perform(self, form) -> AggregatorRegistration:
        aggregator = unregistered(self.request.user).first()
        if aggregator is None:
            raise Http404
        return registering.start(actor=self.request.user, aggregator=aggregator, **form.cleaned_data)

    def done_url(self, result) -> str:
        return at("detail", result)


class OfRegistration:
    """A page below a registration that the user sees; its aggregator's administrators change it."""

    permission = WRITES

    @cached_property
    def registration(self) -> AggregatorRegistration:
        rows = AggregatorRegistration.objects.visible_to(self.request.user).select_related("aggregator", "rerra")
        return get_object_or_404(rows, uuid=self.kwargs["uuid"])

    def allowed(self) -> bool:
        return policy.allows(self.request.user, self.permission, self.registration.aggregator)

    def breadcrumbs(self) -> list[tuple[str, str]]:
        above = [(label, reverse(name)) for label, name in LIST]
        return [*above, (str(self.registration.aggregator), at("detail", self.registration)), (self.get_title(), "")]

    def done_url(self, result) -> str:
        return at("detail", self.registration)

    def get_context_data(self, **kwargs) -> dict:
        return super().get_context_data(**{"cancel_url": at("detail", self.registration)} | kwargs)


class RegistrationDetail(Detail):
    """One registration with its parts, and what keeps the aggregator from filing."""

    model = AggregatorRegistration
    template_name = "registry/aggregators/detail.html"
    keeps_versions = True
    related = ("aggregator", "rerra", "decided_by")
    parents = LIST
    transition_url = "registry:aggregator_transition"

    def may(self, permission: str, organization: Organization) -> bool:
        return self.moment is None and policy.allows(self.request.user, permission, organization)

    def actions(self) -> list[tuple[str, str, bool]]:
        one, found = self.object, []
        if self.may(WRITES, one.aggregator):
            unsigned = reports.signature(one.aggregator_id) is None
            found += [("Change", at("change", one), False)]
            found += [("Sign the agreement", at("sign", one), True)] if unsigned else []
        if self.may(WRITES, one.aggregator) or self.may(DECIDES, one.rerra):
            found += [("Personal data", at("personal", one), False)]
        if self.moment is None and AgreementSignature.objects.visible_to(self.request.user).filter(aggregator=one.aggregator_id).exists():
            found += [("Agreement (PDF)", at("agreement_letter", one), False)]
        return found

    def transitions(self) -> list[dict]:
        """Each side makes its own moves: the regulator decides, the aggregator submits."""
        sides = {WRITES: self.object.aggregator, DECIDES: self.object.rerra}
        named = AggregatorRegistration.lifecycle.transitions
        return [move for move in super().transitions() if self.may(named[move["name"]].permission, sides[named[move["name"]].permission])]

    def facts(self) -> list:
        return reports.facts(self.object)

    def get_context_data(self, **kwargs) -> dict:
        one = self.object
        shown = {}
        if self.moment is None:
            writes = self.may(WRITES, one.aggregator)
            shown = {
                "obstacles": reports.obstacles(one.aggregator),
                "lacking": reports.missing(one),
                "signature": reports.signature(one.aggregator_id),
                "parts": [(kind, at("part_new", one, kind) if writes else "", self._rows(kind, writes)) for kind in FORMS],
            }
        return super().get_context_data(**shown | kwargs)

    def _rows(self, kind: str, writes: bool) -> list[dict]:
        """The parts of a kind; evidence that the user may read is linked."""
        rows = parts.rows(kind, self.object.aggregator)
        keys = {row.evidence_id for row in rows if getattr(row, "evidence_id", None)}
        readable = Document.objects.visible_to(self.request.user).in_bulk(keys) if keys else {}
        return [
            {
                "row": row,
                "facts": reports.part_facts(row),
                "evidence": readable.get(getattr(row, "evidence_id", None)),
                "end_url": at("part_end", self.object, kind, row.pk) if writes else "",
            }
            for row in rows
        ]


class ChangeRegistration(OfRegistration, Update):
    """The company's facts."""

    model = AggregatorRegistration
    title = "Change the registration"
    form_class = forms.RegistrationForm

    def get_form_kwargs(self) -> dict:
        return {"instance": self.object}

    def perform(self, form) -> AggregatorRegistration:
        return registering.change(actor=self.request.user, registration=self.registration, **form.cleaned_data)


class AddPart(OfRegistration, Create):
    """An officer, a contact, a certification or a membership."""

    @property
    def title(self) -> str:
        return f"Add to {self.kwargs['kind']}"

    @property
    def form_class(self):
        return FORMS[self.kwargs["kind"]]

    def allowed(self) -> bool:
        return self.kwargs["kind"] in FORMS and super().allowed()

    def perform(self, form):
        return parts.add(actor=self.request.user, aggregator=self.registration.aggregator, part=self.kwargs["kind"], **form.cleaned_data)


class EndPart(OfRegistration, End):
    """The end of a part: asked once more."""

    title = "Take it out"
    template_name = "portal/confirm.html"
    form_class = forms.EndForm
    submit_label = "Take it out"

    def allowed(self) -> bool:
        return self.kwargs["kind"] in FORMS and super().allowed() and self.part is not None

    @cached_property
    def part(self):
        return next((row for row in parts.rows(self.kwargs["kind"], self.registration.aggregator) if row.pk == self.kwargs["part"]), None)

    @property
    def ended(self):
        return self.part

    def perform(self, form) -> None:
        parts.end(actor=self.request.user, kind=self.kwargs["kind"], part=self.part)

    def get_context_data(self, **kwargs) -> dict:
        return super().get_context_data(**{"danger": True, "message": str(self.part)} | kwargs)


class Sign(Fresh, OfRegistration, Create):
    """The agreement in force, to be read and signed."""

    title = "Participation agreement"
    form_class = forms.SignForm
    submit_label = "Sign"
    template_name = "registry/aggregators/agreement.html"

    @cached_property
    def agreement(self) -> reports.Agreement:
        return reports.agreement()

    def get_form_kwargs(self) -> dict:
        return {"initial": {"version": self.agreement.version}}

    def perform(self, form):
        said = {name: form.cleaned_data[name] for name in ("version", "signed_as")}
        return registering.sign(actor=self.request.user, aggregator=self.registration.aggregator, **said)

    def get_context_data(self, **kwargs) -> dict:
        return super().get_context_data(**{"agreement": self.agreement} | kwargs)


class AgreementLetter(One):
    """The agreement as it was signed last, as PDF, from the regulator's record to the aggregator."""

    model = AggregatorRegistration

    def get(self, request, *args, **kwargs) -> HttpResponse:
        one = self.object
        signature = AgreementSignature.objects.visible_to(request.user).filter(aggregator=one.aggregator_id).first()
        if signature is None:
            raise Http404
        parties = {"issuer": one.rerra, "recipient": one.aggregator}
        context, name = {"aggregator": one.aggregator, "signature": signature}, f"agreement-{signature.uuid}.pdf"
        return print_letter(request, "agreement", "documents/agreement.html", context, name, **parties)


class RevealRegistration(Reveal):
    """Tax id, officers and contacts in full, for the aggregator's administrators and its regulator."""

    title = "Personal data of the registration"
    lead = "Who looks, when, at what and what for stands in the access log."

    def get_record(self) -> AggregatorRegistration | None:
        rows = AggregatorRegistration.objects.visible_to(self.request.user).select_related("aggregator", "rerra")
        return rows.filter(uuid=self.kwargs["uuid"]).first()

    def may(self, record: AggregatorRegistration) -> bool:
        return parts.may_reveal(self.request.user, record)

    def open(self, said: dict) -> list:
        return parts.reveal(actor=self.request.user, registration=self.record, purpose=said["purpose"], text=said["note"])

    def masked(self) -> list:
        return parts.masked(self.record)

    def back(self) -> str:
        return at("detail", self.record)


class RegistrationTransition(Transition):
    """A move of a registration."""

    model = AggregatorRegistration
    detail_url = "registry:aggregator_detail"

    def move(self, actor, obj, name: str, reason: str) -> None:
        registering.move(actor=actor, registration=obj, name=name, reason=reason)


class SuspensionList(List):
    """Suspensions of one's own, by one's own, or within one's oversight."""

    model = Suspension
    title = "Suspensions"
    noun = "suspensions"
    table = SUSPENSION_TABLE
    filterset_class = SuspensionFilterSet
    parents = LIST

    def actions(self) -> list[tuple[str, str, bool]]:
        may = policy.allows(self.request.user, standing.PERMISSION)
        return [("Suspend an aggregator", reverse("registry:suspension_new"), True)] if may else []


class NewSuspension(Fresh, Create):
    """A suspension at the level of one's own organisation."""

    title = "Suspend an aggregator"
    lead = "It cannot file at your organization's level until you reinstate it; what is registered stays as it is."
    permission = standing.PERMISSION
    form_class = forms.SuspensionForm
    submit_label = "Suspend"
    parents = SUSPENSIONS

    def perform(self, form) -> Suspension:
        authority = Organization.objects.get(pk=min(policy.reach(self.request.user, self.permission)))
        return standing.suspend(actor=self.request.user, authority=authority, **form.cleaned_data)

    def done_url(self, result: Suspension) -> str:
        return reverse("registry:suspension_detail", args=[result.uuid])


class SuspensionDetail(Detail):
    """One suspension: by whom, at which level, why, and its end."""

    model = Suspension
    keeps_versions = True
    related = ("aggregator", "authority", "evidence", "imposed_by", "lifted_by")
    parents = SUSPENSIONS
    transition_url = "registry:suspension_transition"

    def facts(self) -> list:
        return reports.suspension_facts(self.object)

    def actions(self) -> list[tuple[str, str, bool]]:
        evidence = self.object.evidence
        letter = [("Letter (PDF)", reverse("registry:suspension_letter", args=[self.kwargs["uuid"]]), False)]
        return letter + (
            [(f"Evidence, version {evidence.version}", reverse("document_versions", args=[evidence.uuid]), False)] if evidence else []
        )

    def transitions(self) -> list[dict]:
        may = self.moment is None and policy.allows(self.request.user, standing.PERMISSION, self.object.authority)
        return super().transitions() if may else []


class SuspensionLetter(One):
    """The suspension as PDF, from the authority to the aggregator."""

    model = Suspension

    def get(self, request, *args, **kwargs) -> HttpResponse:
        one = self.object
        parties = {"issuer": one.authority, "recipient": one.aggregator}
        name = f"suspension-{one.uuid}.pdf"
        return print_letter(request, "suspension", "documents/suspension.html", {"suspension": one}, name, **parties)


class SuspensionTransition(Transition):
    """The end of a suspension."""

    model = Suspension
    detail_url = "registry:suspension_detail"

    def move(self, actor, obj: Suspension, name: str, reason: str) -> None:
        standing.reinstate(actor=actor, suspension=obj, reason=reason)
