"""Pages of an organisation's members, invitations and administrators, for those who administer them."""

from allauth.usersessions.models import UserSession
from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.functional import cached_property
from django.views.generic import View

from moc import sight
from moc.access import policy, presence
from moc.access.models import Membership, Organization, User
from moc.access.presence import Fresh
from moc.accounts import forms, invitations, lockout, services, sessions
from moc.accounts.models import AdministratorGrant, Invitation
from moc.errors import UserError
from moc.portal import Create, Page

TITLE = "Members"


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


class Deed(LoginRequiredMixin, OfOrganization, View):
    """POST: one thing done at once, told, and back to the list."""

    http_method_names = ["post"]
    success = ""

    def perform(self) -> None:
        raise NotImplementedError

    def post(self, request, **kwargs) -> HttpResponse:
        try:
            self.perform()
            messages.success(request, self.success)
        except UserError as refusal:
            messages.error(request, str(refusal))
        return HttpResponseRedirect(self.list_url())


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
        slug = [self.organization.slug]
        return [("Invite a member", reverse("member_invite", args=slug), True), ("Sign-in provider", reverse("provider", args=slug), False)]

    def get_context_data(self, **kwargs) -> dict:
        seats = (
            Membership.objects.filter(organization=self.organization, is_active=True)
            .select_related("user__sign_in_failures")
            .order_by("user__email", "pk")
        )
        roles: dict[User, list[str]] = {}
        with sight.engine():  # whether a member's account is locked is the member's own business, and the administrator's
            for seat in seats:
                roles.setdefault(seat.user, []).append(seat.get_role_display())
        others = manageable(self.request.user).exclude(pk=self.organization.pk)
        open_ones = Invitation.objects.filter(organization=self.organization, status=Invitation.Status.OPEN)
        proposed = AdministratorGrant.objects.filter(organization=self.organization, status=AdministratorGrant.Status.PROPOSED)
        grants = [(grant, services.may_confirm(self.request.user, grant)) for grant in proposed.select_related("member", "proposed_by")]
        shown = {"members": list(roles.items()), "others": others, "invitations": open_ones, "grants": grants}
        return super().get_context_data(**shown | kwargs)


class Invite(Fresh, OfOrganization, Create):
    """Add somebody by e-mail address, with roles."""

    template_name = "account/member_form.html"
    title, submit_label = "Invite a member", "Send the invitation"
    success = "The invitation is on its way."
    form_class = forms.InviteForm

    def get_form_kwargs(self) -> dict:
        return {"organization": self.organization}

    def perform(self, form) -> Invitation:
        return invitations.invite(actor=self.request.user, organization=self.organization, **form.cleaned_data)


class ChangeRoles(Fresh, OfOrganization, Create):
    """Give a member other roles."""

    template_name = "account/member_form.html"
    success = "The roles are changed; a new administrator waits for confirmation by a second person."
    form_class = forms.RolesForm

    def get_title(self) -> str:
        return f"Roles of {self.member}"

    def get_form_kwargs(self) -> dict:
        return {"organization": self.organization, "initial": {"roles": sorted(services.roles_in(self.organization, self.member))}}

    def perform(self, form) -> None:
        services.set_roles(actor=self.request.user, organization=self.organization, user=self.member, roles=form.cleaned_data["roles"])


class EndMembership(Fresh, OfOrganization, Create):
    """End a membership."""

    submit_label, success = "End the membership", "The membership has ended."
    form_class = forms.EndForm

    def get_title(self) -> str:
        return f"End the membership of {self.member}"

    def perform(self, form) -> None:
        services.deactivate_member(
            actor=self.request.user, organization=self.organization, user=self.member, reason=form.cleaned_data["reason"]
        )


class OfInvitation(Deed):
    """Something done with an open invitation."""

    @cached_property
    def invitation(self) -> Invitation:
        return get_object_or_404(Invitation, organization=self.organization, uuid=self.kwargs["uuid"])


class InviteAgain(OfInvitation):
    """Send a fresh link."""

    success = "A fresh invitation is on its way; the older link is void."

    def perform(self) -> None:
        invitations.send_again(actor=self.request.user, invitation=self.invitation)


class RevokeInvitation(OfInvitation):
    """Void an invitation."""

    success = "The invitation is revoked."

    def perform(self) -> None:
        invitations.revoke(actor=self.request.user, invitation=self.invitation)


class Unlock(Deed):
    """Open a member's account that too many failures locked."""

    success = "The account is open again."

    def perform(self) -> None:
        lockout.unlock(actor=self.request.user, organization=self.organization, user=self.member)


class MemberSessions(OfOrganization, Page):
    """A member's sessions at browsers; POST ends one of them, or all."""

    template_name = "account/sessions.html"

    def get_title(self) -> str:
        return f"Sessions of {self.member}"

    def dispatch(self, request, *args, **kwargs) -> HttpResponse:
        if request.user.is_authenticated and not self.allowed():
            raise Http404
        return super().dispatch(request, *args, **kwargs)

    def get_context_data(self, **kwargs) -> dict:
        return super().get_context_data(**{"sessions": sessions.named(sessions.sessions_of(self.member)), "current": ""} | kwargs)

    def post(self, request, **kwargs) -> HttpResponse:
        rows = sessions.chosen(UserSession.objects.filter(user=self.member), request.POST.get("session", ""))
        ended = sessions.end(actor=request.user, sessions=rows, organization=self.organization)
        messages.success(request, "1 session is ended." if ended == 1 else f"{ended} sessions are ended.")
        return redirect("member_sessions", self.organization.slug, self.member.uuid)


class OfGrant(LoginRequiredMixin):
    """A proposed administrator whom the user may confirm."""

    @cached_property
    def grant(self) -> AdministratorGrant:
        rows = AdministratorGrant.objects.select_related("organization", "member", "proposed_by")
        grant = get_object_or_404(rows, uuid=self.kwargs["uuid"])
        if not services.may_confirm(self.request.user, grant):
            raise Http404
        return grant


class ConfirmGrant(OfGrant, View):
    """POST: a second person confirms."""

    http_method_names = ["post"]

    def post(self, request, **kwargs) -> HttpResponse:
        grant = self.grant
        presence.demand(request)
        try:
            services.decide_grant(actor=request.user, grant=grant, name="confirm")
            messages.success(request, f"{grant.member} is administrator of {grant.organization}.")
        except UserError as refusal:
            messages.error(request, str(refusal))
        return redirect("grants")


class RejectGrant(OfGrant, Create):
    """A second person does not confirm."""

    form_class = forms.RejectForm
    submit_label, success = "Do not confirm", "The proposal is rejected."

    def allowed(self) -> bool:
        return bool(self.grant)

    def get_title(self) -> str:
        return f"Do not confirm {self.grant}"

    def perform(self, form) -> None:
        services.decide_grant(actor=self.request.user, grant=self.grant, name="reject", reason=form.cleaned_data["reason"])

    def done_url(self, result) -> str:
        return reverse("grants")

    def get_context_data(self, **kwargs) -> dict:
        return super().get_context_data(**{"cancel_url": reverse("grants")} | kwargs)


class Grants(Page):
    """The administrators who wait for a second person, among them the user's to confirm."""

    template_name = "account/grants.html"
    title = "Administrators to confirm"
    lead = "A new administrator becomes one when a second person confirms."

    def get_context_data(self, **kwargs) -> dict:
        return super().get_context_data(**{"grants": services.grants_for(self.request.user)} | kwargs)
