"""The doors of the platform: every address of the resolver, and a visit there that leaves nothing behind."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, partial
from zlib import crc32

import pytest
from django.conf import settings
from django.db import transaction
from django.http import HttpResponseNotFound
from django.shortcuts import resolve_url
from django.test import override_settings
from django.urls import URLPattern, get_resolver

from tests.contracts import (
    matrix_admin,
    matrix_aggregations,
    matrix_api,
    matrix_changes,
    matrix_disputes,
    matrix_envelopes,
    matrix_filing,
    matrix_intents,
    matrix_messages,
    matrix_operations,
    matrix_participants,
    matrix_prequalification,
    matrix_public,
    matrix_reconfigurations,
    matrix_reports,
    matrix_seals,
    matrix_utility,
)
from tests.contracts.matrix import ROUTES, Route, Write
from tests.contracts.scene import MACHINES, Scene, make_scene, written
from tests.sharing import SHARED, SHARES

API_PAGE = "/api/v1/docs/"  # of the API, but a page
ASKED = 1  # parties who may, and as many who may not, that an ordinary run asks at a door
FOR_EVERYBODY = ("/healthz",)  # what any cache may keep
LAST_RESORT = "(?P<url>.*)$"  # Django's admin: addresses that are none
MATRIX = [
    *ROUTES,
    *matrix_filing.ROUTES,
    *matrix_api.ROUTES,
    *matrix_aggregations.ROUTES,
    *matrix_utility.ROUTES,
    *matrix_messages.ROUTES,
    *matrix_prequalification.ROUTES,
    *matrix_seals.ROUTES,
    *matrix_participants.ROUTES,
    *matrix_changes.ROUTES,
    *matrix_intents.ROUTES,
    *matrix_reconfigurations.ROUTES,
    *matrix_reports.ROUTES,
    *matrix_disputes.ROUTES,
    *matrix_public.ROUTES,
    *matrix_operations.ROUTES,
    *matrix_envelopes.ROUTES,
    *matrix_admin.routes(),
]
READS = [route for route in MATRIX if route.sees is not None]
WRITES = [(route, write) for route in MATRIX for write in route.writes]


@contextmanager
def standing(folder: str) -> Iterator[Scene]:
    """A scene in a transaction that ends with it. Files are real: the readers stream them."""
    files = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": folder}}
    with override_settings(STORAGES=settings.STORAGES | {"default": files}), transaction.atomic():
        yield make_scene()
        transaction.set_rollback(True)


@pytest.fixture(scope="module")
def scene(request, stage, django_db_blocker, tmp_path_factory):
    """One scene for all doors of a file, and of the files beside it whose tests need nothing else; each visit is rolled back."""
    made = partial(standing, str(tmp_path_factory.mktemp("files")))
    if not request.node.stash.get(SHARES, False):
        with django_db_blocker.unblock(), made() as scene:
            yield scene
        return
    if SHARED not in request.session.stash:
        stage.enter_context(django_db_blocker.unblock())
        request.session.stash[SHARED] = stage, stage.enter_context(made())
    yield request.session.stash[SHARED][1]


@pytest.fixture
def cheap(monkeypatch, settings):
    """Paper, the page that says that there is none and what waits beside a page are made elsewhere; who gets them is decided before."""
    for module in ("moc.pdf", "moc.documents.letters"):
        monkeypatch.setattr(f"{module}.to_pdf", lambda html, given=None: b"paper")
    monkeypatch.setattr("moc.portal.shell.counts_by_entry", lambda user: {})
    monkeypatch.setattr("moc.urls.handler404", lambda request, exception: HttpResponseNotFound(), raising=False)
    monkeypatch.setattr("moc.accounts.providers._shows_token", lambda domain: True)
    settings.ACCOUNT_RATE_LIMITS, settings.MOC_OUTBOUND_PRIVATE_HOSTS = False, ["localhost"]
    settings.ACCOUNT_REAUTHENTICATION_TIMEOUT = 86_400  # the scene signs in once, however long a slow machine takes for all doors


def walk(patterns, before: str = ""):
    """Every address of the resolver: (route, pattern)."""
    for pattern in patterns:
        route = before + str(pattern.pattern).lstrip("^")
        if isinstance(pattern, URLPattern):
            yield route, pattern
        else:
            yield from walk(pattern.url_patterns, route)


def some(actors, door: str, able, whole: bool) -> list[str]:
    """Whom a run asks at a door: everybody; or one party who may and one who may not, others at other doors.

    Where strangers may, they come on top: somebody who is signed in is asked at each door.
    """
    if whole:
        return list(actors)
    alike: dict[tuple[str, bool], list[str]] = {}
    for actor in actors:
        alike.setdefault((actor.partition(":")[0], actor in able), []).append(actor)
    asked = {key: group[crc32(f"{door} {key[0]}".encode()) % len(group)] for key, group in alike.items()}
    turns = sorted(alike, key=lambda key: crc32(f"{key[0]} {door}".encode()))
    turns = [key for key in turns if key != ("stranger", True)]
    left = {key for may in (True, False) for key in [key for key in turns if key[1] is may][ASKED:]}
    return [actor for key, actor in asked.items() if key not in left]


@cache
def known() -> dict[str, URLPattern]:
    return {route: pattern for route, pattern in walk(get_resolver().url_patterns) if not route.endswith(LAST_RESORT)}


def address(route: Route, scene: Scene, write: Write | None = None) -> str:
    values = (write.at if write and write.at else route.at)(scene)
    path = re.sub(r"\(\?P<app_label>[^)]*\)", "moc", route.route).rstrip("$")
    path = path.replace("([^/]+)", "<first>", 1).replace("([^/]+)", "<second>", 1)
    path = re.sub(r"<(?:\w+:)?(\w+)>", lambda match: str(values[match[1]]), path)
    return f"/{path}{write and write.query or route.query}"


def met(response) -> str:
    """seen, login, absent, or the status."""
    if response.status_code in {301, 302, 303}:
        return "login" if response["Location"].startswith(resolve_url(settings.LOGIN_URL)) else "seen"
    return {200: "seen", 404: "absent", 401: "login"}.get(response.status_code, str(response.status_code))


def is_own(response) -> bool:
    """Whether no cache that others share may keep the answer."""
    return bool({"private", "no-store"} & set(re.split(r",\s*", response.headers.get("Cache-Control", ""))))


def client_of(scene: Scene, actor: str, url: str):
    """The actor's client for pages, or for the API."""
    return (scene.api if url.startswith("/api/") and url != API_PAGE else scene.clients)[actor]


def visit(scene: Scene, actor: str, method: str, url: str, body=None) -> tuple[str, int, set[str]]:
    """(what was met, the status, the tables written); everything is rolled back.

    What somebody signed in sees, a cache keeps for nobody else (N3): met as "seen" is only what says so.
    """
    client, options = client_of(scene, actor, url), {}
    unknown = actor == "stranger" or (actor in MACHINES and client is not scene.api[actor])  # a machine client has no session
    if client is scene.api[actor]:
        options = {"HTTP_IF_MATCH": "*"}
        if body is not None:
            with_file = isinstance(body, dict) and any(hasattr(value, "read") for value in body.values())
            options["format"] = "multipart" if with_file else "json"
    with transaction.atomic():
        before = written()
        try:
            response = getattr(client, method)(url, body, **options)
            result = met(response), response.status_code
            if method == "get" and result[0] == "seen" and not unknown and not (is_own(response) or url in FOR_EVERYBODY):
                result = "kept for others", response.status_code
            if response.streaming:
                b"".join(response.streaming_content)
        except Exception as error:
            result = f"raised {error!r}", 500
        after = {} if str(result[0]).startswith("raised") else written()
        transaction.set_rollback(True)
    return *result, {table for table, count in after.items() if count != before.get(table, 0)}
