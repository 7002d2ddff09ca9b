"""The test database: migrated as the owner role, used as the app role, flushed by the superuser (nobody else may lose history).

Migrating takes a quarter of a minute, copying a migrated database half a second: so one template is migrated whenever something
changed that shapes the schema, and each test process works in a copy of it.
"""

import hashlib
from collections.abc import Collection, Iterator
from contextlib import contextmanager

import django
import psycopg
from django.conf import settings
from django.core.management import call_command
from django.db import OperationalError, connection
from psycopg import sql

from moc import sight

KEPT = ("django_migrations", "django_content_type", "auth_permission", "moc_cache")
CREDENTIALS = ("USER", "PASSWORD", "HOST", "PORT", "OPTIONS")
PACKAGES = ("moc", "registry", "operations", "market", "settlement")
SHAPES = ("migrations/*.py", "**/models.py", "**/roles.py", "history.py", "lifecycle.py", "**/rowsecurity.py", "**/migrate.py")


@contextmanager
def as_owner() -> Iterator[None]:
    """Connect as the owner role for the block, whom row-level security does not bind."""
    app = {name: connection.settings_dict[name] for name in CREDENTIALS}
    connection.close()
    connection.settings_dict.update({name: settings.DATABASE_OWNER.get(name, app[name]) for name in CREDENTIALS})
    try:
        with sight.seeing(sight.NOTHING):
            yield
    finally:
        connection.close()
        connection.settings_dict.update(app)


@contextmanager
def connected_to(name: str) -> Iterator[None]:
    """Work in another database for the block."""
    outer = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = name
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = outer


def create() -> str:
    """Make this process's test database afresh and return its name; call as the owner."""
    name = connection.creation._get_test_db_name()
    with _template() as (server, template):
        _drop(server, name)
        server.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        server.execute(f'ALTER DATABASE "{name}" SET synchronous_commit = off')  # nothing of it outlives its server
    return name


@contextmanager
def _template() -> Iterator[tuple]:
    """(cursor, name) of the database that tests copy, migrated when the schema has changed since; one process at a time."""
    template = f"test_{settings.DATABASES['default']['NAME']}_template"
    with connection._nodb_cursor() as server:
        server.execute("SELECT pg_advisory_lock(hashtext(%s))", [template])
        if _stamp(server, template) != _shape():
            _migrate(server, template)
        yield server, template


def drop(name: str) -> None:
    """Remove a test database; call as the owner."""
    with connection._nodb_cursor() as server:
        _drop(server, name)


def _drop(server, name: str) -> None:
    """Without FORCE first: that waits for an autovacuum, which the owner may not terminate."""
    try:
        server.execute(f'DROP DATABASE IF EXISTS "{name}"')
    except OperationalError:  # a session is left over from a killed run
        server.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def _migrate(server, template: str) -> None:
    _drop(server, template)
    server.execute(f'CREATE DATABASE "{template}"')
    with connected_to(template):
        call_command("migrate", interactive=False, verbosity=0)
    server.execute(f"COMMENT ON DATABASE \"{template}\" IS '{_shape()}'")


def _stamp(server, name: str) -> str | None:
    server.execute("SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s", [name])
    row = server.fetchone()
    return row and row[0]


def _shape() -> str:
    """A digest of everything that shapes the schema; its day is that of the time zone."""
    files = {path for package in PACKAGES for shape in SHAPES for path in (settings.BASE_DIR / package).glob(shape)}
    files = sorted({*files, settings.BASE_DIR / "requirements.lock"})
    return hashlib.sha256(settings.TIME_ZONE.encode() + b"".join(path.name.encode() + path.read_bytes() for path in files)).hexdigest()


def flush() -> None:
    """Empty every table that has rows, with triggers and foreign keys at rest; only the superuser can."""
    if not settings.DATABASE_SUPERUSER_URL:
        raise RuntimeError("Tests that commit need DATABASE_SUPERUSER_URL: the app role may not touch history.")
    with psycopg.connect(settings.DATABASE_SUPERUSER_URL, dbname=connection.settings_dict["NAME"]) as server:
        server.execute("SET session_replication_role = replica")
        tables = {row[0] for row in server.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")} - {*KEPT}
        if filled := filled_of(server, tables):  # DELETE: on small tables many times faster than TRUNCATE, which makes new files
            server.execute(sql.SQL("; ").join(sql.SQL("DELETE FROM {}").format(sql.Identifier(table)) for table in filled))


def filled_of(server: psycopg.Connection, tables: Collection[str]) -> list[str]:
    """Those of the tables that have rows. Only what takes room on the disk is looked into: most tables of a test have never had a row."""
    roomy = "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND pg_relation_size(oid) > 0"
    probes = [
        sql.SQL("SELECT {} WHERE EXISTS (SELECT FROM {})").format(sql.Literal(table), sql.Identifier("public", table))
        for (table,) in server.execute(roomy).fetchall()
        if table in tables
    ]
    return [table for (table,) in server.execute(sql.SQL(" UNION ALL ").join(probes))] if probes else []


if __name__ == "__main__":  # `make test` has the template made while it lints
    django.setup()
    with as_owner(), _template():
        pass
