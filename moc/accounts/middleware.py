"""Whoever holds a role that needs a second factor, and has none, sets one up before anything else."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from moc.accounts import factors
from moc.middleware import API, refuse

OPEN = (
    "/accounts/2fa/",
    "/accounts/logout/",
    "/accounts/reauthenticate/",
    "/accounts/oidc/",
    "/static/",
    "/healthz",
    "/readyz",
    "/metrics",
)
DETAIL = "Your role needs a second factor: a passkey, or an app that makes codes. Set one up on your account's page first."


def second_factor(get_response):
    """Let a session without its second factor reach only the pages on which to set one up."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if request.path.startswith(OPEN) or not request.user.is_authenticated or not factors.is_missing(request):
            return get_response(request)
        if request.path.startswith(API):
            return refuse(request, 403, "SECOND-FACTOR", "Set up a second factor first", DETAIL)
        messages.warning(request, DETAIL)
        return HttpResponseRedirect(reverse("mfa_index"))

    return middleware
