"""Visibility that a regulator tightens: which fields are hidden from which kinds of party, for whose customers, from which day on.

A model names its `field_groups`, and `hidden_by`, the key (or a path from a key of its own) to the organisation whose regulator's word
counts: one that the regulator oversees, or an aggregator that it registers. `seen_by` are the paths to parties of a kind that see it
otherwise than by that key, for the preview. A model that tells single values of such fields names its columns with the field and its
value instead (`hidden_values`), and hides them whosever they are. Rows of the rule set `hidden_fields` say which groups are hidden from
whom: those of a regulator where it oversees, those of no authority everywhere; they add up. policy.py puts what is hidden from a user
into the sight that the database reads with (moc.database.compiler): so a hidden value is nothing in lists, pages, history, exports, API,
workplace and reports alike, and no filter, sort or sum finds it out. What was frozen as a dispute's evidence, or printed, stays as it
was.

The rows are read with a user's rights (sql/rights.sql).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache

from django.apps import apps
from django.db.models import Count, Model

from moc import sight
from moc.access.models import Organization, Oversight

KEY = "hidden_fields"
FROM = ("edc", "tso")  # who files a record, and whose it is, goes on to see what was filed; a group may say otherwise
Said = Mapping[str, Iterable[str]]  # "dataset.group" → kinds of party


@dataclass(frozen=True)
class FieldGroup:
    """Fields of a dataset that are hidden together; `dataset` is one word for all tables that hold the same facts."""

    dataset: str
    code: str
    title: str
    fields: tuple[str, ...]
    parties: tuple[str, ...] = FROM

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
    key, where = _key(model, where)
    history = getattr(model, "history", None)
    for table in [model._meta.db_table, *([history.model._meta.db_table] if history else [])]:
        for field in fields:
            found.setdefault((table, field.column), []).append(sight.Shield(key, where))


def _key(model: type[Model], where: frozenset[int] | None) -> tuple[str, frozenset[int] | None]:
    """The column by which rows are judged, and the keys in it of rows of some organisations: these themselves, or what is theirs."""
    own, _, path = model.hidden_by.partition("__")
    field = model._meta.get_field(own)
    if where is not None and path:
        where = frozenset(field.related_model._base_manager.filter(**{f"{path}__in": where}).values_list("pk", flat=True))
    return field.column, where


def _jurisdiction(authority: str) -> frozenset[int] | None:
    """The organisations that an authority oversees, and the aggregators that it registers; None for no authority: all."""
    if not authority:
        return None
    overseen = Oversight.objects.filter(overseer__slug=authority).values_list("overseen_id", flat=True)
    return frozenset(overseen.union(Organization.objects.filter(registration__rerra__slug=authority).values_list("pk", flat=True)))


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
    """The parties of some kinds with records of a group: each utility by its own, each RTO by those of the utilities that it oversees,
    others as the model's `seen_by` says."""
    counts: dict[str, dict[int, int]] = {}  # by kind where a path leads to it; by "" the organisations that the models name
    for model in tables():
        if group in model.field_groups and not hasattr(model, "hidden_values"):
            rows = model._base_manager.filter(**({} if where is None else {f"{model.hidden_by}__in": where})).order_by()
            paths = {kind: path for kind, path in getattr(model, "seen_by", {}).items() if kind in kinds}
            for kind, path in ({"": model.hidden_by} | paths).items():
                of_kind = counts.setdefault(kind, {})
                for pk, number in rows.exclude(**{path: None}).values_list(path).annotate(Count("pk", distinct=True)):
                    of_kind[pk] = of_kind.get(pk, 0) + number
    own = counts.pop("", {})
    seen = {pk: {pk} for pk in own}
    for overseer, overseen in Oversight.objects.filter(overseen__in=own).values_list("overseer_id", "overseen_id"):
        seen.setdefault(overseer, set()).add(overseen)
    records = {pk: sum(own[each] for each in among) for pk, among in seen.items()}
    found = []
    for kind in sorted(kinds):
        parties = Organization.objects.filter(pk__in=counts.get(kind, records), kind=kind).order_by("name")
        found += [Loss(group, party, len(group.fields), counts.get(kind, records)[party.pk]) for party in parties]
    return found
