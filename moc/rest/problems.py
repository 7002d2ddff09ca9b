"""Every error is a problem document (RFC 9457) with the code that portal, files and API share.

`title` names the kind of problem, `detail` says what is wrong, `remedy` what to do, `errors` lists fields: {field, code, detail}.
"""

import logging
from http import HTTPStatus

from django.core.exceptions import PermissionDenied, ValidationError
from django.core.signals import got_request_exception
from django.http import Http404
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.views import set_rollback

from moc.errors import Conflict, UserError
from moc.rest.rendering import Json

log = logging.getLogger(__name__)
MEDIA_TYPE = "application/problem+json"

CODES = {
    400: ("INVALID", "The request is not valid"),
    401: ("NOT-AUTHENTICATED", "Sign in first"),
    403: ("NOT-PERMITTED", "You may see this, but not do that"),
    404: ("NOT-FOUND", "There is nothing here for you"),
    405: ("METHOD-NOT-ALLOWED", "This resource does not do that"),
    406: ("NOT-ACCEPTABLE", "The API answers in JSON, and what is read in CSV"),
    409: ("CONFLICT", "The record is not in the state that the request assumes"),
    412: ("PRECONDITION-FAILED", "The record has changed since you read it"),
    413: ("TOO-LARGE", "The body is too large"),
    415: ("UNSUPPORTED-MEDIA-TYPE", "The body is of a type that is not read here"),
    422: ("REFUSED", "The request was understood, and refused"),
    428: ("PRECONDITION-REQUIRED", "Say which version you mean to change"),
    429: ("TOO-MANY-REQUESTS", "Too many requests"),
    500: ("ERROR", "Something went wrong on our side"),
}
REMEDIES = {
    401: "Send a token: Authorization: Bearer <token>. A machine client gets one at /oauth/token/; people on their account's page.",
    412: "Read it again, and repeat the request with the new ETag in If-Match.",
    428: "Read the resource, and send its ETag in the header If-Match.",
}


class PreconditionRequired(exceptions.APIException):
    """A write without If-Match."""

    status_code = 428
    default_detail = "This request changes a record, and has no If-Match header."


class PreconditionFailed(exceptions.APIException):
    """A write that means another version."""

    status_code = 412
    default_detail = "The record is not in the version that If-Match names."

    def __init__(self, current: object, tag: str):
        """`current` is the record as it would be sent now, so that the client can compare it with its own."""
        super().__init__()
        self.current, self.tag = current, tag


class TooLarge(exceptions.APIException):
    """A body above the limit."""

    status_code = 413


def answer(error: Exception, context: dict) -> Response:
    """The exception handler of the API: any error becomes a problem; what nobody foresaw is logged, and says only its request id."""
    request = getattr(context["request"], "_request", context["request"])
    status, problem = _described(error)
    if status == HTTPStatus.INTERNAL_SERVER_ERROR:
        got_request_exception.send(sender=None, request=request)
        log.error("%s %s failed", request.method, request.path, exc_info=error)
        problem["detail"] = f"The error was recorded under {getattr(request, 'request_id', 'no id')}."
    set_rollback()
    code, title = CODES.get(status, CODES[400])
    remedy = {"remedy": REMEDIES[status]} if status in REMEDIES else {}
    document = {"type": "about:blank", "status": int(status), "title": title, "code": code} | remedy | problem
    headers = {}
    if getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = error.auth_header
    if isinstance(error, PreconditionFailed):
        headers["ETag"] = error.tag
    if getattr(error, "wait", None):
        headers["Retry-After"] = str(int(error.wait))
    response = Response(document, status=status, headers=headers, content_type=MEDIA_TYPE)
    # a request that asked for another representation, or for one that the API does not speak, still gets its problem
    for asked in (context["request"], response):
        asked.accepted_renderer, asked.accepted_media_type = Json(), MEDIA_TYPE
    response.renderer_context = {}
    return response


def _described(error: Exception) -> tuple[int, dict]:
    if isinstance(error, UserError):
        status = getattr(error, "status", 409 if isinstance(error, Conflict) else 422)
        said = {"remedy": error.remedy} if error.remedy else {}
        if rows := getattr(error, "problems", None):  # of a table that was refused cell by cell
            said["errors"] = [_cell(**each) for each in rows]
        return status, {"code": error.code, "detail": error.sentence, **said}
    if isinstance(error, Http404):
        return 404, {"detail": "It does not exist, or you may not see it."}
    if isinstance(error, PermissionDenied):
        return 403, {"detail": str(error) or "Your role does not allow this."}
    if isinstance(error, ValidationError):
        error = exceptions.ValidationError(_of_django(error))
    if isinstance(error, exceptions.ValidationError):
        errors = list(_fields(error.get_full_details()))
        return 400, {"detail": _summary(errors), "errors": errors}
    if isinstance(error, exceptions.NotFound):
        return 404, {"detail": "It does not exist, or you may not see it."}
    if isinstance(error, exceptions.APIException):
        current = {"current": error.current} if isinstance(error, PreconditionFailed) else {}
        return error.status_code, {"detail": str(error.detail)} | current
    return 500, {}


def _cell(*, row: int, column: str, code: str, sentence: str, remedy: str, **given) -> dict:
    return {"field": f"rows.{row}.{column}", "code": code, "detail": f"{sentence} {remedy}"}


def _of_django(error: ValidationError):
    """Django's messages with their codes, as REST framework holds them."""
    if hasattr(error, "error_dict"):
        return {name: [_detail(each) for each in errors] for name, errors in error.error_dict.items()}
    return [_detail(each) for each in error.error_list]


def _detail(error: ValidationError) -> exceptions.ErrorDetail:
    return exceptions.ErrorDetail(" ".join(error.messages), code=error.code or "invalid")


def _fields(details, path: str = ""):
    """(field, code, detail) of nested details; a field within a list is named rows.3.name."""
    if isinstance(details, dict) and set(details) == {"message", "code"}:
        yield {"field": path, "code": str(details["code"]).upper().replace("_", "-"), "detail": str(details["message"])}
        return
    entries = details.items() if isinstance(details, dict) else enumerate(details)
    for key, inner in entries:
        general = key in (api_settings.NON_FIELD_ERRORS_KEY, "__all__")
        leaf = isinstance(details, list) and set(inner) == {"message", "code"}
        yield from _fields(inner, path if general or leaf else f"{path}.{key}".lstrip("."))


def _summary(errors: list[dict]) -> str:
    return " ".join(f"{error['field']}: {error['detail']}" if error["field"] else error["detail"] for error in errors[:3])
