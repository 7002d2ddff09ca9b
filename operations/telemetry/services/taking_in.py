"""One COPY of a batch into a temporary table, and one statement that judges it, stores the good readings and the latest states."""

from dataclasses import dataclass

from django.db import transaction

from moc import sight
from moc.access import policy
from moc.bulk import copy_in, fetch_sql, run_sql
from moc.rules import Rule, registry
from operations.telemetry import rules
from operations.telemetry.services import decoding

OF_AGGREGATOR, OF_UTILITY = "file_ders", "manage_grid"
SHOWN = 1_000


@dataclass(frozen=True)
class Taken:
    """What became of a batch: rows received, stored anew, known already, and refused as (row number, rule), the first SHOWN of them."""

    received: int
    stored: int
    known: int
    refused: list[tuple[int, Rule]]
    refused_count: int


def may_send(user) -> bool:
    """Aggregators send for their DERs, utilities for those on their grid."""
    return policy.allows(user, OF_AGGREGATOR) or policy.allows(user, OF_UTILITY)


def take_in(*, actor, name: str, content: bytes) -> Taken:
    """Take in a batch of readings; the ending of its name says how it is written. The same batch again stores nothing.

    A reading is known by DER, moment and publication (the moment, where none is given); a correction has its own publication, and both
    are kept. Raises policy.NotPermitted, and decoding.Unreadable for a body of which no rows can be read."""
    if not may_send(actor):
        raise policy.NotPermitted(f"{actor} may not send readings.")
    decoded = decoding.decode(decoding.rows_of(name, content))
    parties = {"aggregators": sorted(policy.reach(actor, OF_AGGREGATOR)), "edcs": sorted(policy.reach(actor, OF_UTILITY))}
    refused, good, stored = decoded.refused, 0, 0
    if decoded.lines:
        with sight.engine(), transaction.atomic():  # who may send for which DER is judged in the statement itself
            judged, good, stored = _judged(decoded, parties)
        refused = sorted(refused + judged, key=lambda each: each[0])
    received = len(decoded.lines) + len(decoded.refused)
    changed = sum(rule is rules.CHANGED for _, rule in refused)
    return Taken(received, stored, good - stored - changed, refused[:SHOWN], len(refused))


def _judged(decoded: decoding.Decoded, parties: dict) -> tuple[list[tuple[int, Rule]], int, int]:
    """(row number, rule) of the refused, how many are good, how many of these were stored."""
    run_sql("staging")
    copy_in("staged_reading", decoding.COLUMNS, decoding.lines_of(decoded))
    fetch_sql("partitions")
    found, counts = [], {}
    for number, code in fetch_sql("take_in", parties):
        if code in ("good", "stored"):
            counts[code] = -number
        else:
            found.append((number, registry[code]))
    if counts["stored"] < counts["good"]:
        known = fetch_sql("changed", {"refused": [number for number, _ in found]})
        found += [(number, rules.CHANGED) for (number,) in known]
    return found, counts["good"], counts["stored"]


@sight.engine()
def prepare() -> None:
    """Make the partitions of this month and the next, before a batch has to."""
    fetch_sql("months")
