"""Texts become typed values in the database: one SQL expression per kind of field, NULL where the text is no such value."""

from django.db import models
from psycopg import sql


def checked(raw: sql.Composable, kind: str, also: sql.Composable | None = None) -> sql.Composable:
    """The cast where it is possible, else NULL; a row's finding follows from text without a value."""
    valid = sql.SQL("pg_input_is_valid({}, {})").format(raw, sql.Literal(kind))
    if also is not None:
        valid = sql.SQL("{} AND {}").format(also, valid)
    return sql.SQL("CASE WHEN {} THEN {}::{} END").format(valid, raw, sql.SQL(kind))


def number(field: models.Field, raw: sql.Composable) -> sql.Composable:
    """A decimal or whole number as the field holds it; whole numbers are not negative."""
    if isinstance(field, models.DecimalField):
        kind = f"numeric({field.max_digits},{field.decimal_places})"
        return checked(raw, kind, sql.SQL("lower({}) <> 'nan'").format(raw))
    kind = "smallint" if isinstance(field, models.PositiveSmallIntegerField) else "integer"
    return checked(raw, kind, sql.SQL("left({}, 1) <> '-'").format(raw))


def text(field: models.Field, raw: sql.Composable) -> sql.Composable:
    """A text that fits into the field; one that does not becomes NULL."""
    return sql.SQL("CASE WHEN length({raw}) <= {length} THEN {raw} END").format(raw=raw, length=sql.Literal(field.max_length))
