"""The workplace's front page: figures that cost nothing at a million rows, and what changed lately."""

from dataclasses import dataclass
from datetime import datetime

from django.contrib import admin
from django.db.models import Subquery
from django.utils.text import capfirst

from moc.access import policy
from moc.access.models import User
from moc.admin.site import Line, panel
from moc.bulk import known_rows
from moc.portal import paging

WINDOW, SHOWN = 500, 12
VERBS = {"+": "added", "~": "changed", "-": "removed"}


@dataclass(frozen=True)
class Figure:
    """How many records of a kind the user reaches; `roughly` when estimated, `more` when counting stopped at the cap."""

    label: str
    count: int
    url: str
    roughly: bool = False
    more: bool = False


def figures(user) -> list[Figure]:
    """The head counts of the kinds that are declared `headline`."""
    shown = [one for one in admin.site._registry.values() if one.headline and policy.allows(user, one.view_permission)]
    if not shown:
        return []
    estimates = known_rows(one.model for one in shown)
    return [_figure(user, one, estimates[one.model]) for one in sorted(shown, key=lambda one: one.headline)]


def _figure(user, one, estimate: int) -> Figure:
    label, url = capfirst(one.opts.verbose_name_plural), one.address("changelist")
    branches = policy.branches(one.model, user, one.view_permission)
    counted = paging.count_up_to(one.model._default_manager.order_by(), branches)
    if counted <= paging.COUNT_CAP:
        return Figure(label, counted, url)
    if branches is None and estimate > paging.COUNT_CAP:
        return Figure(label, estimate, url, roughly=True)
    return Figure(label, paging.COUNT_CAP, url, more=True)


@dataclass
class Change:
    """What one transaction did to one kind of record, among its latest versions."""

    when: datetime
    who: int | None
    why: str
    verb: str
    kind: str
    count: int
    url: str
    more: bool = False


@panel("Recent changes", order=90, empty="Nothing has changed yet.")
def recent_changes(user) -> list[Line]:
    """The newest changes that the user may see, one line for each transaction and kind of record."""
    changes = sorted((change for one in admin.site._registry.values() for change in _changes(user, one)), key=lambda each: each.when)
    latest = changes[: -SHOWN - 1 : -1]
    names = User.objects.in_bulk({change.who for change in latest if change.who})
    return [
        Line(
            text=f"{_count(change)} {change.kind} {change.verb}",
            url=change.url,
            note=f"{names.get(change.who) or 'the system'}: {change.why}",
            moment=change.when,
        )
        for change in latest
    ]


def _count(change: Change) -> str:
    return f"{change.count:,}{' or more' if change.more else ''}"


def _changes(user, one) -> list[Change]:
    if not one.recorded or not policy.allows(user, one.view_permission):
        return []
    versions = one.model.history.model
    newest = versions.objects.order_by("-history_id").values("history_id")[:1]
    window = versions.objects.filter(history_id__gt=Subquery(newest) - WINDOW)
    key = one.opts.pk.attname
    rows = policy.scope(window, user, one.view_permission).order_by("-history_id")
    names = ("transaction_id", "history_type", "history_date", "history_change_reason", "history_user_id", key)
    found: dict[tuple, Change] = {}
    seen = list(rows.values_list(*names))
    for transaction, kind, when, why, who, pk in seen:
        change = found.setdefault((transaction, kind), _change(one, kind, when, why, who, pk))
        change.count += 1
        if change.count == 2:
            change.kind, change.url = str(one.opts.verbose_name_plural), one.address("changelist")
    if len(seen) == WINDOW:
        list(found.values())[-1].more = True
    return list(found.values())


def _change(one, kind: str, when, why, who, pk) -> Change:
    url = one.address("history", pk)
    return Change(when, who, why or "", VERBS[kind], str(one.opts.verbose_name), 0, url)
