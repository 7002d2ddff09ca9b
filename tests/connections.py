"""Connections beside Django's own, to the test database: as psql or another process would have them."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from django.conf import settings
from django.db import connection


@contextmanager
def connected(role: str = "engine") -> Iterator[psycopg.Connection]:
    """A plain connection, rolled back at the end unless the test commits.

    `owner` and `app` are the two roles; `engine` is the app role as services have it, above row-level security.
    """
    found = settings.DATABASE_OWNER if role == "owner" else settings.DATABASE_APP
    given = {"host": found.get("HOST"), "port": found.get("PORT"), "user": found.get("USER"), "password": found.get("PASSWORD")}
    given |= {name: value for name, value in found.get("OPTIONS", {}).items() if name.startswith(("host", "ssl"))}
    other = psycopg.connect(dbname=connection.settings_dict["NAME"], **{name: value for name, value in given.items() if value})
    if role == "engine":
        other.execute(f"SET ROLE {settings.DATABASE_ENGINE_ROLE}")
        other.commit()
    try:
        yield other
    finally:
        other.close()


def act(cursor, actor: int | str = "", reason: str = "") -> None:
    """Say who writes and why, as moc.history.acting does, until the transaction ends."""
    cursor.execute("SELECT set_config('moc.actor', %s, true), set_config('moc.reason', %s, true)", [str(actor), reason])
