"""The OpenAPI document is drawn from the code; what every operation shares is added here."""

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter

from moc.access.roles import PERMISSIONS
from moc.rest.problems import MEDIA_TYPE

PREFIX = "/api/v1/"
GROUPS = ("registry", "settlement")  # first parts of addresses that say the package, not the noun
ERROR = {
    "type": "object",
    "required": ["field", "code", "detail"],
    "properties": {"field": {"type": "string"}, "code": {"type": "string"}, "detail": {"type": "string"}},
}
PROBLEM = {
    "type": "object",
    "description": "What went wrong (RFC 9457), with the code that portal, files and API share.",
    "required": ["type", "status", "title", "code"],
    "properties": {
        "type": {"type": "string"},
        "status": {"type": "integer"},
        "title": {"type": "string"},
        "code": {"type": "string", "description": "for machines: a rule's code, or the kind of refusal"},
        "detail": {"type": "string", "description": "what is wrong, in a sentence"},
        "remedy": {"type": "string", "description": "what to do"},
        "errors": {"type": "array", "items": ERROR, "description": "the fields that are not valid"},
        "current": {"description": "with 412: the record, or the parts of it, as they stand, whose ETag the answer carries"},
    },
}
IF_MATCH = "the ETag of the version that you mean to change; without it the answer is 428, with an old one 412"
MATCHED = OpenApiParameter("If-Match", str, OpenApiParameter.HEADER, required=True, description=IF_MATCH)  # of other acts that update
AS_OF = "the state as recorded then: a past date (its end, in the state's time zone) or a date and time with offset"
DATED = OpenApiParameter("as_of", str, description=AS_OF)
IDEMPOTENCY_KEY = "a text of your own, at most 80 characters: the same request with the same key happens once"


class Bearer(OpenApiAuthenticationExtension):
    """How the document names the token."""

    target_class = "moc.rest.authentication.BearerAuthentication"
    name = ["token", "machine"]

    def get_security_definition(self, auto_schema) -> list[dict]:
        flow = {"tokenUrl": "/oauth/token/", "scopes": {name: f"Can {sentence}" for name, sentence in PERMISSIONS.items()}}
        return [
            {"type": "http", "scheme": "bearer", "description": "A token of your account's page."},
            {"type": "oauth2", "description": "An access token of a machine client.", "flows": {"clientCredentials": flow}},
        ]

    def get_security_requirement(self, auto_schema) -> list[dict]:
        return [{name: []} for name in self.name]


class Schema(AutoSchema):
    """Operations are grouped by noun; a record that can be asked as of a moment says so."""

    def get_override_parameters(self) -> list:
        dated = getattr(self.view, "action", "") == "retrieve" and getattr(self.view, "is_dated", False)
        return [*super().get_override_parameters(), *([DATED] if dated else [])]

    def get_tags(self) -> list[str]:
        parts = [part for part in self.path.removeprefix(PREFIX).split("/") if part]
        return [next((part for part in parts if part not in GROUPS), "api")]


def shared(result: dict, generator, **kwargs) -> dict:
    """Every operation may answer with a problem; writes say which headers they read."""
    result["components"].setdefault("schemas", {})["Problem"] = PROBLEM
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    result["components"]["responses"] = {"Problem": {"description": "Refused", "content": content}}
    for path, operations in result["paths"].items():
        for method, operation in operations.items():
            for answer in operation["responses"].values():
                if table := answer.get("content", {}).get("text/csv"):
                    table["schema"] = {"type": "string", "description": "a table; of a list the whole, not a page of it"}
            operation["responses"]["default"] = {"$ref": "#/components/responses/Problem"}
            headers = []
            if method == "post":
                headers.append(_header("Idempotency-Key", IDEMPOTENCY_KEY, required=False))
            if method in ("patch", "put", "delete") or "/transitions/" in path or (method == "post" and path.endswith("/{uuid}/rows/")):
                headers.append(_header("If-Match", IF_MATCH, required=True))
            if headers:
                operation["parameters"] = [*operation.get("parameters", []), *headers]
    return result


def _header(name: str, words: str, *, required: bool) -> dict:
    return {"name": name, "in": "header", "required": required, "schema": {"type": "string"}, "description": words}
