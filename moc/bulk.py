"""Raw SQL and COPY: with moc.history the only user of a raw cursor."""

import inspect
from collections.abc import Generator, Iterable
from functools import cache
from pathlib import Path

from django.db import connection, transaction
from django.db.models import Model, QuerySet
from psycopg import ClientCursor, sql


@cache
def _statement(caller: str, name: str) -> str:
    """The text of `sql/<name>.sql` of the slice that the calling file belongs to."""
    for folder in Path(caller).parents:
        file = folder / "sql" / f"{name}.sql"
        if file.is_file():
            return file.read_text()
    raise FileNotFoundError(f"No sql/{name}.sql above {caller}")


def _caller() -> str:
    """The file that called the function that asks (inspect.stack would read the source of every frame)."""
    return inspect.currentframe().f_back.f_back.f_code.co_filename


def _execute(cursor, caller: str, name: str, params: dict | None, fragments: dict) -> None:
    text = sql.SQL(_statement(caller, name)).format(**fragments)
    cursor.execute(text.as_string(cursor.connection), params)


def run_sql(name: str, params: dict | None = None, **fragments: sql.Composable) -> int:
    """Run `sql/<name>.sql` of the calling slice; returns the row count of its statement.

    `%(name)s` are parameters; `{name}` are SQL fragments (identifiers, column lists) composed by psycopg.sql.
    """
    with connection.cursor() as cursor:
        _execute(cursor, _caller(), name, params, fragments)
        return cursor.rowcount


def fetch_sql(name: str, params: dict | None = None, **fragments: sql.Composable) -> list[tuple]:
    """As run_sql, returning the rows."""
    with connection.cursor() as cursor:
        _execute(cursor, _caller(), name, params, fragments)
        return cursor.fetchall()


def embedded(queryset: QuerySet) -> sql.Composable:
    """A queryset as a fragment of a statement."""
    return sql.SQL(_compiled(queryset).replace("%", "%%"))


def copy_in(table: str, columns: Iterable[str], blocks: Iterable[bytes], options: str = "FORMAT csv") -> int:
    """COPY encoded blocks into a table, streaming; returns the row count. Runs in the caller's transaction."""
    names = sql.SQL(", ").join(sql.Identifier(column) for column in columns)
    command = sql.SQL("COPY {} ({}) FROM STDIN ({})").format(sql.Identifier(table), names, sql.SQL(options))
    with transaction.atomic(), connection.cursor() as cursor:
        connection.tell()
        with connection.wrap_database_errors, cursor.copy(command.as_string(cursor.connection)) as copy:
            for block in blocks:
                copy.write(block)
        return cursor.rowcount


def _compiled(queryset: QuerySet) -> str:
    """The queryset's SQL with its parameters as literals, for COPY and for statements that embed it."""
    query, params = queryset.query.get_compiler(connection=connection, elide_empty=False).as_sql()  # nobody's rows are SQL too
    with connection.cursor() as cursor:
        return ClientCursor(cursor.connection).mogrify(query, params)


def copy_out(queryset: QuerySet, narrowed: QuerySet | None = None) -> Generator[bytes, None, int]:
    """The rows of a values_list queryset as PostgreSQL CSV without a header, streamed by COPY TO in bounded memory.

    `narrowed` is a queryset of its model: of that table the queryset sees only its rows. The generator returns (`yield from`) how many
    rows there were.
    """
    command = f"COPY ({_seeing_only(narrowed)}{_compiled(queryset)}) TO STDOUT (FORMAT csv)"
    with transaction.atomic(), connection.cursor() as cursor:
        connection.tell()
        with connection.wrap_database_errors, cursor.copy(command) as copy:
            for data in copy:
                yield bytes(data)
        return cursor.rowcount


def insert_select(table: str, columns: Iterable[str], querysets: list[QuerySet], narrowed: QuerySet | None = None) -> int:
    """INSERT the union of values_list querysets into a table; returns how many rows were inserted.

    `narrowed` is a queryset of the model that the querysets read: it is evaluated once, and they see only its rows.
    """
    names = ", ".join(f'"{column}"' for column in columns)
    union = " UNION ALL ".join(f"({_compiled(queryset)})" for queryset in querysets)
    with connection.cursor() as cursor:
        cursor.execute(f'INSERT INTO "{table}" ({names}) {_seeing_only(narrowed, "MATERIALIZED")}{union}')
        return cursor.rowcount


def _seeing_only(narrowed: QuerySet | None, how: str = "NOT MATERIALIZED") -> str:
    """The head of a statement that sees only some rows of a table."""
    return f'WITH "{narrowed.model._meta.db_table}" AS {how} ({_compiled(narrowed)}) ' if narrowed is not None else ""


def take_room() -> None:
    """More memory for the joins and sorts of this transaction: it handles a whole file at once, and there are few such jobs at a time."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL work_mem = '256MB'")


def analyze(model: type[Model], *columns: str, waits: bool = True) -> bool:
    """Fresh statistics for a table that this transaction has just filled, of the columns by which it is joined and sought.

    Plans over the new rows depend on them; for all columns of a wide table they take seconds. The app role does not own the table;
    the function belongs to the owner (moc.history.grant). Until the transaction ends nobody else looks at the table: one that does not
    wait for such another goes without, and False is returned.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT moc_analyze(%s, %s, %s)", [model._meta.db_table, list(columns), waits])
        return cursor.fetchone()[0]


def join_as_sets() -> None:
    """Until the transaction ends, join by hashing and merging: where a planner without statistics takes many new rows for few."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_nestloop = off")


def known_rows(models: Iterable[type[Model]]) -> dict[type[Model], int]:
    """How many rows of tables their statistics tell of, and so the planner: no table is read, and nothing of what came since is known."""
    tables = {model: model._meta.db_table for model in models}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname, greatest(reltuples, 0)::bigint FROM pg_class WHERE oid = ANY(%s::text[]::regclass[])", [list(tables.values())]
        )
        known = dict(cursor.fetchall())
    return {model: known[table] for model, table in tables.items()}


# as autovacuum decides it, but it looks once a minute only
_STALE = "SELECT relname FROM pg_stat_user_tables WHERE relname = ANY(%s) AND n_mod_since_analyze > 1000 + n_live_tup / 10"


def refresh(sought: dict[type[Model], tuple[str, ...]]) -> None:
    """As `analyze`, for those of the tables that have changed by a tenth since somebody looked: an index that was right for a handful
    of rows, read row by row of a large file, makes minutes of seconds. Call it before a transaction: until its end it would keep others
    from looking.
    """
    with connection.cursor() as cursor:
        cursor.execute(_STALE, [[model._meta.db_table for model in sought]])
        stale = {name for (name,) in cursor.fetchall()}
    for model, columns in sought.items():
        if model._meta.db_table in stale:
            analyze(model, *columns)
