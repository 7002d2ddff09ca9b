"""Keyset paging: every page costs the same, however deep, for every role.

A page is looked for in each branch of the user's scope (one path and one organisation, an index range), limited, and the branches
are merged by the sort; so only sorts that the branches' indexes give are offered.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import reduce
from uuid import UUID

from django.db.models import BooleanField, F, Field, Func, Model, Q, QuerySet, Value

from moc.access.tenure import CLOSES
from moc.sealed import seal, unseal

COUNT_CAP = 10_000


@dataclass(frozen=True)
class Sort:
    """A sort that an index gives: `name` in the URL, `fields` all in one direction, the last one unique ("-nameplate_ac_kw", "-id").

    Fields are never NULL. `label` is what the user reads where there is no column heading to click.
    """

    name: str
    fields: tuple[str, ...]
    label: str = ""

    @property
    def descending(self) -> bool:
        return self.fields[0].startswith("-")

    @property
    def names(self) -> list[str]:
        return [field.lstrip("-") for field in self.fields]

    def fields_of(self, model: type[Model]) -> list[Field]:
        """The model's fields that the sort goes by; a name may lead through a key to another table ("closes__der_id")."""
        found = []
        for name in self.names:
            *path, last = name.split("__")
            owner = reduce(lambda at, step: at._meta.get_field(step).related_model, path, model)
            found.append(owner._meta.get_field(last))
        return found

    def ordering(self, backwards: bool) -> list[str]:
        sign = "-" if self.descending != backwards else ""
        return [sign + name for name in self.names]


def of_ended(record: str) -> tuple[Sort, Sort]:
    """The sorts of the versions that closed tenures (moc.access.tenure.ended): by the key of the record, newest first, and back."""
    names = (f"{CLOSES}{record}_id", f"{CLOSES}closing_id")
    return Sort("-id", tuple(f"-{name}" for name in names)), Sort("id", names)


class RowComparison(Func):
    """(a, b) < (x, y): compared as a row, which an index over (a, b) answers."""

    output_field = BooleanField()

    def __init__(self, names: Sequence[str], values: Sequence, operator: str, fields: Sequence):
        row = {"function": "", "output_field": BooleanField()}
        left = Func(*[F(name) for name in names], **row)
        right = Func(*[Value(value, output_field=field) for value, field in zip(values, fields, strict=True)], **row)
        super().__init__(left, right, template="%(expressions)s", arg_joiner=f" {operator} ")


@dataclass
class Found:
    """The primary keys of one page in order, and the cursors of the pages beside it (None: there is none)."""

    keys: list
    previous: str | None
    following: str | None


def encode(values: Sequence, fields: Sequence) -> str:
    """A cursor for the URL: the sort's values of the row at the edge of the page, sealed: keys are in it."""
    plain = [str(value) if isinstance(value, (Decimal, date, UUID)) else value for value in values]
    return seal(plain, _purpose(fields))


def _purpose(fields: Sequence) -> str:
    return f"cursor {' '.join(map(str, fields))}"


def decode(cursor: str, fields: Sequence) -> list | None:
    """The values of a cursor as the model's fields read them; None for one that no page of this list in this order gave."""
    plain = unseal(cursor, _purpose(fields))
    return None if plain is None else [field.to_python(value) for field, value in zip(fields, plain, strict=True)]


def parts(rows: QuerySet, branches: list[Q] | None) -> list[QuerySet]:
    """The rows of each branch (policy.branches are disjoint)."""
    return [rows] if branches is None else [rows.filter(branch) for branch in branches]


def merged(limited: list[QuerySet]) -> QuerySet:
    return limited[0].union(*limited[1:], all=True) if len(limited) > 1 else limited[0]


def find(rows: QuerySet, branches: list[Q] | None, sort: Sort, size: int, after: str = "", before: str = "") -> Found:
    """One page of `rows` within the user's branches, after or before a cursor; an unknown cursor gives the first page."""
    if branches == [] or rows.query.is_empty():
        return Found([], None, None)
    fields = sort.fields_of(rows.model)
    backwards = bool(before)
    edge = decode(before or after, fields) if before or after else None
    backwards = backwards and edge is not None
    names = [*sort.names, rows.model._meta.pk.attname]
    ordering = sort.ordering(backwards)
    if edge is not None:
        operator = "<" if sort.descending != backwards else ">"
        rows = rows.filter(RowComparison(sort.names, edge, operator, fields))
    limited = [part.order_by(*ordering).values_list(*dict.fromkeys(names))[: size + 1] for part in parts(rows, branches)]
    found = list(merged(limited).order_by(*ordering)[: size + 1] if len(limited) > 1 else limited[0])
    more, found = len(found) > size, found[:size]
    if backwards:
        found.reverse()
    cursors = [encode(row[: len(fields)], fields) for row in (found[0], found[-1])] if found else [None, None]
    has_previous, has_following = (more, True) if backwards else (edge is not None, more)
    return Found([row[-1] for row in found], cursors[0] if has_previous else None, cursors[1] if has_following else None)


def count_up_to(rows: QuerySet, branches: list[Q] | None, cap: int = COUNT_CAP) -> int:
    """How many rows there are, counted no further than `cap` + 1."""
    if branches == []:
        return 0
    key = rows.model._meta.pk.attname
    limited = [part.order_by().values_list(key)[: cap + 1] for part in parts(rows, branches)]
    return (merged(limited)[: cap + 1] if len(limited) > 1 else limited[0]).count()
