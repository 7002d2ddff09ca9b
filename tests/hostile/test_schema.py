"""The whole API by its own description, as everybody: no server error, no undocumented answer, no text of another organisation (N3, N8)."""

import re
from collections.abc import Iterator
from contextlib import suppress

import pytest
import schemathesis
import yaml
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, transaction
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as effort
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance, status_code_conformance

from tests.contracts.doors import MATRIX, some
from tests.contracts.scene import ACTORS, SECOND, Scene
from tests.contracts.test_openapi import SNAPSHOT
from tests.hostile.planting import MARK, keep_signed_in, plant

pytestmark = pytest.mark.usefixtures("cheap")
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
OTHERS = {*(actor for actor in SECOND if not actor.startswith("operator")), "machine2", "nobody", "stranger"}
FEW, MANY = 1, 4  # cases of a kind and operation, in an ordinary run and in a whole one
API = schemathesis.openapi.from_dict(yaml.load(SNAPSHOT.read_text(), Loader=yaml.CSafeLoader))
OPERATIONS = [result.ok() for result in API.get_all_operations()]
PLACES = {re.sub(r"<[^>]+>", "{}", f"/{route.route}"): route for route in MATRIX if route.route.startswith("api/")}
SITE = WSGIHandler()


@pytest.fixture(scope="module")
def planted(scene) -> Iterator[Scene]:
    plant(scene)
    keep_signed_in(scene)
    signals = (request_started, request_finished)  # as Django's own test client does: a request's end closes no connection
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield scene
    for signal in signals:
        signal.connect(close_old_connections)


def place(operation, scene: Scene) -> dict:
    """The path parameters of a record of the scene."""
    route = PLACES[re.sub(r"{[^}]+}", "{}", operation.path)]
    at = next((write.at for write in route.writes if write.method == operation.method and write.at), route.at)
    values, names = at(scene), re.findall(r"<(?:\w+:)?(\w+)>", route.route)
    return {
        given: values[name] if isinstance(values[name], int) else str(values[name])
        for given, name in zip(re.findall(r"{(\w+)}", operation.path), names)
    }


def send(scene: Scene, actor: str, case) -> None:
    """Send one case as one actor; nothing of it stays."""
    with transaction.atomic():
        token = scene.api[actor]._credentials.get("HTTP_AUTHORIZATION")
        response = case.call(app=SITE, base_url="http://testserver", headers={"Authorization": token} if token else {})
        transaction.set_rollback(True)
    case.validate_response(response, checks=CHECKS)
    own = actor == "nobody" and "/registry/own/" in case.path  # the owner of the scene's DER
    assert own or actor not in OTHERS or MARK.encode() not in response.content, f"{actor} reads a text of another organisation"


def test_every_operation_is_of_the_matrix():
    assert len(OPERATIONS) > 70
    assert {re.sub(r"{[^}]+}", "{}", operation.path) for operation in OPERATIONS} <= set(PLACES)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.label)
def test_the_api_answers_as_it_says(planted, operation, whole):
    """At the scene's record with a valid body, and anywhere with an invalid one."""
    actors = some(ACTORS, operation.label, OTHERS, whole)
    known = operation.as_strategy(GenerationMode.POSITIVE, path_parameters=place(operation, planted), headers={"If-Match": "*"})
    broken = operation.as_strategy(GenerationMode.NEGATIVE)
    for strategy in (known, broken):

        @effort(
            max_examples=MANY if whole else FEW,
            phases=[Phase.generate],
            derandomize=True,
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(case=strategy)
        def everybody_sends(case):
            for actor in actors:
                send(planted, actor, case)

        with suppress(Unsatisfiable):  # an operation without a parameter has no invalid call
            everybody_sends()
