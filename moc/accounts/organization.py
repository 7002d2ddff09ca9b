"""Pages of an organisation: its own sign-in, and its admission."""

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.functional import cached_property

from moc.access.presence import Fresh
from moc.accounts import admissions, forms, providers
from moc.accounts.members import Deed, OfOrganization
from moc.accounts.models import Admission, SignInDomain, SignInProvider
from moc.documents.letters import print_letter
from moc.portal import Column, Create, Detail, List, Page, Table, Transition


class OfProvider(OfOrganization):
    """About the provider of an organisation whose members the user administers."""

    @cached_property
    def provider(self) -> SignInProvider | None:
        return SignInProvider.objects.filter(organization=self.organization).first()

    def list_url(self) -> str:
        return reverse("provider", args=[self.organization.slug])

    def breadcrumbs(self) -> list[tuple[str, str]]:
        trail = [("Your account", reverse("account_home")), (str(self.organization), reverse("member_list", args=[self.organization.slug]))]
        if type(self) is not Provider:
            trail.append(("Sign-in provider", self.list_url()))
        return [*trail, (self.get_title(), "")]


class Provider(OfProvider, Page):
    """How the organisation's own sign-in stands."""

    template_name = "account/provider.html"
    title = "Sign-in provider"
    lead = "Members sign in at your organisation's own OpenID Connect provider, with roles by what it says of them."

    def actions(self) -> list[tuple[str, str, bool]]:
        slug = [self.organization.slug]
        found = [("Change" if self.provider else "Set up", reverse("provider_change", args=slug), True)]
        return [*found, ("Add a domain", reverse("domain_add", args=slug), False)] if self.provider else found

    def get_context_data(self, **kwargs) -> dict:
        provider, request = self.provider, self.request
        domains = [(domain, providers.PROOF.format(domain=domain.domain)) for domain in provider.domains.all()] if provider else []
        back = request.build_absolute_uri(reverse("openid_connect_callback", kwargs={"provider_id": provider.key})) if provider else ""
        return super().get_context_data(**{"provider": provider, "domains": domains, "callback_url": back} | kwargs)


class ChangeProvider(Fresh, OfProvider, Create):
    """Set up or change the provider."""

    title, submit_label, success = "Set up the sign-in provider", "Save", "The sign-in provider is saved."
    form_class = forms.ProviderForm

    def get_form_kwargs(self) -> dict:
        known = self.provider
        given = {"organization": self.organization}
        if known is None:
            return given
        lines = "\n".join(f"{value} = {role}" for value, role in known.role_map.items())
        names = ("issuer", "client_id", "role_claim", "is_active")
        return given | {"initial": {name: getattr(known, name) for name in names} | {"roles": lines}}

    def perform(self, form) -> SignInProvider:
        given = dict(form.cleaned_data)
        return providers.configure(actor=self.request.user, organization=self.organization, role_map=given.pop("roles"), **given)


class AddDomain(Fresh, OfProvider, Create):
    """Name an e-mail domain."""

    title, submit_label, success = "Add an e-mail domain", "Add", "The domain is added; now prove that it is yours."
    form_class = forms.DomainForm

    def allowed(self) -> bool:
        return super().allowed() and self.provider is not None

    def perform(self, form) -> SignInDomain:
        return providers.add_domain(actor=self.request.user, provider=self.provider, domain=form.cleaned_data["domain"])


class OfDomain(OfProvider, Deed):
    """Something done with a domain."""

    @cached_property
    def domain(self) -> SignInDomain:
        rows = SignInDomain.objects.select_related("provider__organization")
        return get_object_or_404(rows, provider__organization=self.organization, uuid=self.kwargs["uuid"])


class ProveDomain(OfDomain):
    """Look for the token now."""

    success = "The domain is proven."

    def perform(self) -> None:
        providers.prove(actor=self.request.user, domain=self.domain)


class RemoveDomain(OfDomain):
    """Remove a domain."""

    success = "The domain is removed."

    def perform(self) -> None:
        providers.remove_domain(actor=self.request.user, domain=self.domain)


class AdmissionList(List):
    """The admissions within reach: an applicant's own, a regulator's, all for the operator."""

    model = Admission
    title = "Admissions"
    lead = "New aggregators sign themselves up; a regulator or the operator admits them."
    noun = "admissions"
    permission = admissions.PERMISSION
    table = Table(
        caption="Admissions",
        url=lambda row: reverse("admission_detail", args=[row["uuid"]]),
        needs=("uuid",),
        empty_title="Nobody asks to be admitted",
        columns=(
            Column("organization__name", "Organisation"),
            Column("status", "Status", kind="status", choices=Admission.Status),
            Column("user__name", "Applicant"),
            Column("rerra__name", "Regulator"),
            Column("applied_at", "Applied"),
        ),
    )


class AdmissionDetail(Detail):
    """One admission: the applicant's status page, and where it is decided."""

    model = Admission
    permission = admissions.PERMISSION
    related = ("organization", "rerra", "user")
    transition_url = "admission_transition"

    def actions(self) -> list[tuple[str, str, bool]]:
        admitted = self.object.status == Admission.Status.ADMITTED
        return [("Letter (PDF)", reverse("admission_letter", args=[self.object.uuid]), False)] if admitted else []

    def facts(self) -> list:
        one = self.object
        about = [
            ("Organisation", one.organization.name, "", ""),
            ("Legal name", one.organization.legal_name, "", ""),
            ("Applicant", f"{one.user.name}, {one.user.email}", "", ""),
            ("Regulator", one.rerra.name, "", ""),
            ("Applied", one.applied_at, "", ""),
            ("Terms", one.terms_version, "", ""),
        ]
        return [("Application", about)]


class AdmissionLetter(Detail):
    """The letter of admission as PDF."""

    model = Admission
    is_dated = False
    permission = admissions.PERMISSION
    related = ("organization", "rerra", "decided_by")

    def get(self, request, *args, **kwargs) -> HttpResponse:
        one = self.object
        if one.status != Admission.Status.ADMITTED:
            raise Http404
        parties = {"issuer": one.rerra, "recipient": one.organization}
        return print_letter(request, "admission", "documents/admission.html", {"admission": one}, f"admission-{one.uuid}.pdf", **parties)


class AdmissionTransition(Transition):
    """Admit or refuse."""

    model = Admission
    view_permission = admissions.PERMISSION
    detail_url = "admission_detail"

    def move(self, actor, obj, name: str, reason: str) -> None:
        admissions.decide(actor=actor, admissions=Admission.objects.filter(pk=obj.pk), name=name, reason=reason)
