"""A database superuser, who can change history; and seals made within the test's own transaction."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy

import environ
import pytest
from django.conf import settings
from django.db import connection, transaction

from moc import sight
from moc.history import acting
from moc.seals import services
from tests.database import CREDENTIALS
from tests.factories.world import World, build

TABLE = "moc_historicalorganization"


HORIZON = "SELECT greatest(pg_current_xact_id()::text::bigint, (SELECT max(before) FROM moc_seal)) + 1"


@contextmanager
def as_superuser(blocker) -> Iterator[None]:
    """The connection is a superuser's for the block."""
    former = {name: connection.settings_dict[name] for name in CREDENTIALS}
    given = environ.Env.db_url_config(settings.DATABASE_SUPERUSER_URL)
    with blocker.unblock():
        connection.close()
        connection.settings_dict.update({name: given.get(name, former[name]) for name in CREDENTIALS})
        yield
        connection.close()
        connection.settings_dict.update(former)


@pytest.fixture
def superuser(django_db_setup, django_db_blocker) -> Iterator[None]:
    """The test's connection is a superuser's: asked for before `db`."""
    with as_superuser(django_db_blocker):
        yield


@pytest.fixture
def settled(monkeypatch) -> None:
    """Seals take what this very transaction wrote, as if it had ended."""
    monkeypatch.setattr(services, "horizon", lambda: execute(HORIZON)[0][0])


@pytest.fixture
def sealed(superuser, db, settled) -> World:
    """A world under seal 1."""
    world = build()
    services.seal()
    return world


@pytest.fixture(scope="module")
def standing_seal(django_db_setup, django_db_blocker) -> Iterator[World]:
    """A world under seal 1, in a transaction around the tests of a file that all live in it."""
    with as_superuser(django_db_blocker), pytest.MonkeyPatch.context() as patch, transaction.atomic():
        patch.setattr(connection, "close", lambda: None)  # as each test's end would
        with pytest.MonkeyPatch.context() as meanwhile:
            meanwhile.setattr(services, "horizon", lambda: execute(HORIZON)[0][0])
            world = build()
            services.seal()
        yield world
        transaction.set_rollback(True)


@pytest.fixture
def under_seal(standing_seal, db, settled) -> World:
    """That world, for one test."""
    return deepcopy(standing_seal)


def execute(statement: str, *values) -> list[tuple]:
    """Run a statement as whoever the connection is, without anybody's sight."""
    with sight.seeing(sight.NOTHING), connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall() if cursor.description else []


@pytest.fixture
def tamper() -> Callable[..., list[tuple]]:
    """tamper(statement, *values): run it as the superuser, with all triggers at rest."""

    def run(statement: str, *values) -> list[tuple]:
        execute("SET LOCAL session_replication_role = replica")
        found = execute(statement, *values)
        execute("SET LOCAL session_replication_role = origin")
        return found

    return run


@pytest.fixture
def later(tamper) -> Callable[[str, str], None]:
    """later(table, key): what was written after the last seal is of a later transaction, as it would be in life."""

    def move(table: str, key: str = "history_id") -> None:
        former = 'SELECT coalesce(max(last), 0) FROM moc_sealedblock WHERE "table" = %s'
        tamper(f'UPDATE "{table}" SET transaction_id = (SELECT max(before) FROM moc_seal) WHERE {key} > ({former})', table)

    return move


@pytest.fixture
def rename(later) -> Callable[[World, str], None]:
    """rename(world, name): one new version, of a transaction after the last seal."""

    def write(world: World, name: str) -> None:
        with acting(None, "tests"):
            type(world.edc).objects.filter(pk=world.edc.pk).update(legal_name=name)
        later(TABLE)

    return write
