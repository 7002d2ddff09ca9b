"""Connections beside Django's own, to the test database: as psql or another process would have them."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from django.conf import settings
from django.db import connection


@contextmanager
def connected(role: str = "app") -> Iterator[psycopg.Connection]:
    """A plain connection as the `app` or the `owner` role, rolled back at the end unless the test commits."""
    found = settings.DATABASE_APP if role == "app" else settings.DATABASE_OWNER
    given = {"host": found.get("HOST"), "port": found.get("PORT"), "user": found.get("USER"), "password": found.get("PASSWORD")}
    given |= {name: value for name, value in found.get("OPTIONS", {}).items() if name.startswith(("host", "ssl"))}
    other = psycopg.connect(dbname=connection.settings_dict["NAME"], **{name: value for name, value in given.items() if value})
    try:
        yield other
    finally:
        other.close()


def act(cursor, actor: int | str = "", reason: str = "") -> None:
    """Say who writes and why, as moc.history.acting does, until the transaction ends."""
    cursor.execute("SELECT set_config('moc.actor', %s, true), set_config('moc.reason', %s, true)", [str(actor), reason])
