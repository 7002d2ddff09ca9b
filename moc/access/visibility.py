"""Visibility that a regulator tightens: which fields are hidden from which kinds of party, for whose customers, from which day on.

A model names its `field_groups`, and `hidden_by`, the key to the organisation whose regulator's word counts; one that tells single
values of such fields names its columns with the field and its value instead (`hidden_values`), and hides them whosever they are. Rows of
the rule set `hidden_fields` say which groups are hidden from whom: those of a regulator where it oversees, those of no authority
everywhere; they add up. policy.py puts what is hidden from a user into the sight that the database reads with (moc.database.compiler):
so a hidden value is nothing in lists, pages, history, exports, API, workplace and reports alike, and no filter, sort or sum finds it out.
What was frozen as a dispute's evidence, or printed, stays as it was.

The rows are read by the name of their model: rule sets stand above access.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache

from django.apps import apps
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Count, Model, QuerySet
from django.db.models.functions import JSONObject
from django.utils import timezone

from moc import sight
from moc.access.models import Organization, Oversight

KEY = "hidden_fields"
FROM = ("edc", "tso")  # who files a record, and whose it is, goes on to see what was filed
Said = Mapping[str, Iterable[str]]  # "dataset.group" → kinds of party


@dataclass(frozen=True)
class FieldGroup:
    """Fields of a dataset that are hidden together; `dataset` is one word for all tables that hold the same facts."""

    dataset: str
    code: str
    title: str
    fields: tuple[str, ...]

    @property
    def name(self) -> str:
        """As rule sets name it."""
        return f"{self.dataset}.{self.code}"


@cache
def tables() -> tuple[type[Model], ...]:
    """The models with groups of fields that may be hidden."""
    return tuple(model for model in apps.get_models() if getattr(model, "field_groups", ()) and not hasattr(model, "instance_type"))


@cache
def groups() -> dict[str, FieldGroup]:
    """Every group that may be hidden, by name."""
    return {group.name: group for model in tables() for group in model.field_groups}


def rows_on(day) -> QuerySet:
    """The rule set rows in force on a day."""
    return apps.get_model("moc", "RuleSet").objects.filter(key=KEY, valid_during__contains=day).order_by("authority")


def said_today() -> ArraySubquery:
    """[{authority, value}] in force, to be asked together with something else: every request needs it."""
    return ArraySubquery(rows_on(timezone.localdate()).values(said=JSONObject(authority="authority", value="value")))


def hidden_from(kinds: Iterable[str], said: list[dict]) -> sight.Hidden:
    """What rows of the law hide from members of organisations of some kinds."""
    found: dict[tuple[str, str], list[sight.Shield]] = {}
    kinds = set(kinds)
    for row in said:
        named = {name for name, parties in row["value"].items() if kinds & set(parties)} & groups().keys()
        if not named:
            continue
        where = _jurisdiction(row["authority"])
        for model in tables():
            _hide(found, model, named, where)
    return {place: tuple(shields) for place, shields in found.items()}


def _hide(found: dict, model: type[Model], named: set[str], where: frozenset[int] | None) -> None:
    """One model's part; its versions hide the same."""
    names = [name for group in model.field_groups if group.name in named for name in group.fields]
    if hasattr(model, "hidden_values"):
        field, value = model.hidden_values
        found.setdefault((model._meta.db_table, value), []).append(sight.Shield(field, frozenset(names), "text"))
        return
    fields = [model._meta.get_field(name) for name in names]
    key = model._meta.get_field(model.hidden_by).column
    history = getattr(model, "history", None)
    for table in [model._meta.db_table, *([history.model._meta.db_table] if history else [])]:
        for field in fields:
            found.setdefault((table, field.column), []).append(sight.Shield(key, where))


def _jurisdiction(authority: str) -> frozenset[int] | None:
    """The organisations that an authority oversees; None for no authority: all."""
    if not authority:
        return None
    return frozenset(Oversight.objects.filter(overseer__slug=authority).values_list("overseen_id", flat=True))


@dataclass(frozen=True)
class Loss:
    """What a party would no longer see, or see again: how many fields of how many records."""

    group: FieldGroup
    party: Organization
    fields: int
    records: int


@sight.engine()
def preview(authority: str, before: Said, after: Said) -> dict[str, list[Loss]]:
    """{"hidden": …, "shown": …}: who would lose sight of what, and who would see it again, if one row took another's place."""
    return {"hidden": _losses(authority, after, before), "shown": _losses(authority, before, after)}


def _losses(authority: str, said: Said, beside: Said) -> list[Loss]:
    where, found = _jurisdiction(authority), []
    for name, parties in sorted(said.items()):
        new = set(parties) - set(beside.get(name, ()))
        if name in groups() and new:
            found += _of_group(groups()[name], new, where)
    return found


def _of_group(group: FieldGroup, kinds: set[str], where: frozenset[int] | None) -> list[Loss]:
    """The parties of some kinds with records of a group: each utility by its own, each RTO by those of the utilities that it oversees."""
    counts: dict[int, int] = {}
    for model in tables():
        if group in model.field_groups and not hasattr(model, "hidden_values"):
            rows = model._base_manager.filter(**({} if where is None else {f"{model.hidden_by}__in": where}))
            for pk, number in rows.order_by().values_list(model.hidden_by).annotate(Count("pk")):
                counts[pk] = counts.get(pk, 0) + number
    seen = {pk: {pk} for pk in counts}
    for overseer, overseen in Oversight.objects.filter(overseen__in=counts).values_list("overseer_id", "overseen_id"):
        seen.setdefault(overseer, set()).add(overseen)
    parties = Organization.objects.filter(pk__in=seen, kind__in=kinds).order_by("kind", "name")
    return [Loss(group, party, len(group.fields), sum(counts[pk] for pk in seen[party.pk])) for party in parties]
