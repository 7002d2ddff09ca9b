"""Pages of one's own account: memberships, API tokens, sessions."""

from uuid import UUID

from allauth.account import views as allauth_views
from allauth.mfa.adapter import get_adapter as second_factors
from allauth.mfa.webauthn.views import RemoveWebAuthnView
from allauth.usersessions.models import UserSession
from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.cache import add_never_cache_headers
from django.views.generic import View

from moc.access import policy, presence
from moc.access.models import ApiToken, Membership
from moc.access.presence import Fresh
from moc.accounts import forms, services, sessions
from moc.portal import Create, Page


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
            "second_factor": presence.has_second_factor(user),
            "sessions": sessions.sessions_of(user).count(),
        }
        return super().get_context_data(**shown | kwargs)


class IssueToken(Fresh, Create):
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


class Sessions(Page):
    """One's own sessions at browsers; POST ends one of them, or all others."""

    template_name = "account/sessions.html"
    title = "Sessions"
    lead = "Where you are signed in. A session ends after an hour of rest and after a day."
    parents = (("Your account", "account_home"),)

    def get_context_data(self, **kwargs) -> dict:
        shown = {"sessions": sessions.named(sessions.sessions_of(self.request.user)), "current": self.request.session.session_key}
        return super().get_context_data(**shown | kwargs)

    def post(self, request) -> HttpResponse:
        others = UserSession.objects.exclude(session_key=request.session.session_key)
        rows = sessions.chosen(others, request.POST.get("session", ""))
        ended = sessions.end(actor=request.user, sessions=rows)
        messages.success(request, "1 session is ended." if ended == 1 else f"{ended} sessions are ended.")
        return redirect("account_sessions")


class RemovePasskey(RemoveWebAuthnView):
    """allauth's page, which may not take the last second factor from whoever needs one."""

    def form_valid(self, form) -> HttpResponse:
        if not second_factors().can_delete_authenticator(self.get_object()):
            messages.error(self.request, "Your role needs a second factor: add another one first.")
            return redirect("mfa_list_webauthn")
        return super().form_valid(form)
