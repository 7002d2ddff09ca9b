"""Compute a report: one statement built by the ORM over the dataset's rows; names of what was grouped by key are looked up after."""

from collections.abc import Iterator
from datetime import date, datetime
from itertools import islice

from django.db.models import Aggregate, Avg, Count, F, FloatField, Func, QuerySet, Sum
from django.db.models.functions import Trunc, TruncDate

from moc.errors import UserError
from moc.reports import specs
from moc.reports.datasets import (
    CODE,
    DATE,
    DECIMAL,
    FLOAT,
    INTEGER,
    LIST,
    TEXT,
    Dataset,
    Head,
    Item,
    Ready,
    Result,
    source_of,
)
from moc.reports.specs import MEASURES, Group, Measure, Spec

MOST_ROWS_OF_GROUPS, CHUNK, NONE = 100_000, 5_000, "–"


class Percentile(Aggregate):
    """The value below which `p` percent of a group lie, interpolated (percentile_cont)."""

    function, output_field = "PERCENTILE_CONT", FloatField()
    template = "%(function)s(%(fraction)s) WITHIN GROUP (ORDER BY %(expressions)s)"

    def __init__(self, expression, p: int):
        super().__init__(expression, fraction=p / 100)


class Share(Func):
    """What a group's aggregate is of the sum over all groups, in percent."""

    output_field, arity = FloatField(), 1

    def as_sql(self, compiler, connection, **extra):
        inner, params = compiler.compile(self.source_expressions[0])
        return f"(100.0 * {inner} / NULLIF(SUM({inner}) OVER (), 0))::double precision", (*params, *params)


def compute(user, source: str, data: dict, *, limit: int | None = None) -> Result:
    """The result of a definition for a user: rows that the user may export, under the user's sight. `limit` ends a list early.

    Raises UserError for a definition that its dataset cannot answer.
    """
    found = source_of(source)
    if isinstance(found, Dataset):
        return of_dataset(user, found, specs.read(data, found), limit)
    if found.spec is not None:
        chosen = source_of(found.dataset)
        asked = found.asked(parameters(found, data.get("parameters") or {}))
        return of_dataset(user, chosen, specs.read(asked, chosen), limit)
    result = found.make(user, parameters(found, data.get("parameters") or {}))
    result.rows = islice(result.rows, limit) if limit else result.rows
    return result


def parameters(ready: Ready, given: dict) -> dict:
    """A ready-made report's parameters, typed, with defaults. Raises UserError (REPORT-PARAMETER) for one that it cannot read or lacks."""
    known = [each.name for each in ready.parameters]
    if given.get("as_of") and "as_of" not in known:
        raise UserError(f"“{ready.title}” shows what stands now only. {ready.undated}", "Leave as_of out.", "REPORT-PARAMETER")
    if unknown := sorted(set(given) - set(known)):
        raise UserError(f"“{ready.title}” has no parameter {unknown[0]}.", f"It has: {', '.join(known) or 'none'}.", "REPORT-PARAMETER")
    return {each.name: _parameter(each, given.get(each.name)) for each in ready.parameters}


def _parameter(parameter, given):
    if given in (None, ""):
        return parameter.default()
    try:
        read = {INTEGER: int, DATE: date.fromisoformat}.get(parameter.kind, str)
        found = read(str(given).strip())
        if (isinstance(found, int) and not 1900 <= found <= 2200) or "\0" in str(found):
            raise ValueError
        return found
    except ValueError:
        raise UserError(f"“{given}” is no {parameter.label.lower()}.", "Mend the parameter.", "REPORT-PARAMETER") from None


def of_dataset(user, dataset: Dataset, spec: Spec, limit: int | None = None) -> Result:
    """The rows listed, or grouped with their measures."""
    rows = filtered(dataset.visible(user, spec.moment, spec.valid_day), dataset, spec)
    return _grouped(rows, dataset, spec) if spec.group or spec.measures else _listed(rows, dataset, spec, limit)


def filtered(rows: QuerySet, dataset: Dataset, spec: Spec) -> QuerySet:
    """The rows that meet every filter."""
    for each in spec.filters:
        rows = rows.filter(specs.condition(dataset.item(each.item), each))
    return rows


def _listed(rows: QuerySet, dataset: Dataset, spec: Spec, limit: int | None) -> Result:
    items = [dataset.item(name) for name in spec.columns]
    order = [spec.sort] if spec.sort else []
    found = rows.order_by(*order, "pk").values_list(*[F(item.name) if item.expression else item.name for item in items])
    heads = [Head(item.label, TEXT if item.kind in (CODE, LIST) else item.kind) for item in items]
    labels = [item.labels() if item.labels else None for item in items]
    read = found[:limit] if limit else found.iterator(chunk_size=CHUNK)
    return Result(heads, (_labelled(row, labels) for row in read))


def _labelled(row: tuple, labels: list[dict | None]) -> tuple:
    return tuple(_words(value, names) if names else value for value, names in zip(row, labels, strict=True))


def _words(value, names: dict):
    return [names.get(part, part) for part in value] if isinstance(value, list) else names.get(value, value)


def groups(rows: QuerySet, dataset: Dataset, spec: Spec) -> QuerySet:
    """The one statement: keys g1, g2 … and measures m1, m2 … of each group."""
    keys = {f"g{number}": _key(dataset.item(group.item), group) for number, group in enumerate(spec.group, 1)}
    measures = {f"m{number}": _aggregate(each) for number, each in enumerate(spec.measures, 1)}
    if not keys:
        keys = {"g0": Func(template="(SELECT 1)", output_field=FloatField())}
    return rows.values(**keys).annotate(**measures).order_by().values_list(*[name for name in keys if name != "g0"], *measures)


def _key(item: Item, group: Group):
    if group.period == "day":
        return F(item.name) if item.kind == DATE else TruncDate(item.name)
    if group.period:
        return Trunc(item.name, group.period)
    return F(item.key or item.name)


def _aggregate(measure: Measure):
    if measure.of == "share":
        return Share(Sum(measure.item) if measure.item else Count("pk"))
    if measure.of == "percentile":
        return Percentile(measure.item, measure.p)
    if measure.of == "count":
        return Count(measure.item, distinct=True) if measure.item else Count("*")
    return {"sum": Sum, "average": Avg}[measure.of](measure.item)


def _grouped(rows: QuerySet, dataset: Dataset, spec: Spec) -> Result:
    found = list(groups(rows, dataset, spec)[: MOST_ROWS_OF_GROUPS + 1])
    if len(found) > MOST_ROWS_OF_GROUPS:
        raise UserError(f"There are more than {MOST_ROWS_OF_GROUPS:,} groups.", "Group by less, or filter first.", "REPORT-GROUPS")
    items = [dataset.item(group.item) for group in spec.group]
    named = list(_named(found, items, spec.group))
    _sort(named, spec)
    heads = [_group_head(item, group) for item, group in zip(items, spec.group, strict=True)]
    heads += [measure_head(dataset, measure) for measure in spec.measures]
    drawn = [(_label(row[: len(items)]), row[len(items)]) for row in named] if spec.chart else []
    return Result(heads, named, drawn=drawn, unit=heads[len(items)].label if spec.chart else "")


def _named(found: list[tuple], items: list[Item], by: tuple[Group, ...]) -> Iterator[list]:
    """The groups with names in the place of keys and codes, and days as days."""
    names = []
    for place, item in enumerate(items):
        if item.key:
            names.append(item.names({row[place] for row in found} - {None}))
        else:
            names.append(item.labels() if item.labels else None)
    for row in found:
        keys = [_words(value, known) if known else _day(value) for value, known in zip(row, names)]
        yield [*keys, *row[len(items) :]]


def _day(value):
    return value.date() if isinstance(value, datetime) else value


def _sort(rows: list[list], spec: Spec) -> None:
    """By the groups in turn; then by what was asked for. What is not known comes last."""
    rows.sort(key=lambda row: [(value is None, value) for value in row[: len(spec.group)]])
    name = spec.sort.lstrip("-")
    if name:
        texts = [group.text for group in spec.group]
        place = texts.index(name) if name in texts else len(texts) + int(name[1:]) - 1
        down = spec.sort.startswith("-")
        rows.sort(key=lambda row: ((row[place] is None) != down, row[place] if row[place] is not None else 0), reverse=down)


def _label(values: list) -> str:
    return ", ".join(NONE if value in (None, "") else str(value) for value in values)


def _group_head(item: Item, group: Group) -> Head:
    if group.period:
        return Head(f"{item.label}, {group.period}", DATE)
    return Head(item.label, item.kind if item.kind not in (CODE, LIST) else TEXT)


def measure_head(dataset: Dataset, measure: Measure) -> Head:
    """The column of a measure."""
    of = dataset.item(measure.item) if measure.item else None
    if measure.of == "count":
        return Head(f"Distinct: {of.label}" if of else "Count", INTEGER)
    if measure.of == "share":
        return Head(f"Share of {of.label if of else 'count'} (%)", FLOAT)
    if measure.of == "percentile":
        return Head(f"{of.label}, percentile {measure.p}", FLOAT)
    kind = of.kind if measure.of == "sum" else DECIMAL if of.kind == DECIMAL else FLOAT
    return Head(f"{MEASURES[measure.of]} of {of.label}", kind)
