"""What waits for a user: to-dos computed from the records, so that they resolve by themselves.

Slices declare queues in `queues.py`, found as Django's admin finds `admin.py`. The home page shows them with the first deadlines,
the navigation with their counts: all queues together are counted by one statement.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from django.conf import settings
from django.db.models import F, IntegerField, QuerySet, Value
from django.utils import timezone

from moc.apps import discover
from moc.intervals import day_bounds
from moc.portal.paging import merged

CAP, NAVIGATION_CAP, SHOWN = 1_000, 99, 10
NEAR = timedelta(days=5)


@dataclass(frozen=True)
class Item:
    """One thing that waits: which, where, and until when."""

    title: str
    url: str
    due: datetime | None = None

    @property
    def day(self) -> date | None:
        """The last local day: a deadline at midnight is the end of the day before."""
        return timezone.localdate(self.due - timedelta(microseconds=1)) if self.due else None

    @property
    def urgent(self) -> bool:
        """Whether the deadline is near or over."""
        return self.due is not None and self.due - timezone.now() < NEAR


@dataclass(frozen=True)
class Work:
    """One queue. `rows` wait, listed at `url`; the lookup `due` is their deadline; `item` makes (title, address) of the lookups `needs`.

    `hint` says what to do, `entry` names the navigation's entry that shows the count. `apart`: no to-do, only counted there.
    `name`, `count` (at most CAP) and `items` (the first due) are filled in here.
    """

    label: str
    url: str
    rows: QuerySet
    hint: str = ""
    order: int = 50
    due: str = ""
    needs: tuple[str, ...] = ()
    item: Callable[[dict], tuple[str, str]] | None = None
    entry: str = ""
    apart: bool = False
    name: str = ""
    count: int = 0
    items: tuple[Item, ...] = ()

    @property
    def urgent(self) -> bool:
        """Whether the first deadline is near or over."""
        return any(item.urgent for item in self.items)

    def first_due(self) -> tuple[Item, ...]:
        """The first few of those that wait, by deadline."""
        if self.item is None:
            return ()
        by = [self.due, "pk"] if self.due else ["pk"]
        rows = self.rows.order_by(*by).values(*self.needs, **({"due_": F(self.due)} if self.due else {}))[:SHOWN]
        return tuple(Item(*self.item(row), _moment(row.get("due_"))) for row in rows)


def _moment(due: date | datetime | None) -> datetime | None:
    """A deadline that is a day is its end."""
    return day_bounds(due, settings.TIME_ZONE)[1] if isinstance(due, date) and not isinstance(due, datetime) else due


_QUEUES: list[Callable] = []


def queue(function: Callable) -> Callable:
    """Declare a queue: function(user) → Work, or None for a user whom it does not concern. It costs no query: `rows` are not read yet."""
    _QUEUES.append(function)
    return function


def _declared(user) -> list[Work]:
    discover("queues")
    named = ((function.__module__.split(".")[-2], function.__name__, function(user)) for function in _QUEUES)
    return [replace(work, name=f"{slice_}.{name}") for slice_, name, work in named if work is not None]


def _counted(works: list[Work], cap: int) -> list[Work]:
    """The queues with their counts, each counted no further than `cap` + 1, in one statement."""
    parts = [
        work.rows.order_by().annotate(queue_=Value(number, output_field=IntegerField())).values_list("queue_")[: cap + 1]
        for number, work in enumerate(works)
    ]
    counts = Counter(number for (number,) in merged(parts)) if parts else {}
    return [replace(work, count=counts.get(number, 0)) for number, work in enumerate(works)]


def waiting_for(user) -> list[Work]:
    """The user's to-dos by queue with the first deadlines, urgent queues first."""
    works = _counted([work for work in _declared(user) if not work.apart], CAP)
    works = [replace(work, items=work.first_due()) if work.count else work for work in works]
    return sorted(works, key=lambda work: (not work.urgent, work.order, work.label))


def by_deadline(works: list[Work]) -> list[tuple[Work, Item]]:
    """(queue, item) of the first deadlines over all queues; what has none comes last."""
    found = [(work, item) for work in works for item in work.items]
    return sorted(found, key=lambda pair: (pair[1].due is None, pair[1].due or timezone.now(), pair[0].order, pair[1].title))[:SHOWN]


def counts_by_entry(user) -> dict[str, str]:
    """URL name of an entry of the navigation → how much waits there; nothing where nothing waits."""
    works = _counted([work for work in _declared(user) if work.entry], NAVIGATION_CAP)
    sums = Counter()
    for work in works:
        sums[work.entry] += work.count
    return {entry: f"{NAVIGATION_CAP}+" if count > NAVIGATION_CAP else str(count) for entry, count in sums.items() if count}
