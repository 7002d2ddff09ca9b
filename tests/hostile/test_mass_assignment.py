"""Every write with every column's name in its body: what a form or serializer does not offer is not written (mass assignment; N3)."""

import pytest
from django.db import transaction

from moc.access.models import Organization, User
from moc.apps import own_models
from tests.contracts.doors import API_PAGE, WRITES, address, client_of
from tests.contracts.scene import MACHINES, SECOND, Scene, written

pytestmark = pytest.mark.usefixtures("cheap")
WRITABLE = [(route, write) for route, write in WRITES if write.may - MACHINES - set(SECOND)]
FLAGS = {"is_staff", "is_superuser", "is_active", "verified"}  # the first two are columns of no model, and stay so
# what a form asks for: whom an aggregator names as its agents, and what the operator alone may set
CHOSEN = {"Aggregation.market_agent", "Aggregation.dispatch_agent", "Aggregation.meter_reader", "Aggregation.edc", "RtoMembership.tso"}
CHOSEN |= {"AgentGrant.organization"}
TOLD = {"Event.organization", "Notice.user"}  # the other party of a switch is told of its answer
OPERATORS = {"Oversight.overseer", "Oversight.overseen", "RuleSet.verified", "Jurisdiction.edc", "Affiliation.aggregator"}
OWNERS = [
    (model, field)
    for model in own_models()
    for field in model._meta.concrete_fields
    if field.is_relation and field.related_model in {Organization, User}
]
SET = [(model, field) for model in own_models() for field in model._meta.concrete_fields if field.name in FLAGS - {"is_active"}]


def foreign(scene: Scene) -> dict:
    """Column → the second organisation of a kind or its administrator, a flag that is set, a key that is another's."""
    organizations, people = scene.world.organizations, {kind: scene.user(f"{kind}2:administrator").pk for kind in ("aggregator", "edc")}
    values: dict = dict.fromkeys(FLAGS, True) | {"uuid": str(scene.der.uuid), "id": 1, "pk": 1}
    for _, field in OWNERS:
        kind = "aggregator" if field.name == "aggregator" else "edc"
        value = organizations[f"{kind}2"].pk if field.related_model is Organization else people[kind]
        values |= {field.name: value, field.attname: value}
    return values


def poisoned(body, extra: dict):
    """The body with every foreign value that it does not give itself, in its rows too."""
    if isinstance(body, list):
        return [poisoned(each, extra) for each in body]
    if not isinstance(body, dict):
        return body
    return extra | {name: poisoned(value, extra) if isinstance(value, list) else value for name, value in body.items()}


def belongings(scene: Scene, tables: set[str] | None = None) -> dict[str, int]:
    """Column → rows that belong to a second organisation or its people; and who holds a flag."""
    parties = [scene.world.organizations[actor.partition(":")[0]].pk for actor in SECOND]
    people = [scene.user(actor).pk for actor in SECOND]
    found = {}
    for model, field in OWNERS:
        if tables is None or model._meta.db_table in tables:
            ids = parties if field.related_model is Organization else people
            found[f"{model.__name__}.{field.name}"] = model._base_manager.filter(**{f"{field.attname}__in": ids}).count()
    for model, field in SET:
        if tables is None or model._meta.db_table in tables:
            found[f"{model.__name__}.{field.name}"] = model._base_manager.filter(**{field.name: True}).count()
    return found


@pytest.fixture(scope="module")
def before(scene) -> dict[str, int]:
    return belongings(scene)


def test_there_is_something_to_assign(scene, before):
    assert {"aggregator", "edc", "organization", "user", "verified"} <= set(foreign(scene))
    assert {"RuleSet.verified", "Der.aggregator", "Membership.user"} <= set(before)


@pytest.mark.parametrize(("route", "write"), WRITABLE, ids=lambda part: getattr(part, "route", None) or part.name or "write")
def test_nothing_is_given_away_or_taken(scene, before, route, write):
    actor = min(write.may - MACHINES - set(SECOND))
    body = poisoned(write.body(scene) if callable(write.body) else write.body, foreign(scene))
    url = address(route, scene, write)
    client, options = client_of(scene, actor, url), {}
    if url.startswith("/api/") and url != API_PAGE:
        files = isinstance(body, dict) and any(hasattr(value, "read") for value in body.values())
        options = {"HTTP_IF_MATCH": "*", "format": "multipart" if files else "json"}
    with transaction.atomic():
        counted = written()
        response = getattr(client, write.method)(url, body, **options)
        touched = {table for table, count in written().items() if count != counted.get(table, 0)}
        after = belongings(scene, touched)
        transaction.set_rollback(True)
    assert response.status_code < 500
    changed = {column for column in after if after[column] != before[column]}
    assert changed <= CHOSEN | TOLD | (OPERATORS if actor.startswith("operator") else set())
