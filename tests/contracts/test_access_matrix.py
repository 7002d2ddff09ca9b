"""Everybody at every door: who may not see finds nothing or the sign-in page, who may not write changes nothing."""

import re

import pytest
from django.conf import settings
from django.contrib import admin
from django.db import transaction
from django.http import HttpResponse, HttpResponseNotFound
from django.shortcuts import resolve_url
from django.urls import URLPattern, get_resolver

from tests.contracts import matrix_admin, matrix_api, matrix_filing, matrix_utility
from tests.contracts.matrix import EXEMPT, ROUTES, Route, Write
from tests.contracts.scene import ACTORS, MACHINE_SEATS, NOBODY, OWN, Scene, who, written

MATRIX = [*ROUTES, *matrix_filing.ROUTES, *matrix_api.ROUTES, *matrix_utility.ROUTES, *matrix_admin.routes()]
READS = [route for route in MATRIX if route.sees is not None]
WRITES = [(route, write) for route in MATRIX for write in route.writes]
API_PAGE = "/api/v1/docs/"  # of the API, but a page
LAST_RESORT = "(?P<url>.*)$"  # Django's admin: addresses that are none


@pytest.fixture(autouse=True)
def _cheap(monkeypatch, settings):
    """Paper and the page that says that there is none are printed elsewhere; who gets them is decided before."""
    for module in ("registry.ders.views", "registry.submissions.views.reviewing", "registry.administration.views.letters"):
        monkeypatch.setattr(f"{module}.render_pdf", lambda *args: HttpResponse("paper"))
    monkeypatch.setattr("moc.urls.handler404", lambda request, exception: HttpResponseNotFound(), raising=False)
    monkeypatch.setattr("moc.accounts.providers._shows_token", lambda domain: True)
    settings.ACCOUNT_RATE_LIMITS, settings.MOC_OUTBOUND_PRIVATE_HOSTS = False, ["localhost"]


def is_api(route: Route) -> bool:
    return route.route.startswith("api/") and f"/{route.route}" != API_PAGE


def walk(patterns, before: str = ""):
    """Every address of the resolver: (route, pattern)."""
    for pattern in patterns:
        route = before + str(pattern.pattern).lstrip("^")
        if isinstance(pattern, URLPattern):
            yield route, pattern
        else:
            yield from walk(pattern.url_patterns, route)


def known() -> dict[str, URLPattern]:
    return {route: pattern for route, pattern in walk(get_resolver().url_patterns) if not route.endswith(LAST_RESORT)}


def address(route: Route, scene: Scene, write: Write | None = None) -> str:
    values = (write.at if write and write.at else route.at)(scene)
    path = route.route.replace("(?P<app_label>moc|registry)", "moc").rstrip("$")
    path = path.replace("([^/]+)", "<first>", 1).replace("([^/]+)", "<second>", 1)
    path = re.sub(r"<(?:\w+:)?(\w+)>", lambda match: str(values[match[1]]), path)
    return f"/{path}{write and write.query or route.query}"


def met(response) -> str:
    """seen, login, absent, or the status."""
    if response.status_code in {301, 302, 303}:
        return "login" if response["Location"].startswith(resolve_url(settings.LOGIN_URL)) else "seen"
    return {200: "seen", 404: "absent", 401: "login"}.get(response.status_code, str(response.status_code))


def visit(scene: Scene, actor: str, method: str, url: str, body=None) -> tuple[str, int, set[str]]:
    """(what was met, the status, the tables written); everything is rolled back."""
    client, options = scene.clients[actor], {}
    if url.startswith("/api/") and url != API_PAGE:
        client, options = scene.api[actor], {"HTTP_IF_MATCH": "*"}
        if body is not None:
            with_file = isinstance(body, dict) and any(hasattr(value, "read") for value in body.values())
            options["format"] = "multipart" if with_file else "json"
    with transaction.atomic():
        before = written()
        try:
            response = getattr(client, method)(url, body, **options)
            result = met(response), response.status_code
            if response.streaming:
                b"".join(response.streaming_content)
        except Exception as error:
            result = f"raised {error!r}", 500
        after = {} if str(result[0]).startswith("raised") else written()
        transaction.set_rollback(True)
    return *result, {table for table, count in after.items() if count != before.get(table, 0)}


def test_every_address_is_in_the_matrix_once():
    listed = [route.route for route in MATRIX]
    assert len(listed) == len(set(listed))
    assert sorted(set(known()) - set(listed) - set(EXEMPT) - set(_unlisted())) == []
    assert sorted(set(listed) - set(known())) == []


def _unlisted() -> list[str]:
    """Django's own shorthands: an object's address without a page, which redirects; the lists' hidden ones."""
    shorthands = [f"admin/{model._meta.app_label}/{model._meta.model_name}/<path:object_id>/" for model in admin.site._registry]
    moves = [f"{route}move/<slug:name>/" for route in shorthands]
    regexes = [route for route in known() if "password/reset/key/" in route or "confirm-email/(?P<key>" in route]
    return [*shorthands, *moves, *regexes, "admin/autocomplete/", "admin/jsi18n/", "admin/r/<path:content_type_id>/<path:object_id>/"]


def test_every_record_of_the_workplace_is_in_the_matrix():
    assert {model.__name__ for model in admin.site._registry} == set(matrix_admin.RECORDS)


def test_every_address_that_takes_writing_has_a_body():
    listed = {route.route: route for route in MATRIX}
    silent = []
    for route, pattern in known().items():
        view, actions = getattr(pattern.callback, "view_class", None), getattr(pattern.callback, "actions", None) or {}
        offered = {name for name in getattr(view, "http_method_names", ()) if hasattr(view, name)} | set(actions)
        if route in listed:
            missing = offered & {"post", "put", "patch", "delete"} - {write.method for write in listed[route].writes}
            silent += [f"{method} {route}" for method in missing]
    assert not silent


@pytest.mark.parametrize("route", READS, ids=lambda route: route.route or "start")
def test_reading(scene, route):
    wrong = {}
    for actor in ACTORS:
        seen, _, touched = visit(scene, actor, "get", address(route, scene))
        right = seen == "seen" if actor in route.sees else seen in {"absent", "login"} and not touched
        if not right:
            wrong[actor] = (seen, touched, "should see" if actor in route.sees else "should not")
    assert not wrong


@pytest.mark.parametrize(("route", "write"), WRITES, ids=lambda part: getattr(part, "route", None) or part.name or "write")
def test_writing(scene, route, write):
    wrong = {}
    with transaction.atomic():
        for actor in ACTORS:
            body = write.body(scene) if callable(write.body) else write.body
            seen, status, touched = visit(scene, actor, write.method, address(route, scene, write), body)
            right = (status < 400 and bool(touched)) if actor in write.may else (not touched and status < 500)
            if not right:
                wrong[actor] = (seen, touched, "may" if actor in write.may else "may not")
        transaction.set_rollback(True)
    assert not wrong


def person_of(machine: str) -> str:
    """The person in the same seat as a machine client."""
    return machine.removeprefix("program ")


@pytest.mark.parametrize("route", [route for route in READS if is_api(route)], ids=lambda route: route.route)
def test_reading_by_machines(scene, route):
    """A machine client of each kind and role reads what people in its seat read, but for what is a person's own."""
    wrong = {}
    for actor in MACHINE_SEATS:
        seen, _, touched = visit(scene, actor, "get", address(route, scene))
        may = person_of(actor) in route.sees - (who(OWN) if route.held else NOBODY)
        if seen != ("seen" if may else "absent") or (touched and not may):
            wrong[actor] = (seen, touched, "should see" if may else "should not")
    assert not wrong


@pytest.mark.parametrize(
    ("route", "write"),
    [(route, write) for route, write in WRITES if is_api(route)],
    ids=lambda part: getattr(part, "route", None) or "write",
)
def test_writing_by_machines(scene, route, write):
    """And writes what they write, but for what is a person's own word."""
    wrong = {}
    for actor in MACHINE_SEATS:
        body = write.body(scene) if callable(write.body) else write.body
        seen, status, touched = visit(scene, actor, write.method, address(route, scene, write), body)
        may = person_of(actor) in write.may - (who(OWN) if write.held else NOBODY) and not write.people
        if not ((status < 400 and bool(touched)) if may else (not touched and status < 500)):
            wrong[actor] = (seen, touched, "may" if may else "may not")
    assert not wrong


def test_every_write_succeeds_for_somebody():
    assert not [(route.route, write.name) for route, write in WRITES if not write.may and not write.name.startswith("when nobody")]
