"""What is sealed, and how a row becomes text: the tables, their columns, and the SQL that hashes them."""

from typing import NamedTuple

from django.apps import apps
from django.db import connection
from django.db.models import BinaryField, Model
from psycopg import sql

from moc.bulk import fetch_sql, run_sql

BLOCK = 512  # keys side by side: a proof carries the leaves of one block, 16 KB
FORMAT = "moc-seal-2"
# A column's digest in each format: 32 bytes. Without the processor's help SHA-512 takes a third less time over the same text than SHA-256.
DIGESTS = {"moc-seal-1": "sha256(convert_to(%s, 'UTF8'))", FORMAT: "substr(sha512(convert_to(%s, 'UTF8')), 1, 32)"}
VALUES = "string_agg(coalesce({}, chr(1)), chr(31))"
NEVER_NULL = "coalesce(string_agg({}, chr(31)), chr(1))"  # the same, and quicker; a null that somebody forced in still makes another


class Column(NamedTuple):
    """A column of the canonical row. Where `digested`, its SHA-256 stands for its value: so a proof shows no ciphertext."""

    name: str
    digested: bool


def tables() -> dict[str, type[Model]]:
    """Every table that is sealed: those of history and of append-only records, which refuse change and say who wrote when."""
    return {model._meta.db_table: model for model in sorted(apps.get_models(), key=lambda model: model._meta.db_table) if _is_sealed(model)}


def _is_sealed(model: type[Model]) -> bool:
    named = {trigger.name for trigger in getattr(model._meta, "triggers", ())}
    return bool({"sealed_rows", "kept_rows"} & named) and any(field.name == "transaction_id" for field in model._meta.concrete_fields)


def columns_of(model: type[Model]) -> list[Column]:
    """The columns of a table as they are today."""
    return [Column(field.column, isinstance(field, BinaryField)) for field in model._meta.concrete_fields]


def lost(table: str, columns: list[Column]) -> list[str]:
    """The columns that a later migration took away: what was sealed with them cannot be hashed again."""
    standing = {name for (name,) in fetch_sql("columns", {"table": table})}
    return [column.name for column in columns if column.name not in standing]


def fragments(model: type[Model], columns: list[Column], archived: str = "", made_as: str = "") -> dict[str, sql.Composable]:
    """What the statements of sql/ need to know of a table; `archived` names another with those of its rows that were moved into files."""
    names = [sql.Identifier(f"c{number}") for number in range(len(columns))]
    texts = [sql.SQL("{} AS {}").format(_text(column), name) for column, name in zip(columns, names, strict=True)]
    never_null = {field.column for field in model._meta.concrete_fields if not field.null}
    values = [VALUES if column.name not in never_null else NEVER_NULL for column in columns]
    by_column = [sql.SQL(DIGESTS[made_as or FORMAT] % each).format(name) for each, name in zip(values, names, strict=True)]
    table = sql.Identifier(model._meta.db_table)
    if archived:
        table = sql.SQL("(SELECT * FROM {} UNION ALL SELECT * FROM {})").format(table, sql.Identifier(archived))
    return {
        "table": table,
        "key": sql.Identifier(model._meta.pk.column),
        "texts": sql.SQL(", ").join(texts),
        "names": sql.SQL(", ").join(names),
        "by_column": sql.SQL(" || ").join(by_column),
    }


def _text(column: Column) -> sql.Composable:
    name = sql.SQL("source.{}").format(sql.Identifier(column.name))
    return sql.SQL("encode(sha256({}), 'hex')" if column.digested else "{}::text").format(name)


def make_indexes() -> None:
    """A small index by transaction on every sealed table, so that a seal reads what is new. Run by `migrate`, as the owner."""
    standing = set(connection.introspection.table_names())
    for table in sorted(standing & tables().keys()):
        run_sql("index", index=sql.Identifier(f"{table[:48]}_by_transaction"), table=sql.Identifier(table))


def hold_still(*, alone: bool) -> None:
    """Write values in this transaction as they are sealed, whatever the session's settings; `alone`: while no other seal is made."""
    fetch_sql("start", {"alone": alone})


def with_rows(since: int, before: int) -> set[str]:
    """The sealed tables that have rows of a period: most have none, and what hashes them is costly to plan."""
    each = sql.SQL("SELECT {name} WHERE EXISTS (SELECT FROM {table} WHERE transaction_id >= %(since)s AND transaction_id < %(before)s)")
    asked = [each.format(name=sql.Literal(name), table=sql.Identifier(name)) for name in tables()]
    return {name for (name,) in fetch_sql("with_rows", {"since": since, "before": before}, asked=sql.SQL(" UNION ALL ").join(asked))}


def write_blocks(model: type[Model], columns: list[Column], seal: int, since: int, before: int) -> None:
    """Hash the rows of a period into blocks, in one statement."""
    parts = sql.SQL(  # OFFSET 0 keeps the planner from taking every key for a block of its own: it hashes instead of sorting
        "SELECT row_number() OVER (ORDER BY block) - 1 AS number, min(key) AS first, max(key) AS last FROM "
        "(SELECT {key} AS key, {key} / {size} AS block FROM {table} "
        "WHERE transaction_id >= %(since)s AND transaction_id < %(before)s OFFSET 0) AS line GROUP BY block"
    )
    known = fragments(model, columns)
    parts = parts.format(key=known["key"], table=known["table"], size=sql.Literal(BLOCK))
    into = sql.SQL('INSERT INTO moc_sealedblock (number, first, last, keys, leaves, fields, hash, seal_id, "table")')
    run_sql("hashes", _period(model, seal, since, before), into=into, parts=parts, **known)


class Hashed(NamedTuple):
    """A block as its rows hash today."""

    number: int
    first: int
    last: int
    keys: bytes
    leaves: bytes
    fields: bytes
    hash: bytes


def read_blocks(model: type[Model], columns: list[Column], seal: int, said: dict, numbers: range, archived: str = "") -> list[Hashed]:
    """Hash the rows of some sealed blocks again, as the seal's statement says, in order of their numbers."""
    parts = sql.SQL(
        'SELECT number, first, last FROM moc_sealedblock WHERE seal_id = %(seal)s AND "table" = %(table)s '
        "AND number >= %(start)s AND number < %(end)s"
    )
    params = {**_period(model, seal, said["since"], said["before"]), "start": numbers.start, "end": numbers.stop}
    rows = fetch_sql("hashes", params, into=sql.SQL(""), parts=parts, **fragments(model, columns, archived, said["format"]))
    return sorted(Hashed(*row[:-2]) for row in rows)


def _period(model: type[Model], seal: int, since: int, before: int) -> dict:
    return {"seal": seal, "table": model._meta.db_table, "since": since, "before": before}


def row_text(model: type[Model], columns: list[Column], key: int) -> str:
    """One row as the text that is hashed."""
    return fetch_sql("row_text", {"key": key}, **fragments(model, columns))[0][0]


def outside(model: type[Model], before: int, limit: int, archived: str = "") -> list[int]:
    """Keys of rows of sealed periods that stand in no block."""
    known = fragments(model, columns_of(model), archived)
    params = {"table": model._meta.db_table, "before": before, "limit": limit}
    return [key for (key,) in fetch_sql("outside", params, table=known["table"], key=known["key"])]
