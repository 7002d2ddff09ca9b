"""Conditional requests (RFC 9110) and repeated ones: a write names the version that it means, and a key makes it happen once."""

import hashlib
import json
from functools import wraps

from django.core.cache import cache
from django.core.files.uploadedfile import UploadedFile
from django.utils.http import parse_etags
from rest_framework.response import Response

from moc.errors import Conflict, UserError
from moc.rest.problems import PreconditionFailed, PreconditionRequired
from moc.rest.rendering import Json
from moc.sealed import mark

KEPT_SECONDS, LONGEST_KEY = 24 * 3600, 80
RUNNING_SECONDS = 600  # then its worker was killed; what it had committed refuses the repetition by itself
RUNNING = "running"


def tag_of(version: int, content: object = None) -> str:
    """The entity tag: it stands for the latest version in history; with a digest of the content where that holds more than the record."""
    if content is None:
        return f'"{mark(version, "version")}"'
    return f'"{mark(version, "version")}-{hashlib.sha256(Json().render(content)).hexdigest()[:12]}"'


def require_match(request, current: str, content: object) -> None:
    """Refuse a write that names no version, or another one than the current, whose tag and content are given and then answered."""
    given = request.headers.get("If-Match")
    if given is None:
        raise PreconditionRequired
    if given.strip() != "*" and current not in parse_etags(given):
        raise PreconditionFailed(content, current)


def tagged(request, content: object, tag: str, **kwargs) -> Response:
    """The content with its tag, or 304 when the client has it."""
    known = request.headers.get("If-None-Match")
    if request.method in ("GET", "HEAD") and known and tag in [each.removeprefix("W/") for each in parse_etags(known)]:
        response = Response(status=304)
    else:
        response = Response(content, **kwargs)
    response["ETag"] = tag
    return response


def key_of(request) -> str:
    """The client's Idempotency-Key, without the quotes of a structured header; empty when there is none."""
    key = request.headers.get("Idempotency-Key", "").strip().strip('"')
    if len(key) > LONGEST_KEY:
        raise UserError("The Idempotency-Key is too long.", f"Use at most {LONGEST_KEY} characters, such as a UUID.", "IDEMPOTENCY-KEY")
    return key


def idempotent(handler):
    """A POST with an Idempotency-Key happens once: within a day the same request gets the same answer, another body is refused."""

    @wraps(handler)
    def once(view, request, *args, **kwargs):
        key = key_of(request)
        if not key:
            return handler(view, request, *args, **kwargs)
        place = "idempotency:" + _digest([request.user.pk, request.method, request.path, key])
        body = fingerprint(request)
        if not cache.add(place, {"body": body, "state": RUNNING}, RUNNING_SECONDS):
            return _again(cache.get(place), body)
        try:
            response = handler(view, request, *args, **kwargs)
        except BaseException:
            cache.delete(place)
            raise
        headers = {name: response[name] for name in ("Location", "ETag") if response.has_header(name)}
        content = json.loads(Json().render(response.data) or "null")
        cache.set(place, {"body": body, "status": response.status_code, "content": content, "headers": headers}, KEPT_SECONDS)
        return response

    return once


def fingerprint(request) -> str:
    """A digest of what the request says; files by their content."""
    said = sorted(request.data.items()) if hasattr(request.data, "items") else request.data
    return _digest(said)


def _digest(said) -> str:
    return hashlib.sha256(json.dumps(said, default=_plain, sort_keys=True).encode()).hexdigest()


def _plain(value) -> str:
    if isinstance(value, UploadedFile):
        digest = getattr(value, "sha256", "") or hashlib.file_digest(value.file, "sha256").hexdigest()
        value.seek(0)
        return digest
    return str(value)


def _again(first: dict | None, body: str) -> Response:
    if first is None or first.get("state") == RUNNING and first["body"] == body:
        raise Conflict("The first request with this Idempotency-Key is still running.", "Repeat it in a moment.", "IDEMPOTENCY-RUNNING")
    if first["body"] != body:
        raise UserError("This Idempotency-Key was used for another request.", "Use a new key for a new request.", "IDEMPOTENCY-KEY")
    response = Response(first["content"], status=first["status"], headers=first["headers"])
    response["Idempotent-Replayed"] = "true"
    return response
