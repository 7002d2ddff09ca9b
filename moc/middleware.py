"""What every request passes: an id and a log line, limits of size and rate, and the age of its session."""

import hashlib
import logging
import re
import uuid
from time import monotonic, time

from django.conf import settings
from django.contrib.auth import logout
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from moc import metrics
from moc.frames import roomy
from moc.logs import actor_of, current_request

log = logging.getLogger("moc.request")
REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
API, QUIET = "/api/", ("/healthz", "/readyz", "/metrics")
FREQUENT = "/api/v1/operations/telemetry/"  # batches that come every few minutes: bounded as requests, not as files
FILE_TYPES = ("multipart/form-data", "text/csv", "application/x-ndjson", "application/gzip", "application/octet-stream", "application/vnd.")
FORM_OVERHEAD_BYTES = 2**20
STARTED, SEEN, TOUCH_SECONDS = "moc_started", "moc_seen", 60
PERMISSIONS_POLICY = "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()"


def client_address(request: HttpRequest) -> str:
    """The client's address: of X-Forwarded-For only what our own proxies (MOC_TRUSTED_PROXIES of them) wrote."""
    trusted = settings.MOC_TRUSTED_PROXIES
    hops = [hop.strip() for hop in request.headers.get("X-Forwarded-For", "").split(",") if hop.strip()]
    if trusted and len(hops) >= trusted:
        return hops[-trusted]
    return request.META.get("REMOTE_ADDR") or "unknown"


def request_log(get_response):
    """Give the request an id (the client's own, if it is a plain one), answer with it, write one line and count it."""
    get_response = roomy(get_response)

    def middleware(request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Request-ID", "")
        request.request_id = given if REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
        token, began = current_request.set(request), monotonic()
        try:
            response = get_response(request)
            response["X-Request-ID"] = request.request_id
            response.setdefault("Permissions-Policy", PERMISSIONS_POLICY)
            if actor_of(request) and not response.has_header("Cache-Control"):
                response["Cache-Control"] = "private, no-cache"
            _finish(request, response, monotonic() - began)
        finally:
            current_request.reset(token)
        return response

    return middleware


def _finish(request: HttpRequest, response: HttpResponse, seconds: float) -> None:
    match = request.resolver_match
    view = match.view_name or match.route if match else ("static" if response.status_code < 400 else "none")
    metrics.observe(request.method, view, response.status_code, seconds)
    if request.path not in QUIET and view != "static":
        facts = {"method": request.method, "path": request.path, "view": view, "status": response.status_code}
        log.info("%s %s %s", request.method, request.path, response.status_code, extra={**facts, "ms": round(seconds * 1000, 1)})


def refuse(request: HttpRequest, status: int, code: str, title: str, detail: str, **headers: str) -> HttpResponse:
    """A refusal before any view: problem+json (RFC 9457) for the API, a page for people."""
    if request.path.startswith(API):
        problem = {"type": "about:blank", "status": status, "title": title, "detail": detail, "code": code}
        response = JsonResponse(problem, status=status, content_type="application/problem+json")
    else:
        response = render(request, f"{status}.html", {"detail": detail}, status=status)
    for name, value in headers.items():
        response[name.replace("_", "-")] = value
    return response


def is_file(request: HttpRequest) -> bool:
    """Does the request carry a file (a form with one, or a batch for the API)?"""
    return request.method in {"POST", "PUT", "PATCH"} and request.content_type.startswith(FILE_TYPES)


def body_size(get_response):
    """Refuse a body that is larger than a file may be; forms without files are bounded by Django's own, smaller limit."""

    def middleware(request: HttpRequest) -> HttpResponse:
        length = request.META.get("CONTENT_LENGTH") or "0"
        if length.isdigit() and int(length) > settings.MOC_MAX_UPLOAD_BYTES + FORM_OVERHEAD_BYTES:
            megabytes = settings.MOC_MAX_UPLOAD_BYTES // 2**20
            detail = f"A file may have at most {megabytes} MB. Compress it (gzip) or split it."
            return refuse(request, 413, "TOO_LARGE", "The file is too large", detail)
        return get_response(request)

    return middleware


class BodyLimit:
    """ASGI: stop reading a body that is too large while it arrives, before Django spools it to disk; also one without a length."""

    def __init__(self, app, limit: int):
        self.app, self.limit = app, limit + FORM_OVERHEAD_BYTES

    async def __call__(self, scope, receive, send) -> None:
        """Pass everything on; a body beyond the limit ends for Django as if the client had hung up, and for the client with 413."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        length = dict(scope["headers"]).get(b"content-length", b"0")
        if length.isdigit() and int(length) > self.limit:
            await self._refuse(send)
            return
        received, answered = 0, False

        async def counted():
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            return message if received <= self.limit else {"type": "http.disconnect"}

        async def watched(message):
            nonlocal answered
            answered = True
            await send(message)

        await self.app(scope, counted, watched)
        if received > self.limit and not answered:
            await self._refuse(send)

    async def _refuse(self, send) -> None:
        body = b'{"type": "about:blank", "status": 413, "title": "The file is too large", "code": "TOO_LARGE"}'
        headers = [(b"content-type", b"application/problem+json"), (b"connection", b"close")]
        await send({"type": "http.response.start", "status": 413, "headers": headers})
        await send({"type": "http.response.body", "body": body})


def rate_limits(get_response):
    """Refuse a client that asks the API, or sends files, more often than the settings allow: 429 with Retry-After."""

    def middleware(request: HttpRequest) -> HttpResponse:
        limits = []
        if request.path.startswith(API):
            limits.append(("api", settings.MOC_API_PER_MINUTE, 60))
        if is_file(request) and not request.path.startswith(FREQUENT):
            limits.append(("upload", settings.MOC_UPLOADS_PER_HOUR, 3600))
        for name, amount, seconds in limits:
            wait = seconds_to_wait(f"{name}:{_client(request)}", amount, seconds)
            if wait:
                detail = f"At most {amount} requests of this kind in {seconds // 60} min. Try again in {wait} s."
                return refuse(request, 429, "TOO_MANY_REQUESTS", "Too many requests", detail, Retry_After=str(wait))
        return get_response(request)

    return middleware


def _client(request: HttpRequest) -> str:
    """Who is counted: an address and, if there is one, the credential that it shows."""
    credential = request.headers.get("Authorization") or request.COOKIES.get(settings.SESSION_COOKIE_NAME, "")
    return hashlib.sha256(f"{client_address(request)} {credential}".encode()).hexdigest()


def seconds_to_wait(key: str, amount: int, seconds: int) -> int:
    """Count one request in the current window; the seconds to wait when there were too many, else 0."""
    window, passed = divmod(int(time()), seconds)
    key = f"rate:{key}:{window}"
    if cache.add(key, 1, seconds):
        return 0
    try:
        count = cache.incr(key)
    except ValueError:  # the window ended between the two calls
        return 0
    return seconds - passed if count > amount else 0


def session_age(get_response):
    """End a session after an hour without a request and a day after signing in, whatever was done meanwhile."""

    def middleware(request: HttpRequest) -> HttpResponse:
        session, now = request.session, int(time())
        if "_auth_user_id" in session:
            started, seen = session.get(STARTED, now), session.get(SEEN, now)
            if now - seen > settings.MOC_SESSION_IDLE_SECONDS or now - started > settings.SESSION_COOKIE_AGE:
                logout(request)
            elif STARTED not in session or now - seen > TOUCH_SECONDS:
                session[STARTED], session[SEEN] = started, now
        return get_response(request)

    return middleware
