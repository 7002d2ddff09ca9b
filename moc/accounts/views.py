"""Pages of one's own account, and of an organisation's members for its administrators."""

from uuid import UUID

from allauth.account import views as allauth_views
from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.cache import add_never_cache_headers
from django.utils.functional import cached_property
from django.views.generic import View

from moc.access import policy
from moc.access.models import ApiToken, Membership, Organization, User
from moc.accounts import forms, services
from moc.errors import UserError
from moc.portal import Create, Page

TITLE = "Members"


def email(request) -> HttpResponse:
    """allauth's page to change one's e-mail address, with the present one in its books."""
    if request.user.is_authenticated:
        services.claim_address(request.user)
    return allauth_views.email(request)


class AccountHome(Page):
    """One's own memberships and API tokens."""

    template_name = "account/home.html"
    title = "Your account"

    def get_context_data(self, **kwargs) -> dict:
        user = self.request.user
        shown = {
            "memberships": Membership.objects.filter(user=user, is_active=True).select_related("organization").order_by("pk"),
            "tokens": ApiToken.objects.filter(user=user).order_by("revoked_at", "-created_at"),
            "manages": policy.allows(user, services.PERMISSION),
        }
        return super().get_context_data(**shown | kwargs)


class IssueToken(Create):
    """A new API token: the answer to the form shows its secret, this once."""

    title, submit_label = "New API token", "Create the token"
    lead = "A program that bears this token acts as you, with your rights, until you revoke it."
    parents = (("Your account", "account_home"),)
    form_class = forms.TokenForm
    issued: tuple[ApiToken, str] | None = None

    def allowed(self) -> bool:
        return True

    def perform(self, form) -> None:
        self.issued = services.issue_token(actor=self.request.user, name=form.cleaned_data["name"])

    def done_url(self, result) -> str:
        return reverse("account_home")

    def get_context_data(self, **kwargs) -> dict:
        return super().get_context_data(**{"cancel_url": reverse("account_home")} | kwargs)

    def post(self, request, *args, **kwargs) -> HttpResponse:
        response = super().post(request, *args, **kwargs)
        if self.issued is None:
            return response
        token, secret = self.issued
        shown = render(request, "account/token.html", {"title": f"API token “{token.name}”", "secret": secret})
        add_never_cache_headers(shown)
        return shown


class RevokeToken(LoginRequiredMixin, View):
    """POST: revoke one of one's own tokens."""

    http_method_names = ["post"]

    def post(self, request, uuid: UUID) -> HttpResponse:
        token = get_object_or_404(ApiToken, uuid=uuid, user=request.user)
        services.revoke_token(actor=request.user, token=token)
        messages.success(request, f"The token “{token.name}” is revoked.")
        return HttpResponseRedirect(reverse("account_home"))


class OfOrganization:
    """A page about one organisation whose members the user administers; of any other: not found."""

    permission = services.PERMISSION

    @cached_property
    def organization(self) -> Organization:
        return get_object_or_404(manageable(self.request.user), slug=self.kwargs["slug"])

    @cached_property
    def member(self) -> User:
        return get_object_or_404(services.members_of(self.organization), uuid=self.kwargs["uuid"])

    def allowed(self) -> bool:
        return policy.allows(self.request.user, self.permission, self.organization)

    def list_url(self) -> str:
        return reverse("member_list", args=[self.organization.slug])

    def breadcrumbs(self) -> list[tuple[str, str]]:
        return [("Your account", reverse("account_home")), (f"{TITLE} of {self.organization}", self.list_url()), (self.get_title(), "")]

    def done_url(self, result) -> str:
        return self.list_url()

    def get_context_data(self, **kwargs) -> dict:
        shown = {"organization": self.organization, "role_facts": forms.role_facts(self.organization), "cancel_url": self.list_url()}
        return super().get_context_data(**shown | kwargs)


def manageable(user):
    """The organisations whose members a user administers."""
    return Organization.objects.visible_to(user, services.PERMISSION)


class Members(Page):
    """To the members of the first organisation that the user administers."""

    def get(self, request, *args, **kwargs) -> HttpResponse:
        own = policy.own_organizations(request.user)
        first = manageable(request.user).filter(pk__in=[organization.pk for organization in own]).first()
        if first is None:
            raise Http404
        return redirect("member_list", first.slug)


class MemberList(OfOrganization, Page):
    """Who has which roles in an organisation."""

    template_name = "account/members.html"

    def get_title(self) -> str:
        return f"{TITLE} of {self.organization}"

    def breadcrumbs(self) -> list[tuple[str, str]]:
        return [("Your account", reverse("account_home")), (self.get_title(), "")]

    def actions(self) -> list[tuple[str, str, bool]]:
        return [("Invite a member", reverse("member_invite", args=[self.organization.slug]), True)]

    def get_context_data(self, **kwargs) -> dict:
        seats = (
            Membership.objects.filter(organization=self.organization, is_active=True).select_related("user").order_by("user__email", "pk")
        )
        roles: dict[User, list[str]] = {}
        for seat in seats:
            roles.setdefault(seat.user, []).append(seat.get_role_display())
        others = manageable(self.request.user).exclude(pk=self.organization.pk)
        return super().get_context_data(**{"members": list(roles.items()), "others": others} | kwargs)


class Invite(OfOrganization, Create):
    """Add somebody by e-mail address, with roles."""

    template_name = "account/member_form.html"
    title, submit_label = "Invite a member", "Send the invitation"
    success = "The invitation is on its way."
    form_class = forms.InviteForm

    def get_form_kwargs(self) -> dict:
        return {"organization": self.organization}

    def perform(self, form) -> User:
        return services.invite(actor=self.request.user, organization=self.organization, **form.cleaned_data)


class ChangeRoles(OfOrganization, Create):
    """Give a member other roles."""

    template_name = "account/member_form.html"
    success = "The roles are changed."
    form_class = forms.RolesForm

    def get_title(self) -> str:
        return f"Roles of {self.member}"

    def get_form_kwargs(self) -> dict:
        return {"organization": self.organization, "initial": {"roles": sorted(services.roles_in(self.organization, self.member))}}

    def perform(self, form) -> None:
        services.set_roles(actor=self.request.user, organization=self.organization, user=self.member, roles=form.cleaned_data["roles"])


class EndMembership(OfOrganization, Create):
    """End a membership."""

    submit_label, success = "End the membership", "The membership has ended."
    form_class = forms.EndForm

    def get_title(self) -> str:
        return f"End the membership of {self.member}"

    def perform(self, form) -> None:
        services.deactivate_member(
            actor=self.request.user, organization=self.organization, user=self.member, reason=form.cleaned_data["reason"]
        )


class InviteAgain(LoginRequiredMixin, OfOrganization, View):
    """POST: send a fresh link to a member who has not accepted yet."""

    http_method_names = ["post"]

    def post(self, request, **kwargs) -> HttpResponse:
        try:
            services.invite_again(actor=request.user, organization=self.organization, user=self.member)
            messages.success(request, "A fresh invitation is on its way; the older link is void.")
        except UserError as refusal:
            messages.error(request, str(refusal))
        return HttpResponseRedirect(self.list_url())


class AcceptInvitation(View):
    """The page behind an invitation's link: set name and password, then sign in."""

    def dispatch(self, request, *args, **kwargs) -> HttpResponse:
        response = super().dispatch(request, *args, **kwargs)
        add_never_cache_headers(response)
        return response

    def get(self, request, key: str) -> HttpResponse:
        user = services.invited(key)
        return self._show(request, user, forms.AcceptForm(user=user, initial={"name": user.name}) if user else None)

    def post(self, request, key: str) -> HttpResponse:
        user = services.invited(key)
        form = forms.AcceptForm(request.POST, user=user) if user else None
        if form is None or not form.is_valid():
            return self._show(request, user, form, status=422)
        try:
            services.accept(key=key, name=form.cleaned_data["name"], password=form.cleaned_data["password"])
        except UserError as refusal:
            form.add_error(None, str(refusal))
            return self._show(request, user, form, status=422)
        messages.success(request, "Your account is ready. Sign in with your e-mail address and password.")
        return redirect("account_login")

    def _show(self, request, user: User | None, form, status: int = 200) -> HttpResponse:
        context = {"title": "Welcome" if user else "This invitation is no longer valid", "invited": user, "form": form}
        return render(request, "account/invitation.html", context, status=status)
