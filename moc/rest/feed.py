"""The feed of changes: first every record within the reader's scope, then whatever changed, in the order of transactions, for ever.

A reader keeps a copy in step by following `next`: a record that is present replaces the copy's, one that is gone is removed from it.
Nothing is missed: what the first pages could not see yet was written by transactions that were open when they began, and the feed goes
on there; it stops before the oldest transaction still open, and orders by transaction, so that a late commit is never passed over.
Each page costs the same: windows of an index (transaction, version), whatever the length of history.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from django.db.models import Expression, F, IntegerField, Model, OuterRef, Q, Subquery, Value

from moc import sight
from moc.access import policy
from moc.errors import Conflict
from moc.history import horizon
from moc.portal import paging
from moc.sealed import mark, seal, unseal

EXAMINED = 5_000  # versions of anybody's records that one page looks through at most
BY_KEY = paging.Sort("id", ("id",))
PURPOSE = "feed"
GONE, PRESENT = "gone", "present"


class OutOfScope(Conflict):
    """What the reader may see has changed since the cursor was given: records came and went without a change of their own."""

    code = "FEED-SCOPE"

    def __init__(self):
        super().__init__("What you may see has changed since this cursor was given.", "Start again without after, into an empty copy.")


@dataclass(frozen=True)
class Kind:
    """A kind of record in the feed. `touched_by`: (model, its key of the record) whose changes change who sees the record.

    `below` are lists of the record's resource that come into sight with it, without changes of their own: the reader reads them anew.
    """

    name: str
    model: type[Model]
    serializer: type
    touched_by: tuple[tuple[type[Model], str], ...] = ()
    below: tuple[str, ...] = ()

    @property
    def sources(self) -> list[tuple["Kind", type[Model], str]]:
        """(kind, versions, their key of the record)"""
        own = (self.model, self.model._meta.pk.attname)
        return [(self, model.history.model, key) for model, key in (own, *self.touched_by)]


class Position(NamedTuple):
    """Where the feed goes on: after a version of a source; before that, among the records of a `kind` (from 0 on) after a `cursor`."""

    transaction: int
    source: int
    version: int
    kind: int = -1
    cursor: str = ""


class Entry(NamedTuple):
    """A version that the feed has come to: its place, the source, and the record that it is of."""

    transaction: int
    source: int
    version: int
    record: int


@dataclass
class Page:
    """What one request answers: the entries as they are sent, where to go on, and whether there is more now."""

    results: list[dict]
    position: Position
    more: bool


class Feed:
    """The feed of some kinds for one user."""

    def __init__(self, kinds: list[Kind], user, permission: str = "view_registry"):
        self.kinds, self.user, self.permission = kinds, user, permission
        self.sources = [source for kind in kinds for source in kind.sources]

    def scope_mark(self) -> str:
        """Stands for what the user may see, and the kinds asked for."""
        reach = sorted(policy.reach(self.user, self.permission))
        return mark([self.user.pk, reach, [kind.name for kind in self.kinds]], PURPOSE)

    def encode(self, position: Position) -> str:
        """The cursor of a position, of this user's scope."""
        return seal([self.scope_mark(), *position], PURPOSE)

    def decode(self, cursor: str) -> Position | None:
        """The position of a cursor; None for one that nobody was given. Raises OutOfScope."""
        found = unseal(cursor, PURPOSE)
        if found is None:
            return None
        if found[0] != self.scope_mark():
            raise OutOfScope
        return Position(*found[1:])

    def page(self, position: Position | None, size: int) -> Page:
        """At most `size` entries from a position on; from the beginning without one."""
        if position is None:
            position = Position(horizon() - 1, len(self.sources), 0, 0)
        return self._present(position, size) if position.kind >= 0 else self._changed(position, size)

    def _present(self, position: Position, size: int) -> Page:
        """Records as they stand, kind by kind, by key."""
        kind = self.kinds[position.kind]
        branches = policy.branches(kind.model, self.user, self.permission)
        found = paging.find(kind.model.objects.all(), branches, BY_KEY, size, after=position.cursor)
        laid = self._laid(kind, found.keys)
        results = [_entry(kind, key, laid[key]) for key in found.keys if key in laid]
        if found.following:
            return Page(results, position._replace(cursor=found.following), True)
        last = position.kind + 1 == len(self.kinds)
        return Page(results, position._replace(kind=-1 if last else position.kind + 1, cursor=""), True)

    def _changed(self, position: Position, size: int) -> Page:
        """What changed after a position: pieces of at most `size` versions, until the page is full or enough was looked at."""
        before, results, sent = horizon(), [], set()
        for _ in range(max(EXAMINED // size, 1)):
            piece = self._piece(position, before, size)
            for at, told in self._told(piece, sent):
                position = at
                results += told
                if len(results) == size:
                    return Page(results, position, True)
            if len(piece) < size:
                return Page(results, position, False)
        return Page(results, position, True)

    @sight.engine()  # places of versions only; what is sent is read with the user's own sight
    def _piece(self, position: Position, before: int, size: int) -> list[Entry]:
        """The next versions of anybody's records, in order, of transactions that have ended."""
        parts = []
        for number, (_, versions, key) in enumerate(self.sources):
            rows = versions.objects.filter(_after(position, number, versions), transaction_id__lt=before)
            place = Value(number, output_field=IntegerField())
            rows = rows.order_by("transaction_id", "history_id").annotate(source_=place, record_=F(key))
            parts.append(rows.values_list("transaction_id", "source_", "history_id", "record_")[:size])
        return sorted(Entry(*row) for row in paging.merged(parts))[:size]

    def _told(self, piece: list[Entry], sent: set) -> Iterator[tuple[Position, list[dict]]]:
        """(place, what is sent there) of each version: each record once a page, as it stands now."""
        laid, lost, new = self._judged(piece)
        for entry in piece:
            kind, _, _ = self.sources[entry.source]
            record, told = (kind.name, entry.record), []
            if record not in sent and (content := laid[kind.name].get(entry.record)):
                told = [_entry(kind, entry.record, content, entry.version in new[entry.source])]
            elif record not in sent and entry.version in lost[entry.source]:
                told = [_gone(kind, entry.record, lost[entry.source][entry.version])]
            sent |= {record} if told else set()
            yield Position(*entry[:3]), told

    def _judged(self, piece: list[Entry]) -> tuple[dict, list[dict], list[set]]:
        """Of some versions: the records that the user sees, those lost from sight (version → id), and versions that brought one in."""
        of_kind = {kind.name: {each.record for each in piece if self.sources[each.source][0] is kind} for kind in self.kinds}
        laid = {kind.name: self._laid(kind, of_kind[kind.name]) for kind in self.kinds}
        lost, new = [], []
        for number, (kind, versions, _) in enumerate(self.sources):
            mine = [each for each in piece if each.source == number]
            own = versions.instance_type is kind.model
            away = [each.version for each in mine if each.record not in laid[kind.name]]
            come = [each.version for each in mine if kind.below and each.record in laid[kind.name]]
            lost.append(self._seen_before(versions, away) if own else self._taken_back(self.sources[number], away))
            new.append(set(come) - set(self._seen_before(versions, come)) if own else set(come))
        return laid, lost, new

    def _laid(self, kind: Kind, keys) -> dict[object, dict]:
        """Key → content of the records that the user sees now."""
        if not keys:
            return {}
        return kind.serializer.lay(policy.scope(kind.model.objects.filter(pk__in=keys), self.user, self.permission))

    @sight.engine()
    def _seen_before(self, versions: type[Model], keys: list[int]) -> dict[int, object]:
        """Of some versions those before which the user saw the record: version → the record's public id, if it has one."""
        if not keys:
            return {}
        key = versions.instance_type._meta.pk.attname
        earlier = Q(history_date__lt=OuterRef("history_date")) | Q(
            history_date=OuterRef("history_date"), history_id__lt=OuterRef("history_id")
        )
        previous = (
            versions.objects.filter(earlier, **{key: OuterRef(key)}).order_by("-history_date", "-history_id").values("history_id")[:1]
        )
        before = dict(versions.objects.filter(pk__in=keys).annotate(before_=Subquery(previous)).values_list("pk", "before_"))
        named = "uuid" if hasattr(versions.instance_type, "uuid") else key
        # by whose record it was, not by the days of a tenure: on the day of a switch the version before it was the loser's still
        branches = policy.branches(versions.instance_type, self.user, self.permission)
        rows = versions.objects.filter(pk__in=[pk for pk in before.values() if pk])
        rows = rows if branches is None else rows.filter(Q(*branches, _connector=Q.OR)) if branches else rows.none()
        seen = dict(rows.values_list("pk", named))
        return {version: seen[pk] for version, pk in before.items() if pk in seen}

    @sight.engine()
    def _taken_back(self, source: tuple[Kind, type[Model], str], keys: list[int]) -> dict[int, object]:
        """Of some versions of what shows records to the user those by which it ended: version → the record's public id, or its key."""
        if not keys:
            return {}
        kind, versions, key = source
        ended = policy.scope(versions.objects.filter(pk__in=keys, history_type="-"), self.user, self.permission)
        found = dict(ended.values_list("pk", key))
        named = "uuid" if hasattr(kind.model, "uuid") else "pk"
        ids = dict(kind.model.objects.filter(pk__in=found.values()).values_list("pk", named))
        return {version: ids[record] for version, record in found.items() if record in ids}


def _after(position: Position, source: int, versions: type[Model]) -> Expression | Q:
    """The versions of a source after a position: a range of its index."""
    if source != position.source:
        return Q(**{f"transaction_id__{'gt' if source < position.source else 'gte'}": position.transaction})
    names = ["transaction_id", "history_id"]
    fields = [versions._meta.get_field(name) for name in names]
    return paging.RowComparison(names, [position.transaction, position.version], ">", fields)


def _id(kind: Kind, key: int, known: object = None) -> str:
    """The record's public id; of a kind without one, a mark that stands for it in the feed."""
    return str(known) if known is not None and hasattr(kind.model, "uuid") else mark(key, kind.name)


def _entry(kind: Kind, key: int, content: dict, new: bool = False) -> dict:
    known = content.get("id") or content.get("uuid")
    below = list(kind.below) if new else []
    return {"kind": kind.name, "id": _id(kind, key, known), "change": PRESENT, "below": below, "record": content}


def _gone(kind: Kind, key: int, known: object) -> dict:
    return {"kind": kind.name, "id": _id(kind, key, known), "change": GONE, "below": [], "record": None}
