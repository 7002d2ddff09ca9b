"""How a text becomes a typed column: one SQL expression per filing column, derived from the model's fields."""

from dataclasses import dataclass
from functools import cache

from django.contrib.postgres.fields import ArrayField
from django.db import models
from psycopg import sql

from moc import casts
from registry.ders.choices import DerType, technologies
from registry.ders.dictionary import FIELDS
from registry.submissions.personal import filed_field

# what people write for a technology, beside its code and label
SYNONYMS = {
    DerType.PHOTOVOLTAIC: ("pv", "solar", "solar_pv"),
    DerType.STORAGE: ("battery", "battery_storage", "bess", "energy_storage", "all_storage"),
    DerType.PHOTOVOLTAIC_STORAGE: ("pv_storage", "solar_storage", "storage_pv", "pv+storage"),
    DerType.ELECTRIC_VEHICLE: ("ev", "v2g"),
    DerType.EVSE: ("ev_charger", "charger"),
    DerType.COMBINED_HEAT_POWER: ("chp",),
    DerType.DEMAND_RESPONSE: ("dr",),
}
TRUE, FALSE = ("true", "t", "yes", "y", "1"), ("false", "f", "no", "n", "0")


@dataclass(frozen=True)
class Column:
    """A filing column: `typed` is the SQL value of the raw text `r.<name>`, `empty` the value of an absent text."""

    name: str
    problem: str
    typed: sql.Composable
    empty: sql.Composable
    personal: bool = False

    @property
    def raw(self) -> sql.Identifier:
        return sql.Identifier("r", self.name)


def columns() -> dict[str, Column]:
    """All filing columns by name."""
    return _columns(tuple(technologies()))


@cache
def _columns(known: tuple) -> dict[str, Column]:
    """The same while the technologies that are `known` do not change."""
    made = {}
    for name, term in FIELDS.items():
        made[name] = _column(name, filed_field(name), term.personal)
    return made


def _column(name: str, field: models.Field, personal: bool) -> Column:
    raw, null = sql.Identifier("r", name), sql.SQL("NULL")
    if isinstance(field, ArrayField):
        return Column(name, "choice", _code_set(raw, field.base_field), sql.SQL("'{}'"), personal)
    if isinstance(field, models.JSONField):
        return Column(name, "json", casts.checked(raw, "jsonb"), null, personal)
    if isinstance(field, models.BooleanField):
        return Column(name, "boolean", _boolean(raw), null, personal)
    if isinstance(field, models.DateField):
        return Column(name, "date", casts.checked(raw, "date", sql.SQL("{} LIKE '____-__-__'").format(raw)), null, personal)
    if isinstance(field, (models.DecimalField, models.IntegerField)):
        return Column(name, "number", casts.number(field, raw), null, personal)
    if field.choices:
        return Column(name, "choice", _code(raw, dict(field.choices)), sql.SQL("''"), personal)
    return Column(name, "length", sql.SQL("coalesce({}, '')").format(casts.text(field, raw)), sql.SQL("''"), personal)


def _normal(raw: sql.Composable) -> sql.Composable:
    return sql.SQL("translate(lower({}), ' -/.', '____')").format(raw)


def _spellings(choices: dict[str, str]) -> dict[str, str]:
    """Accepted spelling → code: the code, its label, and the synonyms."""
    accepted = {}
    for code, label in choices.items():
        accepted[str(label).lower().translate(str.maketrans(" -/.", "____"))] = code
        accepted[code] = code
    for code, spellings in SYNONYMS.items():
        if code in choices:
            accepted |= dict.fromkeys(spellings, code)
    return accepted


def _code(raw: sql.Identifier, choices: dict[str, str]) -> sql.Composable:
    whens = sql.SQL(" ").join(
        sql.SQL("WHEN {} THEN {}").format(sql.Literal(spelling), sql.Literal(str(code))) for spelling, code in _spellings(choices).items()
    )
    return sql.SQL("CASE {} {} ELSE '' END").format(_normal(raw), whens)


def _code_set(raw: sql.Identifier, element: models.Field) -> sql.Composable:
    items = sql.SQL("string_to_array(replace({}, ' ', ''), ';')").format(raw)
    if not element.choices:
        return sql.SQL("coalesce({}, '{{}}')").format(items)
    legal = sql.Literal([code for code, _ in element.choices])
    lowered = sql.SQL("string_to_array(translate(lower({}), ' ', ''), ';')").format(raw)
    return sql.SQL("CASE WHEN {items} <@ {legal}::text[] THEN {items} ELSE '{{}}' END").format(items=lowered, legal=legal)


def _boolean(raw: sql.Identifier) -> sql.Composable:
    lowered = sql.SQL("lower({})").format(raw)
    return sql.SQL("CASE WHEN {low} = ANY({yes}::text[]) THEN true WHEN {low} = ANY({no}::text[]) THEN false END").format(
        low=lowered, yes=sql.Literal(list(TRUE)), no=sql.Literal(list(FALSE))
    )


def lost(column: Column) -> sql.Composable:
    """True where there is a text `r` but no value `s`: the cast refused it."""
    value = sql.Identifier("s", column.name)
    field = filed_field(column.name)
    if isinstance(field, ArrayField):
        nothing = "= '{}'"
    elif column.problem in {"choice", "length"}:
        nothing = "= ''"
    else:
        nothing = "IS NULL"
    return sql.SQL("({} IS NOT NULL AND {} {})").format(column.raw, value, sql.SQL(nothing))
