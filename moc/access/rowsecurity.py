"""The second line: row-level security, generated from the same access paths that policy.py reads, for tables and their history.

It is told the widest reach of a user (moc.sight), whatever the permission: it guards against a query that forgot its scope, not against
a missing right. Written for the planner: settings are read once a statement (InitPlan), never row by row.

A model may say two things beside `access_paths`: `second_line` = "SIGNED_IN" (rows that everybody signed in may meet: names of parties) or
"OPEN" (no second line), each with its reason; and `seen_with`, foreign keys of other models ("registry.Der.feeder"): a row is seen with
a row that names it and is seen itself, for what stands beside a record on its page.
"""

from collections.abc import Callable
from dataclasses import dataclass

from django.apps import apps
from django.db import connection
from django.db.models import Model, Q
from django.db.models.sql import Query
from psycopg import sql

from moc.access import policy
from moc.apps import own_models

USER = "(SELECT nullif(current_setting('moc.user', true), '')::bigint)"
SIGNED_IN = f"({USER} IS NOT NULL)"
ORGANIZATIONS = "ANY((SELECT nullif(current_setting('moc.organizations', true), '')::bigint[])::bigint[])"
OPERATOR = "(SELECT current_setting('moc.operator', true) = 'on')"
OPEN, NO_CONDITION = "OPEN", Q()


@dataclass(frozen=True)
class Place:
    """A table in a policy's expression: the live model, and the name by which the expression knows its rows."""

    model: type[Model]
    name: str

    def column(self, field: str) -> str:
        return f'"{self.name}"."{self.model._meta.get_field(field).column}"'

    @property
    def key(self) -> str:
        return f'"{self.name}"."{self.model._meta.pk.column}"'


def tables() -> dict[str, str]:
    """Every table that the second line guards, with the expression that its rows must meet."""
    guarded = {}
    for model in own_models():
        if getattr(model, "second_line", "") != OPEN:
            guarded[model._meta.db_table] = seen(Place(model, model._meta.db_table))
            if hasattr(model, "history"):
                table = model.history.model._meta.db_table
                guarded[table] = seen(Place(model, table))
    return guarded


def seen(place: Place) -> str:
    """The SQL condition under which a row of `place` is seen."""
    model, ways = place.model, []
    if getattr(model, "second_line", "") == "SIGNED_IN":
        return SIGNED_IN
    for path in sorted(policy.paths_of(model), key=lambda path: path != "edc"):  # whoever sees most, sees it by its utilities: asked first
        if path == "PUBLIC":
            return SIGNED_IN
        if path == "SELF":
            ways.append(f"{_own(place)} = {USER}")
        elif path == "OPERATOR":
            ways.append(OPERATOR)
        else:
            ways.append(_along(place, path, getattr(model, "access_conditions", {}).get(path, NO_CONDITION)))
    for label in getattr(model, "seen_with", ()):
        ways.append(_named_by(place, label))
    return " OR ".join(ways) or "false"


def _own(place: Place) -> str:
    return place.key if place.model._meta.label == "moc.User" else place.column("user")


def _along(place: Place, path: str, condition: Q = NO_CONDITION) -> str:
    """A path to an organisation, under a condition; each hop a probe by key."""
    step, _, rest = path.partition("__")
    if rest:
        reached = _hop(place, step, lambda beyond: _along(beyond, rest))
    else:
        reached = f"{place.key if step == 'id' else place.column(step)} = {ORGANIZATIONS}"
    return f"({reached} AND {_holds(place, condition)})" if condition else reached


def _hop(place: Place, step: str, wanted: Callable[[Place], str]) -> str:
    """EXISTS over the rows that a foreign key names, or over those that name this one."""
    field = place.model._meta.get_field(step)
    beyond = Place(field.related_model, f"{place.name}_{step}"[:60])
    joined = f"{beyond.key} = {place.column(step)}" if field.concrete else f"{beyond.column(field.remote_field.name)} = {place.key}"
    return f'EXISTS (SELECT FROM "{beyond.model._meta.db_table}" AS "{beyond.name}" WHERE {joined} AND {wanted(beyond)})'


def _holds(place: Place, condition: Q, negated: bool = False) -> str:
    """A condition on a row and on those that its foreign keys name. A negation is asked of the row beyond a key, never of whether one is
    found: a row that its own policy hides would meet it."""
    negated ^= condition.negated
    parts = [_holds(place, child, negated) if isinstance(child, Q) else _is_met(place, *child, negated) for child in condition.children]
    connector = {"AND": "OR", "OR": "AND"}[condition.connector] if negated else condition.connector
    return f"({f' {connector} '.join(parts)})"


def _is_met(place: Place, lookup: str, value, negated: bool) -> str:
    """One lookup: of this row's column, as Django writes it into check constraints, or of a column beyond a foreign key."""
    step, _, rest = lookup.partition("__")
    if place.model._meta.get_field(step).is_relation and rest and rest != "isnull":
        return _hop(place, step, lambda beyond: _is_met(beyond, rest, value, negated))
    query = Query(model=place.model, alias_cols=False)
    text, params = query.build_where(Q((lookup, value))).as_sql(query.get_compiler(connection=connection), connection)
    column = place.model._meta.get_field(step).column
    met = text.replace(f'"{column}"', place.column(step), 1) % tuple(sql.Literal(value).as_string(None) for value in params)
    return f"NOT ({met})" if negated else met


def _named_by(place: Place, label: str) -> str:
    """Rows of another model name this one, and are seen themselves: that table's own policy cuts the subquery."""
    owner, _, field = label.rpartition(".")
    other = Place(apps.get_model(owner), f"{place.name}_by_{owner.rpartition('.')[2].lower()}"[:60])
    return f'EXISTS (SELECT FROM "{other.model._meta.db_table}" AS "{other.name}" WHERE {other.column(field)} = {place.key})'


def secure(role: str) -> None:
    """Put the policies in force for the app role. Run by `migrate`, as the owner, after every migration: they hold no state."""
    present = set(connection.introspection.table_names())
    with connection.cursor() as cursor:
        for table, expression in tables().items():
            if table in present:
                cursor.execute(f'ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY')
                cursor.execute(f'DROP POLICY IF EXISTS sight ON "{table}"')
                cursor.execute(f'CREATE POLICY sight ON "{table}" TO "{role}" USING ({expression}) WITH CHECK (true)')


def missing_roles(app: str, engine: str) -> str:
    """What a superuser must still do before row-level security can work; empty if nothing."""
    make = f'CREATE ROLE "{engine}" NOLOGIN BYPASSRLS; GRANT "{engine}" TO "{app}" WITH INHERIT FALSE, SET TRUE;'
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolbypassrls AND pg_has_role(%s, oid, 'SET') FROM pg_roles WHERE rolname = %s", [app, engine])
        found = cursor.fetchone()
    return "" if found == (True,) else f"The database role {engine} is missing or not granted. As a superuser: {make}"
