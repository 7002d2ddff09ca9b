"""The API's description is committed: a change of the API shows in the diff of tests/contracts/openapi.yaml."""

from pathlib import Path

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
