"""Envelopes as they are read: a DER's limits by interval, whence each comes, and why it is what it is."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

import numpy as np

from moc import sight
from operations.envelopes.models import EnvelopePoint, EnvelopeRun
from operations.envelopes.solver import blocks
from operations.envelopes.solver.explain import DEVICE

PUBLISHED, STATIC = "published", "static"


@dataclass(frozen=True)
class Limits:
    """A DER's connection point over a window. min_kw and max_kw: injection, one value an interval; source: published, or static where no
    set is in force. reasons: per bound and interval (element, points that share it), None where the device itself is the limit."""

    source: str
    starts_at: datetime
    step_minutes: int
    min_kw: list[float]
    max_kw: list[float]
    reasons: dict[str, list[tuple[str, int] | None]]
    number: int | None
    content_hash: str
    fallback: dict[str, float]
    outage: dict[str, float]

    @property
    def times(self) -> list[datetime]:
        """The start of each interval."""
        return [self.starts_at + timedelta(minutes=self.step_minutes * i) for i in range(len(self.max_kw))]


@sight.engine()  # a block holds a whole feeder; of it only the rows of points within the reader's own sight are taken out
def limits_of(points: list[EnvelopePoint]) -> dict[int, Limits]:
    """The limits of envelope points that the caller may see, by primary key; each block is unpacked once."""
    found: dict[int, Limits] = {}
    runs = EnvelopeRun.objects.filter(pk__in={point.run_id for point in points}).prefetch_related("blocks")
    for run in runs:
        unpacked = {block.bound: _unpacked(run, block) for block in run.blocks.all()}
        for point in points:
            if point.run_id == run.pk:
                found[point.pk] = _limits(run, unpacked, point.row)
    return found


def _unpacked(run: EnvelopeRun, block) -> tuple[np.ndarray, np.ndarray, list]:
    size = len(block.ders), run.intervals
    return blocks.unpack(bytes(block.limits), *size, block.unit_kw), blocks.unpack_codes(bytes(block.reasons), *size), block.names


def _limits(run: EnvelopeRun, unpacked: dict, row: int) -> Limits:
    kept = run.policy
    fallback = {"import_kw": float(kept["default_import_kw"]), "export_kw": float(kept["default_export_kw"])}
    outage = {"import_kw": float(kept["outage_import_kw"]), "export_kw": float(kept["outage_export_kw"])}
    in_force = run.status == EnvelopeRun.Status.PUBLISHED
    if in_force:
        low, high = (unpacked[bound][0][row].tolist() for bound in ("min", "max"))
        reasons = {name: _reasons(*unpacked[bound][1:], row) for bound, name in (("min", "import"), ("max", "export"))}
    else:
        low, high = [-fallback["import_kw"]] * run.intervals, [fallback["export_kw"]] * run.intervals
        reasons = {"import": [None] * run.intervals, "export": [None] * run.intervals}
    facts = {"starts_at": run.starts_at, "step_minutes": run.step_minutes, "number": run.number, "content_hash": run.content_hash}
    return Limits(PUBLISHED if in_force else STATIC, min_kw=low, max_kw=high, reasons=reasons, fallback=fallback, outage=outage, **facts)


def _reasons(codes: np.ndarray, names: list, row: int) -> list[tuple[str, int] | None]:
    return [None if code == DEVICE else tuple(names[code]) for code in codes[row].tolist()]


def explained(limits: Limits) -> list[dict]:
    """The reasons of both bounds in sentences, neighbouring intervals with the same one together."""
    shown = []
    for bound, values in (("export", limits.max_kw), ("import", [-value for value in limits.min_kw])):
        numbered = zip(limits.times, values, limits.reasons[bound], strict=True)
        for reason, group in groupby(numbered, key=lambda each: each[2]):
            rows = list(group)
            until = rows[-1][0] + timedelta(minutes=limits.step_minutes)
            kw = [row[1] for row in rows]
            shown.append(
                {"bound": bound, "since": rows[0][0], "until": until, "least": min(kw), "most": max(kw), "why": sentence(limits, reason)}
            )
    return shown


def sentence(limits: Limits, reason: tuple[str, int] | None) -> str:
    """Why a limit is what it is."""
    if limits.source == STATIC:
        return "No set is in force: the limit without envelope holds."
    if reason is None:
        return "The device's own capability or its approved import and export; the network leaves it all."
    element, sharing = reason
    kind = element.split(".", 1)[0]
    name = element.split(".", 1)[1]
    others = "no other point" if sharing <= 1 else f"{sharing - 1:,} other point{'s' if sharing > 2 else ''}"
    if kind in ("line", "transformer"):
        parts = name.rsplit(".", 2)
        where = f"{parts[0]}, phase {parts[2]}" if len(parts) == 3 else name
        return f"The rating of {kind} {where} is used up; shared with {others}."
    return f"The voltage at connection point {name} is at its limit; shared with {others}."
