"""Showing again who one is: before a sensitive act a person at the browser proves it anew, with the second factor if there is one. N2.

`demand(request)` is the whole interface; `Fresh` does it for a class of pages, a lifecycle's `sensitive` transitions ask by themselves.
A program that bears a token proves itself with every request, and is not asked.
"""

from time import time
from urllib.parse import urlencode, urlsplit

from allauth.account.adapter import get_adapter
from allauth.account.authentication import get_authentication_records
from allauth.core.exceptions import ImmediateHttpResponse, ReauthenticationRequired
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponseRedirect
from django.shortcuts import resolve_url

from moc.access.models import User
from moc.errors import UserError

FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
API, PROVIDER = "/api/", "provider"  # PROVIDER: the method of those who sign in at their organisation's provider only


class ConfirmationNeeded(UserError):
    """A browser's session asks the API for a sensitive act, and its owner has not shown lately who they are."""

    code, status = "REAUTHENTICATE", 403


def has_second_factor(user) -> bool:
    """Has the user an authenticator app or a passkey?"""
    return Authenticator.objects.filter(user_id=user.pk, type__in=FACTORS).exists()


def is_fresh(request: HttpRequest) -> bool:
    """Did the user sign in or confirm within the last quarter of an hour, with the second factor if there was one by then?"""
    factors = Authenticator.objects.filter(user_id=request.user.pk, type__in=FACTORS)
    since = factors.order_by("created_at").values_list("created_at", flat=True).first()
    records = [
        record["at"]
        for record in get_authentication_records(request, request.user)
        if record["method"] == "mfa" or since is None or record["at"] < since.timestamp()
    ]
    return time() - max(records, default=0) < settings.ACCOUNT_REAUTHENTICATION_TIMEOUT


def demand(request: HttpRequest) -> None:
    """Go on if the user has shown lately who they are; else send them to show it, and back.

    A form's body waits in the session and is carried out after the detour. One with a file, or whose address has a query, is not kept:
    the user comes back to the page and is told to send it again. In the API: ConfirmationNeeded.
    """
    if getattr(request, "auth", None) is not None or request.user.kind == User.Kind.MACHINE or is_fresh(request):
        return
    if request.path.startswith(API):
        raise ConfirmationNeeded("This needs you to show again who you are.", "Open your account's page and confirm, then repeat it.")
    methods = get_adapter().get_reauthentication_methods(request.user)
    reading, elsewhere = request.method in {"GET", "HEAD"}, not methods or methods[0]["id"] == PROVIDER
    if not elsewhere and (reading or not (request.FILES or request.META.get("QUERY_STRING"))):
        raise ReauthenticationRequired  # allauth keeps the body and sends the user to the first method
    if not reading:
        messages.warning(request, "Nothing was done yet: first show that it is you, then send the form again.")
    url = methods[0]["url"] if methods else resolve_url(settings.LOGIN_URL)
    raise ImmediateHttpResponse(HttpResponseRedirect(f"{url}?{urlencode({'next': _way_back(request)})}"))


def _way_back(request: HttpRequest) -> str:
    """The page that was asked for; of a form that is not kept, the page that it stands on."""
    if request.method in {"GET", "HEAD"}:
        return request.get_full_path()
    came = urlsplit(request.headers.get("Referer", ""))
    if came.netloc != request.get_host():
        return "/"
    return f"{came.path}?{came.query}" if came.query else came.path


class Fresh:
    """Mixin of views: whoever opens the page, or sends its form, has shown lately who they are."""

    def dispatch(self, request: HttpRequest, *args, **kwargs):
        if request.user.is_authenticated:
            demand(request)
        return super().dispatch(request, *args, **kwargs)
