"""What slices declare for reports, in `datasets.py`: sets of rows to build reports on, ready-made reports, duties and evidence.

All of them are asked with a user: rows are scoped by policy.py, under the user's sight. A declaration costs no query.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import cache, cached_property

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Model, QuerySet

from moc.access import policy
from moc.apps import discover
from moc.errors import UserError
from moc.history import keeps_versions, recorded_at
from moc.intervals import day_bounds
from moc.portal.moments import VALID_TIME, has_valid_time, moment_of

PERMISSION = "export"  # of the rows that a report shows
TEXT, CODE, INTEGER, DECIMAL, FLOAT, DATE, MOMENT, BOOLEAN, LIST = "text code integer decimal float date moment boolean list".split()
NUMBERS = frozenset({INTEGER, DECIMAL, FLOAT})
DAYS = frozenset({DATE, MOMENT})


class NoSuch(UserError):
    """A report names a dataset, or a column of it, that there is not (any more)."""

    code = "REPORT-UNKNOWN"


@dataclass(frozen=True)
class Item:
    """One column of a dataset: a lookup of its model, or an `expression` under the name, of the moment asked for (None: now); `labels` says
    what codes are called.

    One that leads to the name of another record (`edc__name`) is grouped by that record's key: two of one name stay two.
    """

    name: str
    label: str
    kind: str
    labels: Callable[[], dict] | None = None
    expression: Callable[[datetime | None], object] | None = None
    key: str = ""
    of: type[Model] | None = None

    @property
    def groups(self) -> bool:
        """Whether rows can be grouped by it."""
        return self.kind in {TEXT, CODE, DATE, MOMENT, BOOLEAN, INTEGER}

    def names(self, keys: Iterable) -> dict:
        """key → what it is called, for an item that is grouped by a key."""
        last = self.name.rpartition("__")[2]
        return dict(self.of._base_manager.filter(pk__in=keys).values_list("pk", last))


def _end(model: type[Model], lookup: str) -> tuple[models.Field, str, type[Model] | None]:
    """(the field at the end of a lookup, the key before it, the model that the key names)"""
    *path, last = lookup.split("__")
    owner, key = model, []
    for step in path:
        found = owner._meta.get_field(step)
        if found.related_model is None:  # an end of a range
            return found.base_field, "", None
        key.append(step)
        owner = found.related_model
    simple = bool(path) and all(model_field.concrete for model_field in _steps(model, path))
    return owner._meta.get_field(last), f"{'__'.join(key)}_id" if simple else "", owner if simple else None


def _steps(model: type[Model], path: list[str]) -> list:
    found = []
    for step in path:
        found.append(model._meta.get_field(step))
        model = found[-1].related_model
    return found


def _kind(found: models.Field) -> str:
    kinds = (
        (ArrayField, LIST),
        (models.BooleanField, BOOLEAN),
        (models.IntegerField, INTEGER),
        (models.DecimalField, DECIMAL),
        (models.FloatField, FLOAT),
        (models.DateTimeField, MOMENT),
        (models.DateField, DATE),
    )
    return next((kind for cls, kind in kinds if isinstance(found, cls)), CODE if found.flatchoices else TEXT)


@dataclass(frozen=True)
class Dataset:
    """Rows of a model within the asker's scope. `columns` are lookups, (lookup, label) pairs or Items; `rows` narrows them beforehand.

    A recorded model, and one that is only added to, can be asked as recorded at a past moment; records that hold during days as valid on
    one of them.
    """

    code: str
    title: str
    about: str
    model: type[Model]
    columns: tuple
    rows: Callable[[QuerySet], QuerySet] | None = None

    @property
    def keeps_versions(self) -> bool:
        """Whether it can be asked as recorded at a moment."""
        return keeps_versions(self.model)

    @property
    def has_valid_time(self) -> bool:
        """Whether it can be asked as valid on a day."""
        return has_valid_time(self.model)

    @cached_property
    def items(self) -> dict[str, Item]:
        """The columns by name."""
        return {each.name: each for each in map(self._item, self.columns)}

    def _item(self, column) -> Item:
        if isinstance(column, Item):
            return column
        name, label = column if isinstance(column, tuple) else (column, "")
        found, key, of = _end(self.model, name)
        label = label or str(found.verbose_name)
        held = getattr(found, "base_field", found)
        labels = (lambda: dict(held.flatchoices)) if held.flatchoices else None
        return Item(name, label[:1].upper() + label[1:], _kind(found), labels, key=key if _kind(found) == TEXT else "", of=of)

    def item(self, name: str) -> Item:
        """A column by its name; raises NoSuch."""
        try:
            return self.items[name]
        except KeyError:
            raise NoSuch(f"{self.title} has no column “{name}”.", f"Choose from {', '.join(self.items)}.") from None

    def visible(self, user, moment: datetime | None = None, valid_on: date | None = None) -> QuerySet:
        """The rows that the user may export, now or as recorded at a moment, all or those that hold on a day, with the computed columns
        by name."""
        found = recorded_at(self.model, moment) if moment else self.model._default_manager.order_by()
        found = found.filter(**{f"{VALID_TIME}__contains": valid_on}) if valid_on else found
        found = policy.scope(self.rows(found) if self.rows else found, user, PERMISSION)
        return found.alias(**{each.name: each.expression(moment) for each in self.items.values() if each.expression})


@dataclass(frozen=True)
class Parameter:
    """What a ready-made report asks for: a year, a state, a day."""

    name: str
    label: str
    kind: str
    default: Callable[[], object]


AS_OF = Parameter("as_of", "As recorded at the end of (empty: now)", DATE, lambda: None)


def recorded(model: type[Model], asked: dict) -> QuerySet:
    """The rows that a ready-made report is made of: as they stand, or as recorded at the end of the day of its parameter `as_of`."""
    day = asked.get("as_of")
    if day is None:
        return model.objects.all()
    moment = moment_of(day.isoformat())
    if moment is None:
        raise UserError("The report cannot be asked as of that day.", "Give a day that is past, or none.", "REPORT-PARAMETER")
    return recorded_at(model, moment)


@dataclass(frozen=True)
class Head:
    """A column of a result; `unverified`: no source was read for it."""

    label: str
    kind: str = TEXT
    unverified: bool = False

    @property
    def title(self) -> str:
        """The label as it is written."""
        return f"{self.label} (unverified)" if self.unverified else self.label


@dataclass
class Result:
    """A table that a report gives: heads, rows of values, and how it is drawn: (label of a row, value) pairs with their unit."""

    heads: list[Head]
    rows: Iterable
    notes: tuple[str, ...] = ()
    drawn: list[tuple] = field(default_factory=list)
    unit: str = ""


@dataclass(frozen=True)
class Ready:
    """A ready-made report: a `spec` over a dataset, or a function(user, parameters) that makes the Result.

    One with a spec can be asked as recorded at a moment if its dataset can. `undated` says why one that cannot, cannot.
    """

    code: str
    title: str
    about: str
    cites: str = ""
    parameters: tuple[Parameter, ...] = ()
    make: Callable[[object, dict], Result] | None = None
    dataset: str = ""
    spec: dict | None = None
    undated: str = ""

    def asked(self, parameters: dict) -> dict:
        """The spec as the parameters ask for it."""
        return self.spec | {name: day.isoformat() for name, day in parameters.items() if day is not None}


@dataclass(frozen=True)
class Duty:
    """One thing that a party owes by a day: what was filed and its receipt, once there is one."""

    party: str
    what: str
    cites: str
    due: date
    filed: datetime | None = None
    receipt: str = ""
    url: str = ""


@dataclass(frozen=True)
class Evidence:
    """What shows that a paragraph is met: how many records, the last event, and where they are."""

    what: str
    rows: QuerySet
    at: str
    url: str = ""


_DATASETS: dict[str, Dataset] = {}
_READY: dict[str, Ready] = {}
_DUTIES: list[Callable[[object, date, date], Iterable[Duty]]] = []
_EVIDENCE: dict[str, list[Callable[[object], Evidence]]] = {}


@cache
def _declared() -> None:
    """Every slice's declarations, read once; what a spec is asked of is known only then."""
    discover("datasets")
    for code, each in _READY.items():
        if each.spec is not None and _DATASETS[each.dataset].keeps_versions:
            _READY[code] = replace(each, parameters=(AS_OF,))
        elif each.spec is not None:
            _READY[code] = replace(each, undated=f"{_DATASETS[each.dataset].title}: these records keep no versions.")


def dataset(code: str, title: str, model: type[Model], *columns, about: str = "", **how) -> Dataset:
    """Declare a dataset."""
    _DATASETS[code] = Dataset(code, title, about, model, columns, **how)
    return _DATASETS[code]


def ready(code: str, title: str, about: str, **how) -> Callable:
    """Declare a ready-made report: with a `spec` at once, else as a decorator of its function(user, parameters)."""
    if "spec" in how:
        _READY[code] = Ready(code, title, about, **how)
        return _READY[code]

    def declare(make: Callable) -> Callable:
        _READY[code] = Ready(code, title, about, make=make, **how)
        return make

    return declare


def duties(function: Callable) -> Callable:
    """Declare duties: function(user, first day, last day) → Duty rows within the user's scope."""
    _DUTIES.append(function)
    return function


def due_within(field: str, first: date, last: date) -> dict[str, datetime]:
    """The filter of deadlines whose last day is one of these: a deadline at midnight is the end of the day before."""
    return {f"{field}__gt": day_bounds(first, settings.TIME_ZONE)[0], f"{field}__lte": day_bounds(last, settings.TIME_ZONE)[1]}


def evidence(*paragraphs: str) -> Callable:
    """Declare evidence for paragraphs of Order 2222: function(user) → Evidence within the user's scope."""

    def declare(function: Callable) -> Callable:
        for paragraph in paragraphs:
            _EVIDENCE.setdefault(paragraph, []).append(function)
        return function

    return declare


def all_datasets() -> dict[str, Dataset]:
    """Every declared dataset by code, in the order of their titles."""
    _declared()
    return dict(sorted(_DATASETS.items(), key=lambda pair: pair[1].title))


def all_ready() -> dict[str, Ready]:
    """Every ready-made report by code, in the order of their titles."""
    _declared()
    return dict(sorted(_READY.items(), key=lambda pair: pair[1].title))


def all_duties(user, first: date, last: date) -> list[Duty]:
    """The duties of all slices that fall due on some days, first due first."""
    _declared()
    found = [duty for function in _DUTIES for duty in function(user, first, last)]
    return sorted(found, key=lambda duty: (duty.due, duty.party, duty.what))


def evidence_of(paragraph: str, user) -> list[Evidence]:
    """What all slices show for a paragraph."""
    _declared()
    return [function(user) for function in _EVIDENCE.get(paragraph, ())]


def source_of(code: str) -> Dataset | Ready:
    """The dataset or ready-made report of a code; raises NoSuch."""
    found = all_datasets().get(code) or all_ready().get(code)
    if found is None:
        raise NoSuch(f"There is no dataset or report “{code}”.", "Choose one from the list of reports.")
    return found
