"""Pages of an organisation's machine clients, for those who administer its members."""

from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.cache import add_never_cache_headers
from django.utils.functional import cached_property
from django.views.generic import View

from moc.access import policy
from moc.access.machines import MachineClient, MachineCredential
from moc.access.models import Organization
from moc.accounts.forms import role_facts
from moc.errors import UserError
from moc.machines import forms, services
from moc.machines.oauth import address
from moc.portal import Create, Page

TITLE = "Machine clients"


def show_secret(request, client: MachineClient, secret: str) -> HttpResponse:
    """The one page that shows a secret."""
    shown = {"title": f"Secret of {client}", "client": client, "secret": secret, "token_url": address("token")}
    response = render(request, "machines/secret.html", shown)
    add_never_cache_headers(response)
    return response


class OfOrganization:
    """A page about the clients of one organisation whose members the user administers; of any other: not found."""

    permission = services.PERMISSION

    @cached_property
    def organization(self) -> Organization:
        rows = Organization.objects.visible_to(self.request.user, self.permission)
        return get_object_or_404(rows, slug=self.kwargs["slug"])

    @cached_property
    def client(self) -> MachineClient:
        return get_object_or_404(services.clients_of(self.organization), uuid=self.kwargs["uuid"])

    def allowed(self) -> bool:
        return policy.allows(self.request.user, self.permission, self.organization)

    def list_url(self) -> str:
        return reverse("machine_list", args=[self.organization.slug])

    def client_url(self) -> str:
        return reverse("machine_detail", args=[self.organization.slug, self.client.uuid])

    def breadcrumbs(self) -> list[tuple[str, str]]:
        above = [("Your account", reverse("account_home")), (f"{TITLE} of {self.organization}", self.list_url())]
        inner = [(str(self.client), self.client_url())] if "uuid" in self.kwargs and self.get_title() != str(self.client) else []
        return [*above, *inner, (self.get_title(), "")]


class Machines(Page):
    """To the clients of the first organisation that the user administers."""

    def get(self, request, *args, **kwargs) -> HttpResponse:
        own = [organization.pk for organization in policy.own_organizations(request.user)]
        first = Organization.objects.visible_to(request.user, services.PERMISSION).filter(pk__in=own).first()
        if first is None:
            raise Http404
        return redirect("machine_list", first.slug)


class MachineList(OfOrganization, Page):
    """The clients of an organisation."""

    template_name = "machines/list.html"
    lead = "Programs that call the API for the organisation, each with a role and narrowed to scopes."

    def get_title(self) -> str:
        return f"{TITLE} of {self.organization}"

    def breadcrumbs(self) -> list[tuple[str, str]]:
        return [("Your account", reverse("account_home")), (self.get_title(), "")]

    def actions(self) -> list[tuple[str, str, bool]]:
        return [("Make a client", reverse("machine_new", args=[self.organization.slug]), True)]

    def get_context_data(self, **kwargs) -> dict:
        shown = {"organization": self.organization, "clients": services.clients_of(self.organization)}
        return super().get_context_data(**shown | kwargs)


class NewMachine(OfOrganization, Create):
    """A new client; without a public key the answer shows its first secret, this once."""

    template_name = "account/member_form.html"
    title, submit_label = "Make a machine client", "Make the client"
    form_class = forms.ClientForm
    made: tuple[MachineClient, str] | None = None

    def get_form_kwargs(self) -> dict:
        return {"organization": self.organization}

    def perform(self, form) -> MachineClient:
        given = dict(form.cleaned_data)
        client, secret = services.create_with(
            actor=self.request.user, organization=self.organization, public_key=given.pop("public_key"), **given
        )
        self.made = (client, secret)
        return client

    def done_url(self, result: MachineClient) -> str:
        return reverse("machine_detail", args=[self.organization.slug, result.uuid])

    def post(self, request, *args, **kwargs) -> HttpResponse:
        response = super().post(request, *args, **kwargs)
        return show_secret(request, *self.made) if self.made and self.made[1] else response

    def get_context_data(self, **kwargs) -> dict:
        return super().get_context_data(**{"role_facts": role_facts(self.organization), "cancel_url": self.list_url()} | kwargs)


class MachineDetail(OfOrganization, Page):
    """One client: what it may do, when it was last here, its secrets and keys."""

    template_name = "machines/detail.html"

    def get_title(self) -> str:
        return str(self.client)

    def get_context_data(self, **kwargs) -> dict:
        client = self.client
        rows = [
            ("Client id", client.uuid, None, ""),
            ("Organisation", self.organization, None, ""),
            ("Role", client.membership.get_role_display(), None, ""),
            ("Scopes", ", ".join(client.scopes), None, ""),
            ("Made", client.created_at, None, ""),
            ("Last used", client.last_used_at, None, "to the minute"),
        ]
        shown = {
            "organization": self.organization,
            "client": client,
            "active": client.user.is_active and client.membership.is_active,
            "facts": [("The client", rows)],
            "credentials": client.credentials.order_by("revoked_at", "-created_at"),
        }
        return super().get_context_data(**shown | kwargs)


class AddKey(OfOrganization, Create):
    """Another public key."""

    title, submit_label, success = "Add a public key", "Add the key", "The key is added."
    form_class = forms.KeyForm

    def perform(self, form) -> None:
        services.add_keys(actor=self.request.user, client=self.client, text=form.cleaned_data["public_key"])

    def done_url(self, result) -> str:
        return self.client_url()

    def get_context_data(self, **kwargs) -> dict:
        return super().get_context_data(**{"cancel_url": self.client_url()} | kwargs)


class EndMachine(AddKey):
    """End a client for good."""

    title, submit_label, success = "End the client", "End the client", "The client has ended, and its tokens with it."
    form_class = forms.EndForm

    def perform(self, form) -> None:
        services.deactivate(actor=self.request.user, client=self.client, reason=form.cleaned_data["reason"])


class Act(LoginRequiredMixin, OfOrganization, View):
    """POST: one act on a client; a refusal is told on its page."""

    http_method_names = ["post"]

    def act(self) -> HttpResponse | None:
        raise NotImplementedError

    def post(self, request, **kwargs) -> HttpResponse:
        try:
            answer = self.act()
        except UserError as refusal:
            messages.error(request, str(refusal))
            answer = None
        return answer or HttpResponseRedirect(self.client_url())


class AddSecret(Act):
    """POST: another secret, shown this once."""

    def act(self) -> HttpResponse:
        _, secret = services.add_secret(actor=self.request.user, client=self.client)
        return show_secret(self.request, self.client, secret)


class RevokeCredential(Act):
    """POST: the end of a secret or a key."""

    def act(self) -> None:
        credential = get_object_or_404(MachineCredential, uuid=self.kwargs["credential"], client=self.client)
        services.revoke_credential(actor=self.request.user, credential=credential)
        messages.success(self.request, "It is revoked, and every token that it got.")


class RevokeTokens(Act):
    """POST: the end of every token of a client."""

    def act(self) -> None:
        count = services.revoke_tokens(actor=self.request.user, client=self.client)
        messages.success(self.request, f"Tokens revoked: {count}.")
