"""The endpoints of OAuth 2.0: tokens, their revocation, the server's description. Whatever comes in, the answer is JSON (RFC 6749, 5.2)."""

import hashlib
import logging

from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET

from moc import sight
from moc.machines import oauth
from moc.middleware import client_address, seconds_to_wait

log = logging.getLogger(__name__)
FORM = "application/x-www-form-urlencoded"
LONGEST_BODY = 64 * 1024
FAILURES_PER_MINUTE = 60  # requests of one address, whatever client they name


def error(code: str, words: str, status: int = 400, **headers: str) -> JsonResponse:
    """A refusal as RFC 6749 writes it."""
    response = JsonResponse({"error": code, "error_description": words}, status=status)
    for name, value in headers.items():
        response[name.replace("_", "-")] = value
    return response


def _answered(request: HttpRequest, respond) -> HttpResponse:
    """Refuse what is no form, repeats a parameter or comes too often; else let the server respond."""
    if request.method != "POST":
        return error("invalid_request", "Use POST.", 405, Allow="POST")
    if request.content_type != FORM or int(request.META.get("CONTENT_LENGTH") or 0) > LONGEST_BODY:
        return error("invalid_request", f"Send a short form ({FORM}).")
    try:
        if any(len(values) > 1 for _, values in request.POST.lists()):
            return error("invalid_request", "A parameter is repeated.")
        asked = oauth.Asked(request)
        wait = _wait(request, asked)
        if wait:
            return error("temporarily_unavailable", f"Too many requests; try again in {wait} s.", 429, Retry_After=str(wait))
        with sight.engine():  # the server itself looks up who proves what
            response = respond(asked)
    except (ValueError, SuspiciousOperation):  # not UTF-8, not base64, a null byte
        return error("invalid_request", "The request cannot be read.")
    if response.status_code == 401:
        response["WWW-Authenticate"] = 'Basic realm="oauth"'
    return response


def _wait(request: HttpRequest, asked) -> int:
    """Seconds to wait: one client (as it names itself, from one address, so that nobody locks out another) and one address are counted."""
    address = client_address(request)
    named = hashlib.sha256(f"{address} {_named(asked)}".encode()).hexdigest()
    return seconds_to_wait(f"token:{named}", settings.MOC_TOKENS_PER_MINUTE, 60) or seconds_to_wait(
        f"token-from:{hashlib.sha256(address.encode()).hexdigest()}", max(FAILURES_PER_MINUTE, settings.MOC_TOKENS_PER_MINUTE * 10), 60
    )


def _named(asked) -> str:
    """What the request says of who it is: an id, a header, or the assertion's middle part, which names the client."""
    return asked.form.get("client_id") or asked.headers.get("Authorization", "") or oauth.subject_of(asked.form.get("client_assertion", ""))


@csrf_exempt
@never_cache
def token(request: HttpRequest) -> HttpResponse:
    """POST: an access token for a client that proves itself."""
    return _answered(request, oauth.server.create_token_response)


@csrf_exempt
@never_cache
def revoke(request: HttpRequest) -> HttpResponse:
    """POST: the end of one of the client's tokens."""
    return _answered(request, lambda asked: oauth.server.create_endpoint_response(oauth.Revocation.ENDPOINT_NAME, asked))


@require_GET
def metadata(request: HttpRequest) -> HttpResponse:
    """GET: the server's description."""
    return JsonResponse(oauth.metadata())
