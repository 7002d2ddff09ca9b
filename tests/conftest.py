"""What every test may use: the database as production has it (two roles), a small world of parties, and clients that are signed in."""

import gc
import re
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack
from copy import deepcopy
from pathlib import Path
from zlib import crc32

import pytest
from _pytest.runner import runtestprotocol
from django.core.cache import cache
from django.db import connection, transaction
from django.test import TransactionTestCase
from rest_framework.test import APIClient

from moc import sight
from moc.access.models import ApiToken, User
from moc.frames import roomy
from moc.history import acting
from tests import database
from tests.factories.browser import Browser
from tests.factories.machines import token_for
from tests.factories.presence import sign_in
from tests.factories.world import REASON, World, build
from tests.sharing import LIVES, SHARED, SHARES, STANDS

LONG = ("tests/resilience/", "tests/journeys/", "tests/moc/test_demo_load.py", SHARES, "tests/hostile/", "tests/contracts/")
OF_SCENES = ("tests/hostile/", "tests/contracts/")
PAGE_OF_RECORD = re.compile(r"admin/(?P<record>\w+/\w+)/(add/|<path:object_id>/(change|delete|history|reach)/|\(.*/history/.*)")


def pytest_addoption(parser) -> None:
    """`make whole` asks everybody at every door; the ordinary run a part of them, another at each door (`tests.contracts.doors.some`)."""
    parser.addoption("--whole", action="store_true", help="ask everybody at every door, and send every value in every parameter")


def pytest_collection_modifyitems(config, items) -> None:
    """Long files begin first; in a file, tests that share more with others come later.

    Of a record's pages in the workplace the ordinary run asks the list and one other, another in each test. What is marked `whole` it
    leaves out.
    """
    needed = defaultdict(set)
    for item in items:
        item.stash[LIVES] = _lives_in_the_world(item)
        needed[item.getparent(pytest.Module)].add(_needs(item))
    for file, needs in needed.items():
        file.stash[SHARES] = file.nodeid.startswith(OF_SCENES) and "scene" in needs and "database" not in needs
    items.sort(key=_turn)
    places = {place: number for number, place in enumerate(dict.fromkeys(item.path for item in items))}
    items.sort(key=lambda item: (places[item.path], not item.stash[LIVES], _has_more_standing(item)))
    if config.getoption("--whole"):
        return
    alike = defaultdict(list)
    for item in items:
        given = item.callspec.params if hasattr(item, "callspec") else {}
        page = PAGE_OF_RECORD.fullmatch(getattr(given.get("route"), "route", ""))
        if page and "write" not in given:
            alike[item.originalname, page["record"]].append(item)
    asked = {group[crc32(" ".join(key).encode()) % len(group)] for key, group in alike.items()}
    left = {item for group in alike.values() for item in group} - asked | {item for item in items if item.get_closest_marker("whole")}
    config.hook.pytest_deselected(items=sorted(left, key=lambda item: item.nodeid))
    items[:] = [item for item in items if item not in left]


def _turn(item) -> int:
    """Which files begin first: those that last long, and one after another those that share a scene."""
    shares = item.getparent(pytest.Module).stash[SHARES]
    return next((place for place, long in enumerate(LONG) if (shares if long is SHARES else item.nodeid.startswith(long))), len(LONG))


def _needs(item) -> str:
    """What a test needs of the database: a scene, something else, or nothing."""
    fixtures = set(item.fixturenames)
    if "scene" in fixtures:
        return "scene"
    return "database" if any(item.iter_markers("django_db")) or fixtures & {"db", "transactional_db", "live_server"} else ""


def _lives_in_the_world(item) -> bool:
    """Whether a test has the world, or no database at all, and commits nothing."""
    marks, fixtures = list(item.iter_markers("django_db")), set(item.fixturenames)
    if any(mark.kwargs.get("transaction") or mark.args for mark in marks) or fixtures & {"transactional_db", "live_server", "scene"}:
        return False
    return "world" in fixtures or not (marks or "db" in fixtures)


def _has_more_standing(item) -> bool:
    """Whether a test has more than the world from those before it: what is made once would be there for the others too."""
    return any(name.startswith("standing_") for name in set(item.fixturenames) - {"standing_world"})


def pytest_collection_finish(session) -> None:
    """What is loaded now stays: no collection of garbage looks at it again, and there are fewer of them."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item, nextitem) -> bool:
    """As pytest does it, with room for the frames above (`moc.frames`)."""
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    roomy(runtestprotocol)(item, nextitem=nextitem)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item) -> None:
    """Before the first test of a file that needs a database of its own, what stands for others goes: their world, their scene."""
    file = item.getparent(pytest.Module)
    if not item.stash[LIVES]:
        file.stash.setdefault(STANDS, ExitStack()).close()
    if SHARED in item.session.stash and not file.stash[SHARES]:
        item.session.stash[SHARED][0].close()
        del item.session.stash[SHARED]


@pytest.fixture(scope="session")
def whole(pytestconfig) -> bool:
    """Whether this run asks everybody at every door."""
    return pytestconfig.getoption("--whole")


def pytest_terminal_summary(terminalreporter) -> None:
    """What the access matrix visited in this run, over all its processes."""
    tests = [test for outcome in ("passed", "failed") for test in terminalreporter.getreports(outcome)]
    figures = [dict(test.user_properties) for test in tests if "cells" in dict(test.user_properties)]
    if figures:
        cells, writes, leaks = (sum(each[name] for each in figures) for name in ("cells", "writes", "leaks"))
        terminalreporter.write_line(f"Access matrix: {cells:,} cells visited, {writes:,} writes that succeeded, {leaks} leaks")


@pytest.fixture(scope="session")
def django_db_setup(django_test_environment, django_db_blocker, django_db_keepdb, django_db_modify_db_settings) -> Iterator[None]:
    """One database per process, made by the owner role; everything after connects to it as the app role."""
    with django_db_blocker.unblock(), database.as_owner():
        name = database.create()
    with database.connected_to(name):
        yield
    if not django_db_keepdb:
        with django_db_blocker.unblock(), database.as_owner():
            database.drop(name)


@pytest.fixture(scope="session")
def stage(django_db_setup) -> Iterator[ExitStack]:
    """Where the scene stands that files share; it goes before the database does."""
    with ExitStack() as stage:
        yield stage


@pytest.fixture(autouse=True, scope="session")
def _flush_as_superuser() -> None:
    """Tests that commit leave an empty database, although the app role may not truncate."""
    TransactionTestCase._fixture_teardown = lambda self: database.flush()


@pytest.fixture(autouse=True, scope="session")
def _engine_sight() -> Iterator[None]:
    """A test's own reading and writing is the engine's; requests, and whatever takes a narrower sight, are under row-level security."""
    with sight.engine():
        yield


@pytest.fixture(autouse=True)
def _no_limits_left_over() -> None:
    """Rate limits count in the cache: each test starts with none."""
    cache.clear()


@pytest.fixture(scope="module")
def standing_world(request, django_db_setup, django_db_blocker) -> Iterator[World | None]:
    """The world of those tests of a file that live in one: built once, in a transaction around theirs, which run before the others."""
    if STANDS in request.node.stash:
        yield None
        return
    with request.node.stash.setdefault(STANDS, ExitStack()) as stands:
        stands.enter_context(django_db_blocker.unblock())
        stands.enter_context(pytest.MonkeyPatch.context()).setattr(connection, "close", lambda: None)  # as each test's end would
        stands.enter_context(transaction.atomic())
        stands.callback(transaction.set_rollback, True)
        yield build()


@pytest.fixture
def world(request, standing_world, db) -> World:
    """Two organisations of each kind, oversight, one user per kind and role, machine clients, grid records and service points."""
    return deepcopy(standing_world) if request.node.stash[LIVES] else build()


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Where the files of a file's tests lie, if they share what has some."""
    return tmp_path_factory.mktemp("shared")


@pytest.fixture
def client_of():
    """client_of(user): a test client signed in as that user, which sends forms as a browser would; None gives a stranger's."""

    def make(user: User | None) -> Browser:
        client = Browser()
        if user is not None:
            sign_in(client, user)
        return client

    return make


@pytest.fixture(scope="session")
def api_of():
    """api_of(user): an API client with a bearer token of that user, sending JSON; None gives a stranger's."""

    def make(user: User | None) -> APIClient:
        client = APIClient()
        client.default_format = "json"
        if user is not None:
            secret = _secret(user)
            client.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
        return client

    return make


def _secret(user: User) -> str:
    """A bearer token: a person's own, or one of a machine client."""
    if user.kind == User.Kind.PERSON:
        return ApiToken.issue(user, "tests")[1]
    with acting(None, REASON):
        return token_for(user)
