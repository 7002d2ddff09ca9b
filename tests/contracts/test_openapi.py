"""The API's description is committed: a change of the API shows in the diff of tests/contracts/openapi.yaml."""

from pathlib import Path

import jsonschema
import pytest
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiYamlRenderer
from drf_spectacular.validation import validate_schema

SNAPSHOT = Path(__file__).parent / "openapi.yaml"


@pytest.fixture(scope="module")
def document() -> dict:
    GENERATOR_STATS.reset()
    return SchemaGenerator().get_schema(request=None, public=True)


def test_the_snapshot_is_current(document):
    drawn = OpenApiYamlRenderer().render(document, renderer_context={}).decode()
    assert SNAPSHOT.read_text() == drawn, "Write it anew: python manage.py spectacular --file tests/contracts/openapi.yaml"


def test_the_document_is_valid(document):
    validate_schema(document)
    assert not GENERATOR_STATS, "the generator warns"


def test_every_operation_says_what_it_does(document):
    silent = [
        f"{method} {path}"
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        if not (operation.get("summary") or operation.get("description"))
    ]
    assert not silent


def test_every_body_of_the_registry_has_an_example_that_fits(document):
    """What is sent as JSON is shown as it is sent, and the example is one that the schema takes (R1 to R7)."""
    bare, wrong, shown = [], [], 0
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            body = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
            if not path.startswith("/api/v1/registry/") or "/transitions/" in path or "$ref" not in body.get("schema", {}):
                continue
            if "examples" not in body:
                bare.append(f"{method} {path}")
            for example in body.get("examples", {}).values():
                shown += 1
                found = jsonschema.Draft4Validator(body["schema"] | {"components": document["components"]}).iter_errors(example["value"])
                wrong += [f"{method} {path}: {each.message}" for each in found]
    assert shown > 20 and not bare and not wrong
