"""At every door: forged requests, redirects to elsewhere, and look-ups that tell what exists.

Cross-site request forgery, open redirect, id guessing, timing of look-ups (N2, N3). That no cache gives one's answers to others is asked
wherever the access matrix reads.
"""

import re
from dataclasses import replace
from uuid import uuid4

import pytest
from django.db import connection, models, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from moc.apps import own_models
from tests.contracts.doors import READS, WRITES, address, client_of, visit
from tests.contracts.scene import MACHINES, SECOND, Scene

pytestmark = pytest.mark.usefixtures("cheap")
ELSEWHERE = "https://elsewhere.example/"
RETURNS = "&".join(f"{name}={ELSEWHERE}" for name in ("next", "url", "return", "return_to", "continue", "redirect", "redirect_to", "back"))
PAGES = [route for route in READS if not route.route.startswith(("api/", "admin/")) and route.sees - MACHINES - {"stranger"}]
WRITABLE = [(route, write) for route, write in WRITES if write.may - MACHINES]
GUESSED = [route for route in READS if re.search(r"<(uuid:uuid|int:pk|slug:slug)>", route.route) and set(SECOND) - route.sees]


def one_of(actors) -> str:
    """A person among the actors."""
    return min(actors - MACHINES - {"stranger"})


def named(part) -> str:
    return getattr(part, "route", None) or getattr(part, "name", "") or "write"


@pytest.mark.parametrize(("route", "write"), WRITABLE, ids=named)
def test_no_write_by_a_session_alone(scene, route, write):
    """A page of another site sends the session's cookie, but neither a form's token nor a bearer token."""
    actor = one_of(write.may)
    forged, program = Client(enforce_csrf_checks=True), APIClient(enforce_csrf_checks=True)
    forged.cookies = program.cookies = scene.clients[actor].cookies
    body = write.body(scene) if callable(write.body) else write.body
    with transaction.atomic():
        _, status, touched = visit(
            replace(scene, clients={actor: forged}, api={actor: program}), actor, write.method, address(route, scene, write), body
        )
        transaction.set_rollback(True)
    assert status in {401, 403} and not touched


@pytest.mark.parametrize("route", PAGES, ids=named)
def test_no_page_leads_elsewhere(scene, route):
    url = address(route, scene)
    response = scene.clients[one_of(route.sees)].get(f"{url}{'&' if '?' in url else '?'}{RETURNS}", headers={"referer": ELSEWHERE})
    body = b"".join(response.streaming_content) if response.streaming else response.content
    assert not response.headers.get("Location", "").startswith(ELSEWHERE)
    assert not re.search(rb"""(href|src|action)=["']?""" + ELSEWHERE.encode(), body)


@pytest.mark.parametrize(("route", "write"), [(r, w) for r, w in WRITABLE if not r.route.startswith(("api/", "admin/"))], ids=named)
def test_no_write_leads_elsewhere(scene, route, write):
    body = write.body(scene) if callable(write.body) else write.body
    url = address(route, scene, write)
    with transaction.atomic():
        response = scene.clients[one_of(write.may)].post(
            f"{url}{'&' if '?' in url else '?'}{RETURNS}", {**body, "next": ELSEWHERE}, headers={"referer": ELSEWHERE}
        )
        transaction.set_rollback(True)
    assert not response.headers.get("Location", "").startswith(ELSEWHERE)


def asked(scene: Scene, actor: str, url: str) -> tuple[int, bytes, int]:
    """(status, body, number of queries)."""
    client = client_of(scene, actor, url)
    with CaptureQueriesContext(connection) as queries:
        response = client.get(url)
    return response.status_code, re.sub(rb"[0-9a-f-]{36}", b"", response.content), len(queries)


@pytest.mark.parametrize("route", GUESSED, ids=named)
def test_what_is_anothers_is_like_what_is_not(scene, route):
    """The same answer after the same queries, whether a record exists that one may not see or none does."""
    none = {"uuid": uuid4(), "pk": 2**31 - 7, "slug": "no-such-thing"}
    stranger = sorted(set(SECOND) - route.sees)[0]
    values = route.at(scene)
    guess = replace(route, at=lambda scene: values | {name: none[name] for name in none.keys() & values.keys()})
    for _ in range(3):  # what is read once a session or cached is read, and what a session notes now and then, is noted
        known, unknown = (asked(scene, stranger, address(each, scene)) for each in (route, guess))
        if known == unknown:
            return
    assert known == unknown


def test_public_identifiers_are_random():
    fields = [field for model in own_models() for field in model._meta.concrete_fields if isinstance(field, models.UUIDField)]
    named = [field for field in fields if field.name == "uuid" and field.unique]
    assert len(named) > 15
    assert [field for field in named if field.has_default() and field.default is not uuid4] == []
