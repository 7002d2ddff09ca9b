"""The numbers of a pass: the law of a day as expressions over rows, each row by its own market, utility and regulator.

So one rule is one pass over all rows, whatever the number of markets.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from django.db.models import Case, DecimalField, Func, Model, Q, QuerySet, TextField, Value, When
from django.db.models.expressions import Combinable
from django.utils import timezone

from moc import sight
from moc.access.models import Organization, Oversight
from moc.rulesets.law import Law
from moc.rulesets.models import RuleSet
from registry.catalogue.choices import Level
from registry.catalogue.models import GridService
from registry.jurisdictions.models import AnnualSales, RetailProgram
from registry.participants.models import UtilityPeriod, UtilityProfile

Rows = Callable[[type[Model]], QuerySet]


def every(model: type[Model]) -> QuerySet:
    """The records as they stand."""
    return model.objects.all()


@dataclass(frozen=True)
class Numbers:
    """The law of a day, and whom it is asked of: by column of a row (`edc_id` of DERs, `market_id` of offers), party → authorities."""

    law: Law
    authorities: dict[str, dict[int, tuple[str, ...]]]
    markets: dict[int, int]
    sales_mwh: dict[int, Decimal | None]
    programs: list[tuple[int, str, tuple[str, ...]]]  # (utility, program, the services that its terms bar)

    @classmethod
    @sight.engine()  # whose regulator oversees which utility is no secret, and a rule says the same whoever asks
    def on(cls, day: date, rows: Rows = every) -> "Numbers":
        """The numbers of a day; eight queries. A utility's sales are those of the last year before it that is known.

        `rows(model)` are the records that it is told by: those that stand, or the versions of a past moment."""
        slugs = dict(Organization.objects.filter(kind__in=("tso", "edc")).values_list("pk", "slug"))
        regulators: dict[int, list[str]] = {}
        for edc, slug in rows(Oversight).filter(overseer__kind="rerra").order_by("id").values_list("overseen_id", "overseer__slug"):
            regulators.setdefault(edc, []).append(slug)
        markets, sales = {}, {}
        for edc, tso, mwh in rows(UtilityProfile).values_list("edc_id", "tso_id", "annual_mwh"):
            sales[edc] = mwh
            markets[edc] = tso
        markets |= dict(rows(UtilityPeriod).filter(valid_during__contains=day).values_list("edc", "tso"))
        markets = {edc: tso for edc, tso in markets.items() if tso is not None}
        of_ders = {pk: (*([slugs[markets[pk]]] if pk in markets else []), slug, *regulators.get(pk, [])) for pk, slug in slugs.items()}
        sales |= dict(rows(AnnualSales).filter(year__lt=day.year).order_by("year").values_list("edc", "sales_mwh"))  # the last year wins
        of_markets = {pk: (slug,) for pk, slug in slugs.items()}
        law = Law.of(day, rows(RuleSet))
        return cls(law, {"edc_id": of_ders, "market_id": of_markets}, markets, sales, _terms(day, rows))

    def of_utility(self, keys: Iterable[str], edc: int) -> dict[str, object]:
        """The values of keys that a utility's computations need, by its market and regulator; None where a row says that there is no limit.

        Raises LookupError naming the rows that are missing: no number is guessed."""
        keys, authorities = list(keys), self.authorities["edc_id"].get(edc, ())
        if missing := [key for key in keys if self.law.row(key, *authorities) is None]:
            raise LookupError(f"No rule set row for {', '.join(missing)} on {self.law.day}. Run load_rulesets, or add it in the admin.")
        return {key: self.law.value(key, *authorities) for key in keys}

    def amended(self, row: RuleSet) -> "Numbers":
        """The same with one row of the law changed."""
        return replace(self, law=self.law.amended(row))

    def by_value(self, key: str, column: str) -> dict[str, tuple[object, list[int]]]:
        """The parties of a column by the value that holds for them: text of it → (value, ids); none where there is no limit."""
        found: dict[str, tuple[object, list[int]]] = {}
        for pk, authorities in self.authorities[column].items():
            value = self.law.value(key, *authorities)
            if value is not None:
                found.setdefault(str(value), (value, []))[1].append(pk)
        return found

    def limit(self, key: str, column: str) -> Combinable:
        """The number that holds for each row; NULL, which violates nothing, where there is none."""
        return self._case(key, column, _numeric, DecimalField())

    def text(self, key: str, column: str) -> Combinable:
        """The same as text, to be shown."""
        return self._case(key, column, lambda value: Value(shown(value)), TextField())

    def _case(self, key: str, column: str, made, output_field) -> Combinable:
        whens = [When(**{f"{column}__in": ids}, then=made(value)) for value, ids in self.by_value(key, column).values()]
        return Case(*whens, default=Value(None), output_field=output_field)

    def where(self, key: str, column: str, holds) -> Q:
        """The rows of parties for which a value of `key` stands that `holds(value)`; no row when there is none."""
        ids = [pk for value, found in self.by_value(key, column).values() if holds(value) for pk in found]
        return Q(**{f"{column}__in": ids})

    def small(self) -> Q:
        """DERs of utilities known to be small, whose regulator has not let them in."""
        ids = []
        for edc, mwh in self.sales_mwh.items():
            authorities = self.authorities["edc_id"].get(edc, ())
            bound = self.law.value("small_utility_mwh", *authorities)
            if mwh is not None and bound is not None and mwh <= Decimal(str(bound)):
                ids += [] if self.law.value("small_utility_opt_in", *authorities) else [edc]
        return Q(edc_id__in=ids)

    def services(self) -> list[tuple[int, int, str]]:
        """(utility, buyer, service): what DERs of a utility can sell to its RTO, and to the utility itself."""
        found = []
        for edc in self.authorities["edc_id"]:
            for buyer in filter(None, {self.markets.get(edc), edc}):
                found += [(edc, buyer, service) for service in self.bought(buyer, edc == buyer)]
        return found

    def bought(self, buyer: int, own: bool = False) -> list[str]:
        """The services that a market buys; a utility only what a row of its own names."""
        (slug,) = self.authorities["market_id"][buyer]
        if own and ("market_services", slug) not in self.law.rows:
            return []
        return self.law.value("market_services", slug) or []


def _numeric(value) -> Func:
    """A number of the type of the columns that it is held against: cast once, not in every row."""
    return Func(Value(Decimal(str(value))), template="%(expressions)s::numeric", output_field=DecimalField())


def _terms(day: date, rows: Rows) -> list[tuple[int, str, tuple[str, ...]]]:
    """The terms of retail programs in force on a day, as services that they bar: those that they pay for, or every wholesale one."""
    wholesale = tuple(rows(GridService).filter(status="in_force", level=Level.WHOLESALE).values_list("code", flat=True))
    programs = rows(RetailProgram).filter(status="in_force", valid_during__contains=day)
    programs = programs.values_list("edc", "code", "bars_wholesale", "pays_for")
    return [(edc, code, wholesale if bars else tuple(pays_for)) for edc, code, bars, pays_for in programs]


def shown(value) -> str:
    """A value of the law in words."""
    return ", ".join(map(str, value)) if isinstance(value, list | dict) else str(value)


_current: ContextVar[Numbers | None] = ContextVar("numbers", default=None)


@contextmanager
def taking(numbers: Numbers) -> Iterator[None]:
    """Rules inside take these numbers."""
    outer = _current.set(numbers)
    try:
        yield
    finally:
        _current.reset(outer)


def current() -> Numbers:
    """The numbers that rules take: those of `taking`, or of today."""
    return _current.get() or Numbers.on(timezone.localdate())
