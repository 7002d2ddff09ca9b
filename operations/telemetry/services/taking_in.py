"""One COPY of a batch into a temporary table, and one statement that judges it, stores the good readings and the latest states."""

from dataclasses import asdict, dataclass
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from psycopg import sql

from moc import sight
from moc.access import policy
from moc.bulk import copy_in, fetch_sql, run_sql
from moc.rules import Rule, registry
from operations.telemetry import rules
from operations.telemetry.models import Told
from operations.telemetry.services import decoding, limits

# aggregators for their DERs and aggregations, utilities for their grid, RTOs for their interfaces; agents for what they run or read
SENDERS = ("file_ders", "manage_grid", "validate_aggregations")
SHOWN = 1_000
CODES = {"sources": Told.Source.values, "qualities": Told.Quality.values, "operating": Told.Operating.values}


@dataclass(frozen=True)
class Taken:
    """What became of a batch: rows received, stored anew, known already, and refused as (row number, rule), the first SHOWN of them."""

    received: int
    stored: int
    known: int
    refused: list[tuple[int, Rule]]
    refused_count: int


@dataclass(frozen=True)
class Judged:
    """What became of the rows of one staging table: (row number, rule) of the refused, how many are good, how many of these are new."""

    refused: list[tuple[int, Rule]]
    good: int
    stored: int


def may_send(user) -> bool:
    """Whether the user sends for anybody: which subjects are theirs is judged row by row."""
    return any(policy.allows(user, permission) for permission in SENDERS)


def take_in(*, actor, name: str, content: bytes) -> Taken:
    """Take in a batch of readings; the ending of its name says how it is written. The same batch again stores nothing.

    A reading is known by subject, moment and publication (the moment, where none is given); a correction has its own publication, and
    both are kept. Raises policy.NotPermitted, and decoding.Unreadable for a body of which no rows can be read."""
    if not may_send(actor):
        raise policy.NotPermitted(f"{actor} may not send readings.")
    from operations.telemetry.services import columns  # here: 40 MB that only a process that takes readings in shall pay

    block = columns.read(name, content, decoding.MOST_ROWS)
    decoded = decoding.Decoded() if block else decoding.decode(decoding.rows_of(name, content))
    with sight.engine(), transaction.atomic():  # who may send for what is judged in the statement itself
        params = asdict(limits.today()) | CODES | {"senders": _senders(actor), "zone": settings.TIME_ZONE}
        found = [Judged(decoded.refused, 0, 0)]
        if block:
            found.append(_ders(params, block.columns, block.content, "FORMAT binary"))
        if decoded.ders:
            found.append(_ders(params, decoding.DER_COLUMNS, "".join(decoded.ders).encode()))
        if decoded.subjects:
            found.append(_subjects(params, decoding.SUBJECT_COLUMNS, "".join(decoded.subjects).encode()))
    received = block.rows if block else len(decoded.ders) + len(decoded.subjects) + len(decoded.refused)
    return _told(received, found)


def _senders(actor) -> list[int]:
    """The organisations for which the actor sends."""
    return sorted(frozenset().union(*(policy.reach(actor, permission) for permission in SENDERS)))


def _told(received: int, found: list[Judged]) -> Taken:
    refused = sorted((each for part in found for each in part.refused), key=lambda each: each[0])
    good, stored = sum(part.good for part in found), sum(part.stored for part in found)
    changed = sum(rule is rules.CHANGED for _, rule in refused)
    return Taken(received, stored, good - stored - changed, refused[:SHOWN], len(refused))


def _ders(params: dict, names: list[str], content: bytes, options: str = "FORMAT csv") -> Judged:
    """Stage, judge and store readings of DERs."""
    run_sql("stage_ders")
    copy_in("staged_ders", names, [content], options)
    fetch_sql("partitions", params, staged=sql.Identifier("pg_temp", "staged_ders"))
    found = _sorted(fetch_sql("take_in_ders", params))
    if found.stored < found.good:
        known = fetch_sql("changed_ders", params | {"refused": [number for number, _ in found.refused]})
        found.refused.extend((number, rules.CHANGED) for (number,) in known)
    return found


def _subjects(params: dict, names: list[str], content: bytes) -> Judged:
    """Stage, judge and store readings of other subjects."""
    run_sql("stage_subjects")
    copy_in("staged_subjects", names, [content])
    fetch_sql("partitions", params, staged=sql.Identifier("pg_temp", "staged_subjects"))
    found = _sorted(fetch_sql("take_in_subjects", params))
    if found.stored < found.good:
        known = fetch_sql("changed_subjects", params | {"refused": [number for number, _ in found.refused]})
        found.refused.extend((number, rules.CHANGED) for (number,) in known)
    return found


def _sorted(rows: list[tuple]) -> Judged:
    """What a statement says: (row number, code) of the refused, and two counts under names."""
    counts = {code: -number for number, code in rows if code in ("good", "stored")}
    refused = [(number, registry[code]) for number, code in rows if code not in counts]
    return Judged(refused, counts["good"], counts["stored"])


@sight.engine()
def prepare(since: datetime | None = None) -> None:
    """Make the partitions of this month (of the month of `since`) and the next, before a batch has to."""
    fetch_sql("months", {"since": since or timezone.now()})
