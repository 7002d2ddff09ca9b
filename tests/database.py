"""The test database: migrated as the owner role, used as the app role, flushed by the superuser (nobody else may lose history)."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from django.conf import settings
from django.db import connection
from psycopg import sql

KEPT = ("django_migrations", "django_content_type", "auth_permission", "moc_cache")
CREDENTIALS = ("USER", "PASSWORD", "HOST", "PORT", "OPTIONS")


@contextmanager
def as_owner() -> Iterator[None]:
    """Connect as the owner role for the block."""
    app = {name: connection.settings_dict[name] for name in CREDENTIALS}
    connection.close()
    connection.settings_dict.update(
        {name: settings.DATABASE_OWNER.get(name, "") for name in CREDENTIALS}
        | {"OPTIONS": dict(app["OPTIONS"]) | settings.DATABASE_OWNER.get("OPTIONS", {})}
    )
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict.update(app)


def flush() -> None:
    """Empty every table that has rows, with triggers and foreign keys at rest; only the superuser can."""
    if not settings.DATABASE_SUPERUSER_URL:
        raise RuntimeError("Tests that commit need DATABASE_SUPERUSER_URL: the app role may neither truncate nor touch history.")
    with psycopg.connect(settings.DATABASE_SUPERUSER_URL, dbname=connection.settings_dict["NAME"]) as server:
        server.execute("SET session_replication_role = replica")
        tables = [row[0] for row in server.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'") if row[0] not in KEPT]
        probes = [sql.SQL("SELECT {} WHERE EXISTS (SELECT FROM {})").format(sql.Literal(table), sql.Identifier(table)) for table in tables]
        filled = [sql.Identifier(row[0]) for row in server.execute(sql.SQL(" UNION ALL ").join(probes))]
        if filled:
            server.execute(sql.SQL("TRUNCATE {} CASCADE").format(sql.SQL(", ").join(filled)))
