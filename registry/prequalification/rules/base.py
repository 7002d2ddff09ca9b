"""A rule of qualification: which rows break it for which service, as conditions; a rule of the one engine with its numbers beside it."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce, wraps
from operator import or_

from django.contrib.postgres.fields import ArrayField
from django.db.models import BooleanField, Case, Expression, Func, Q, QuerySet, TextField, Value, When

from moc import rules
from moc.rules import Rule
from registry.prequalification.rules import numbers

ALL = "*"
Conditions = dict[str, Q]


@dataclass(frozen=True)
class Test:
    """A rule with what it asks: `keys` are the rule set keys that it takes numbers from, the first is shown beside the row's own."""

    rule: Rule
    conditions: Callable[[], Conditions]
    keys: tuple[str, ...]
    party: str

    def limit(self) -> Expression:
        """The rule's number for each row, as text."""
        return numbers.current().text(self.keys[0], self.party) if self.keys else Value("", output_field=TextField())

    def barred(self, conditions: Conditions) -> Expression:
        """The services that a violating row is barred from; NULL for all."""
        if set(conditions) <= {ALL}:
            return Value(None, output_field=ArrayField(TextField()))
        named = [
            Case(When(when, then=Value(service)), default=Value(None), output_field=TextField()) for service, when in conditions.items()
        ]
        return Func(
            Func(*named, template="ARRAY[%(expressions)s]", output_field=ArrayField(TextField())),
            Value(None, output_field=TextField()),
            function="array_remove",
            output_field=ArrayField(TextField()),
        )


def any_of(conditions: Conditions) -> Q:
    """Rows that violate for any service."""
    return reduce(or_, conditions.values(), Q(pk__in=[]))


def holds(when: Q) -> Case:
    """Whether a condition holds of a row: unknown is no."""
    return Case(When(when, then=Value(True)), default=Value(False), output_field=BooleanField())


DERS: list[Test] = []
OFFERS: list[Test] = []


def on(
    tests: list[Test], code: str, *, keys: tuple[str, ...] = (), remedy: str, columns: tuple[str, ...], cites: str
) -> Callable[[Callable[[], Conditions | Q]], Test]:
    """Register a rule on DERs or on offers: a function of no arguments → the condition, or conditions by service, under the numbers
    that are being taken; its docstring is the sentence shown to users."""

    def decorate(function: Callable[[], Conditions | Q]) -> Test:
        def conditions() -> Conditions:
            found = function()
            return found if isinstance(found, dict) else {ALL: found}

        @wraps(function)
        def violating(rows: QuerySet) -> QuerySet:
            return rows.filter(any_of(conditions()))

        rule = rules.rule(code, remedy=remedy, columns=columns, cites=cites)(violating)
        made = Test(rule, conditions, keys, "edc_id" if tests is DERS else "market_id")
        tests.append(made)
        return made

    return decorate
