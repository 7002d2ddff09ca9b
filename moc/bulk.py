"""Raw SQL and COPY: with moc.history the only user of a raw cursor."""

import inspect
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from django.db import connection
from django.db.models import QuerySet
from psycopg import ClientCursor, sql


@cache
def _statement(path: Path) -> str:
    return path.read_text()


def run_sql(name: str, params: dict | None = None, **fragments: sql.Composable) -> int:
    """Run `sql/<name>.sql` of the calling slice; returns the row count of its statement.

    `%(name)s` are parameters; `{name}` are SQL fragments (identifiers, column lists) composed by psycopg.sql.
    """
    folder = Path(inspect.stack()[1].filename).parent
    text = _statement(folder / "sql" / f"{name}.sql")
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL(text).format(**fragments).as_string(cursor.connection), params)
        return cursor.rowcount


def fetch_sql(name: str, params: dict | None = None, **fragments: sql.Composable) -> list[tuple]:
    """As run_sql, returning the rows."""
    folder = Path(inspect.stack()[1].filename).parent
    text = _statement(folder / "sql" / f"{name}.sql")
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL(text).format(**fragments).as_string(cursor.connection), params)
        return cursor.fetchall()


def copy_in(table: str, columns: Iterable[str], blocks: Iterable[bytes]) -> int:
    """COPY blocks of PostgreSQL CSV into a table, streaming; returns the row count. Runs in the caller's transaction."""
    names = sql.SQL(", ").join(sql.Identifier(column) for column in columns)
    command = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT csv)").format(sql.Identifier(table), names)
    with connection.cursor() as cursor:
        with cursor.copy(command.as_string(cursor.connection)) as copy:
            for block in blocks:
                copy.write(block)
        return cursor.rowcount


def _compiled(queryset: QuerySet) -> str:
    """The queryset's SQL with its parameters as literals, for COPY and for statements that embed it."""
    query, params = queryset.query.sql_with_params()
    with connection.cursor() as cursor:
        return ClientCursor(cursor.connection).mogrify(query, params)


def copy_out(queryset: QuerySet) -> Iterator[bytes]:
    """The rows of a values_list queryset as PostgreSQL CSV without a header, streamed by COPY TO in bounded memory."""
    with connection.cursor() as cursor, cursor.copy(f"COPY ({_compiled(queryset)}) TO STDOUT (FORMAT csv)") as copy:
        for data in copy:
            yield bytes(data)


def insert_select(table: str, columns: Iterable[str], querysets: list[QuerySet], narrowed: QuerySet | None = None) -> int:
    """INSERT the union of values_list querysets into a table; returns how many rows were inserted.

    `narrowed` is a queryset of the model that the querysets read: it is evaluated once, and they see only its rows.
    """
    names = ", ".join(f'"{column}"' for column in columns)
    union = " UNION ALL ".join(f"({_compiled(queryset)})" for queryset in querysets)
    source = f'WITH "{narrowed.model._meta.db_table}" AS MATERIALIZED ({_compiled(narrowed)}) ' if narrowed is not None else ""
    with connection.cursor() as cursor:
        cursor.execute(f'INSERT INTO "{table}" ({names}) {source}{union}')
        return cursor.rowcount
