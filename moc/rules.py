"""A rule is a code, a sentence and a citation over whole columns: queryset in, violating queryset out.

A rule whose violation one row decides is a condition (`Q`); all conditions of a check are evaluated in one pass over the rows.
A rule over several rows is a function from a queryset to the violating queryset. Both say the same for one row and for a million.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import reduce
from operator import or_

from django.db.models import DecimalField, Expression, F, Func, Q, QuerySet, TextField, Value
from django.db.models.functions import Cast, Coalesce

ERROR, WARNING = "error", "warning"
registry: dict[str, "Rule"] = {}


@dataclass(frozen=True)
class Rule:
    """One check. `sentence` and `remedy` are shown to users; `columns` are the fields it is about, the first one is blamed."""

    code: str
    sentence: str
    remedy: str
    columns: tuple[str, ...]
    cites: str
    severity: str
    condition: Q | None = None
    function: Callable[[QuerySet], QuerySet] | None = None

    do_not_call_in_templates = True

    def __call__(self, rows: QuerySet) -> QuerySet:
        """The rows that violate the rule."""
        if self.condition is not None:
            return rows.filter(self.condition)
        return self.function(rows)

    @property
    def over_rows(self) -> bool:
        """True for a rule that can be asked of rows; a `reading` rule is found while a file is read."""
        return self.condition is not None or self.function is not None

    @property
    def column(self) -> str:
        return self.columns[0] if self.columns else ""


@dataclass(frozen=True)
class Violation:
    """One row that violates one rule, with the value as the row holds it; empty where it holds none."""

    pk: int
    rule: Rule
    value: str


def condition(
    code: str, violated_when: Q, sentence: str, *, remedy: str, columns: tuple[str, ...], cites: str = "", severity: str = ERROR
) -> Rule:
    """Register a rule that one row decides: it is violated when the condition holds (never when the condition is unknown)."""
    return _register(Rule(code, sentence, remedy, columns, cites, severity, condition=violated_when))


def rule(code: str, *, remedy: str, columns: tuple[str, ...], cites: str = "", severity: str = ERROR):
    """Register a function queryset → violating queryset as a rule; its docstring is the sentence shown to users."""

    def decorate(function: Callable[[QuerySet], QuerySet]) -> Rule:
        sentence = " ".join((function.__doc__ or "").split())
        return _register(Rule(code, sentence, remedy, columns, cites, severity, function=function))

    return decorate


def reading(code: str, sentence: str, *, remedy: str, columns: tuple[str, ...] = (), cites: str = "", severity: str = ERROR) -> Rule:
    """Register what is found while values are read, before there is a typed row to ask."""
    return _register(Rule(code, sentence, remedy, columns, cites, severity))


def _register(made: Rule) -> Rule:
    if made.code in registry or not made.sentence or not made.remedy:
        raise ValueError(f"Rule {made.code} is registered twice, or lacks a sentence or a remedy")
    registry[made.code] = made
    return made


def value_of(rule_: Rule, model) -> Expression:
    """What the row holds in the blamed column, as text; numbers without the zeros that the column's scale adds.

    A column that the table does not have, because it is personal and sealed elsewhere, shows nothing.
    """
    nothing = Value("", output_field=TextField())
    if rule_.column not in {field.name for field in model._meta.concrete_fields}:
        return nothing
    value = F(rule_.column)
    if isinstance(model._meta.get_field(rule_.column), DecimalField):
        value = Func(value, function="trim_scale", output_field=DecimalField())
    return Coalesce(Cast(value, TextField()), nothing)


def violations(rows: QuerySet, rules: Iterable[Rule]) -> Iterator[QuerySet]:
    """For each rule a values_list queryset (row, code, severity, column, value), to be inserted as a set or read."""
    for each in rules:
        yield (
            each(rows)
            .order_by()
            .annotate(
                rule_code=Value(each.code, output_field=TextField()),
                rule_severity=Value(each.severity, output_field=TextField()),
                rule_column=Value(each.column, output_field=TextField()),
                rule_value=value_of(each, rows.model),
            )
            .values_list("pk", "rule_code", "rule_severity", "rule_column", "rule_value")
        )


def suspects(rows: QuerySet, rules: Iterable[Rule]) -> QuerySet:
    """The rows that violate at least one condition: the one pass over the many good rows that precedes the rules one by one."""
    return rows.filter(reduce(or_, (each.condition for each in rules if each.condition is not None), Q()))


def check(rows: QuerySet, rules: Iterable[Rule]) -> list[Violation]:
    """All violations of a small set, in rule order; large sets use `violations` inside an INSERT … SELECT."""
    return [Violation(pk, registry[code], value) for query in violations(rows, rules) for pk, code, _, _, value in query]
