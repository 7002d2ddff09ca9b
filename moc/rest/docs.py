"""The API's help page: the OpenAPI document as HTML, rendered here (the content policy lets no viewer's script in)."""

from functools import cache

from drf_spectacular.generators import SchemaGenerator

from moc.portal.views import Page

METHODS = ("get", "post", "patch", "put", "delete")


class ApiPage(Page):
    """Every operation with its parameters, bodies and answers."""

    title = "API"
    lead = "Every operation with its parameters, bodies and answers. What you may not see is answered with 404, in the API as on the pages."
    template_name = "help/api.html"
    parents = (("Help", "help"),)

    def get_context_data(self, **kwargs) -> dict:
        document = schema()
        shown = {"groups": groups(document), "records": records(document), "problem": _fields(document["components"]["schemas"]["Problem"])}
        return super().get_context_data(**shown | kwargs)


@cache
def schema() -> dict:
    """The OpenAPI document of this version of the code."""
    return SchemaGenerator().get_schema(request=None, public=True)


def groups(document: dict) -> list[tuple[str, list[dict]]]:
    """(noun, its operations), in the order of the addresses."""
    found: dict[str, list[dict]] = {}
    for path, operations in document["paths"].items():
        for method in METHODS:
            if method in operations:
                operation = operations[method]
                found.setdefault(operation["tags"][0], []).append(_operation(method, path, operation))
    return list(found.items())


def _operation(method: str, path: str, operation: dict) -> dict:
    body = operation.get("requestBody", {}).get("content", {})
    answers = [
        (status, *next(((media, _type(content["schema"])) for media, content in answer.get("content", {}).items()), ("", "")))
        for status, answer in operation["responses"].items()
        if status != "default"
    ]
    return {
        "id": operation["operationId"],
        "method": method.upper(),
        "steps": [f"{step}/" for step in path.removeprefix("/").removesuffix("/").split("/")],
        "summary": operation.get("summary", ""),
        "words": operation.get("description", ""),
        "parameters": [
            (each["name"], each["in"], _type(each["schema"]), each.get("required", False), each.get("description", ""))
            for each in operation.get("parameters", [])
        ],
        "bodies": [(media, _type(content.get("schema", {}))) for media, content in body.items()],
        "answers": answers,
    }


def records(document: dict) -> list[tuple[str, str, list]]:
    """(name, words, fields) of every record that an operation sends or reads."""
    schemas = document["components"]["schemas"]
    return [
        (name, each.get("description", ""), _fields(each)) for name, each in schemas.items() if each.get("properties") and name != "Problem"
    ]


def _fields(record: dict) -> list[tuple[str, str, bool, str]]:
    """(name, type, whether it is always there, words)"""
    required = record.get("required", ())
    return [
        (name, _type(each), name in required, each.get("description", "") or each.get("title", ""))
        for name, each in record["properties"].items()
    ]


def _type(schema: dict) -> str:
    """A schema in a few words."""
    if "$ref" in schema:
        return schema["$ref"].rpartition("/")[2]
    for combined in ("allOf", "oneOf", "anyOf"):
        if combined in schema:
            return " or ".join(words for each in schema[combined] if (words := _type(each)))
    if schema.get("type") == "array":
        return f"list of {_type(schema['items'])}"
    if schema.get("enum"):
        return ", ".join(str(value) for value in schema["enum"] if value not in ("", None))
    return " ".join(filter(None, (schema.get("type", ""), schema.get("format", ""))))
