"""From a feeder, its DERs and its policy to blocks of limits."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from time import process_time

import numpy as np
from django.db import transaction
from django.utils import timezone

from moc.history import acting
from moc.jobs.services import Progress
from operations.envelopes.models import EnvelopeBlock, EnvelopeRun
from operations.envelopes.reasons import NO_SUPPLY
from operations.envelopes.services import base, situation
from operations.envelopes.services.devices import Active, Capable, active_points, capabilities, supplied, weights_of
from operations.envelopes.solver import blocks, kvar, windows
from operations.envelopes.solver.blocks import DEVICE
from operations.envelopes.solver.case import Machine
from operations.envelopes.solver.fairness import price
from operations.envelopes.solver.problem import EXPORT, Allocation, Envelopes, Policy, Request
from operations.envelopes.solver.settling import at_rest
from operations.envelopes.solver.solve import solve
from operations.network.engine.feeder import FeederModel
from operations.network.models import NetworkVersion
from operations.network.services.building import feeder_of

MOST_ALARMS, KEPT = 100, 8
FULL = 1 - 1e-4  # of its room: with so much a DER is stopped by itself
SYSTEM = "system: envelopes computed"


@dataclass(frozen=True)
class Part:
    """The intervals of a window in one situation, which of the active points have supply there (A,), these points, and their envelopes;
    None: nobody. ders (2, n, T): the least and the most injection of each DER in watts, free: where it may do all that it can; kvar
    (2, 2, n, T): its least and most vars while its point draws, and injects."""

    intervals: slice
    supplied: np.ndarray
    live: Active
    found: Envelopes | None = None
    ders: np.ndarray | None = None
    free: np.ndarray | None = None
    kvar: np.ndarray | None = None

    @property
    def count(self) -> int:
        return self.intervals.stop - self.intervals.start

    @property
    def unchecked(self) -> int:
        """Intervals that did not pass the AC check."""
        return int((~(self.found.importing.checked & self.found.exporting.checked)).sum()) if self.found else 0


def request_of(run: EnvelopeRun, feeder: FeederModel, active: Active, ranges: np.ndarray | None = None) -> Request:
    """The solver's request: the base case, and what the DERs can do and were granted; ranges: of the DERs, where they are known."""
    rest = {f"{name}_va": feeder.leg_va(power) for name, power in base.of(run, feeder).items()}
    low, high, start, *granted = map(active.summed, ranges_of(run, active) if ranges is None else ranges)
    rest |= {"inverters": active.inverters(), "capability": active.capability() if run.policy.get("reactive") else None}
    rest |= dict(zip(("granted_low_w", "granted_high_w"), granted, strict=True)) if run.room else {}
    return Request(feeder, active=active.points, low_w=low, high_w=high, start_w=start, **rest)


def ranges_of(run: EnvelopeRun, active: Active) -> np.ndarray:
    """Of each DER the least and the most injection (what it can do, within its limits by time and an operator's own), where both directions
    start, and the least and most that its utility granted it: (5, n, T) watts."""
    ranges = np.array([(each.least, each.most) for each in active.all]).reshape(-1, 2)
    least, most = np.repeat(ranges.T[:, :, None], run.intervals, 2)
    granted = np.zeros((2, *least.shape))
    step = timedelta(minutes=run.step_minutes)
    local = [timezone.localtime(run.starts_at + step * n) for n in range(run.intervals)]
    for row, each in enumerate(active.all):
        if each.windows:
            export, import_ = windows.limits_at(each.windows, local, run.step_minutes)
            least[row], most[row] = (
                np.maximum(each.least, np.minimum(-import_, each.most)),
                np.minimum(each.most, np.maximum(export, each.least)),
            )
        if cap := run.caps.get(str(each.der)):
            part = _part(run, map(datetime.fromisoformat, cap[2:]))
            least[row, part], most[row, part] = np.maximum(least[row, part], cap[0]), np.minimum(most[row, part], cap[1])
        if room := run.room.get(str(each.der)):
            granted[:, row, _part(run, map(datetime.fromisoformat, room[2:]))] = np.array(room[:2], float)[:, None]
    least = np.minimum(least, most)
    return np.stack([least, most, np.clip(0, least, most), *granted]) * 1e3


def _part(run: EnvelopeRun, hours: Iterable[datetime]) -> slice:
    """The intervals of a run that touch the hours between two moments; all of them without."""
    step = 60 * run.step_minutes
    first, last = [(moment - run.starts_at).total_seconds() / step for moment in hours] or (0, run.intervals)
    return slice(max(0, int(first // 1)), max(0, min(run.intervals, int(-(-last // 1)))))


def policy_of(run: EnvelopeRun, active: Active) -> Policy:
    """The solver's policy from the values that the run keeps."""
    kept = run.policy
    weights = weights_of(active, kept.get("weights", {})) if kept["method"] == "weighted" else None
    limits = {"v_min": float(kept["v_min_pu"]), "v_max": float(kept["v_max_pu"]), "loading": kept["loading_percent"] / 100}
    return Policy(kept["method"], weights=weights, robust=kept["robust"], controls=True, **limits)


@lru_cache(maxsize=KEPT)
def _machine(topology_hash: str, version: int, said: str) -> tuple[Machine, np.ndarray]:
    """The solver's machine of a network (by its hash and key) in a situation, and which points of the network it holds."""
    feeder, kept = situation.changed(feeder_of(NetworkVersion.objects.get(pk=version)), json.loads(said))
    return Machine(feeder), kept


def ready_at(run: EnvelopeRun, interval: int, direction: int) -> tuple[Machine, Active]:
    """The machine of a network in the situation of an interval, its controls at rest as a direction is held against it, and the active
    points that have supply there."""
    said = next(said for part, said in _situations(run) if interval < part.stop)
    machine, live, _ = _made_ready(run, capabilities(run.network), said)
    return at_rest(machine, request_of(run, machine.feeder, live).at(interval), direction), live


def _situations(run: EnvelopeRun) -> list[tuple[slice, dict]]:
    """The intervals of each situation in a run's window."""
    rows = run.situations()
    ends = [moment for moment, _ in rows[1:]] + [run.ends_at]
    return [(_part(run, [moment, end]), said) for (moment, said), end in zip(rows, ends, strict=True)]


def _made_ready(run: EnvelopeRun, capable: list[Capable], said: dict) -> tuple[Machine, Active, np.ndarray]:
    """The machine of a run's network in a situation, the active points that have supply there, and which of all they are, (A,)."""
    network = {name: said[name] for name in situation.NETWORK if name in said}
    machine, kept = _machine(run.network.topology_hash, run.network_id, json.dumps(network, sort_keys=True))
    return machine, *supplied(active_points(capable, said.get("ders", {})), kept)


def _solved(run: EnvelopeRun, capable: list[Capable], intervals: slice, said: dict) -> Part:
    machine, live, rows = _made_ready(run, capable, said)
    if not len(live.points):
        return Part(intervals, rows, live)
    ranges = ranges_of(run, live)
    request = request_of(run, machine.feeder, live, ranges).during(intervals)
    found = solve(request, policy_of(run, live), machine)
    low, high, start, least, most = ranges[:, :, intervals]
    room, granted = np.stack([start - low, high - start]), (start - least, most - start)
    sides = (found.importing, found.exporting)
    push = np.stack([_divided(live, side.push_w, *each) for side, *each in zip(sides, room, granted, strict=True)])
    ders = np.stack([start - push[0], start + push[1]])
    return Part(intervals, rows, live, found, ders, push >= room * FULL, _vars(live, request, found))


def _divided(live: Active, push: np.ndarray, room: np.ndarray, granted: np.ndarray) -> np.ndarray:
    """Of the points' push (A, T) each DER's part (n, T) by its room, before that what was granted to it."""
    first = np.clip(granted, 0, room)
    held, rest = live.summed(first), live.summed(room - first)
    of_first = np.divide(push, held, out=np.ones_like(push), where=held > push)
    of_rest = np.divide(np.maximum(push - held, 0), rest, out=np.zeros_like(push), where=rest > 0)
    return first * of_first[live.owner] + (room - first) * np.minimum(of_rest, 1)[live.owner]


def _vars(live: Active, request: Request, found: Envelopes) -> np.ndarray:
    """Least and most vars of each DER while its point draws, and injects, (2, 2, n, T): by its rule, or what the grid leaves it."""
    vars_ = np.zeros((2, 2, len(live.all), request.low_w.shape[1]))
    for way, side in zip(vars_, (found.importing, found.exporting), strict=True):
        if request.capability is not None:
            way[:, live.told] = kvar.divided(request, side)
        if request.inverters is not None:
            moved = kvar.moved(request, side.push_w, side.direction)
            way[:, live.ruled] = request.inverters.between(moved, exporting=side.direction == EXPORT)
    return vars_


def carry_out(run: EnvelopeRun, progress: Progress) -> dict:
    """Compute a run, write its blocks and move it on in one transaction. Returns the job's outcome."""
    started, written, facts = process_time(), [], {}
    capable = capabilities(run.network)
    active = active_points(capable)
    progress(0, None, "Computing")
    if active.all:
        parts = [_solved(run, capable, *each) for each in _situations(run)]
        written = _blocks(run, active, parts)
        if any(part.found for part in parts):
            facts = {"price": _price(parts), "alarms": _alarms(parts), "unchecked": sum(part.unchecked for part in parts)}
    facts |= {"point_count": len(active.points), "cpu_s": round(process_time() - started, 3)}
    with transaction.atomic(), acting(None, SYSTEM):
        rows = EnvelopeRun.objects.filter(pk=run.pk)
        if rows.select_for_update(of=("self",)).get().status != EnvelopeRun.Status.COMPUTING:
            return {"points": len(active.points), "already": True}  # a worker that was given up for dead had done it
        EnvelopeBlock.objects.bulk_create(written)
        EnvelopeRun.lifecycle.move(rows, "compute", actor=None, reason=SYSTEM, **facts)
        EnvelopeRun.lifecycle.move(rows, "evaluate", actor=None, reason="system: every interval went through the AC check")
    return {"points": len(active.points), "cpu_s": facts["cpu_s"], "without_room": facts.get("unchecked", 0)}


def _blocks(run: EnvelopeRun, active: Active, parts: list[Part]) -> list[EnvelopeBlock]:
    """Both bounds of all active DERs; who has no supply may neither import nor export."""
    written, size, ders = [], (len(active.all), run.intervals), [[each.der] for each in active.all]
    for side, bound in enumerate(("min", "max")):
        kw, codes, names = np.zeros(size), np.zeros(size, np.int32), {}
        for part in parts:
            rows = part.supplied[active.owner]
            if part.found is not None:
                kw[rows, part.intervals] = part.ders[side] / 1e3
                stopped = _named((part.found.importing, part.found.exporting)[side], names)[part.live.owner]
                codes[rows, part.intervals] = np.where(part.free[side], DEVICE, stopped)
            if not rows.all():
                codes[~rows, part.intervals] = _code(names, NO_SUPPLY, int((~part.supplied).sum()))
        unit = blocks.unit_for(kw)
        packed = {"limits": blocks.pack(kw, unit, upper=bound == "max"), "reasons": blocks.pack_codes(codes), "names": list(names.values())}
        packed |= _reactive(run, active, parts, side)
        written.append(EnvelopeBlock(run=run, edc_id=run.edc_id, bound=bound, unit_kw=unit, ders=ders, **packed))
    return written


def _reactive(run: EnvelopeRun, active: Active, parts: list[Part], side: int) -> dict:
    """The columns of a block that hold limits in kvar; nothing where the policy wants none, or of nobody a capability or rule is known."""
    rows = np.sort(np.concatenate([active.ruled, active.told]))
    if not run.policy.get("reactive") or not len(rows):
        return {}
    found = np.zeros((2, len(active.all), run.intervals))
    for part in parts:
        if part.kvar is not None:
            found[:, part.supplied[active.owner], part.intervals] = part.kvar[side] / 1e3
    unit, sides = blocks.unit_for(found), zip(("least", "most"), found, strict=True)
    packed = {f"{name}_kvar": blocks.pack(values[rows], unit, upper=name == "most") for name, values in sides}
    return packed | {"kvar_rows": rows.tolist(), "kvar_unit": unit}


def _code(names: dict[str, list], element: str, sharing: int, headroom: float | None = None) -> int:
    """The place of an element among the names [element, points that it stops at most, least headroom]; added where it is new."""
    row = names.setdefault(element, [element, 0, headroom])
    row[1:] = max(row[1], sharing), headroom if row[2] is None else min(row[2], headroom)
    return list(names).index(element)


def _named(side: Allocation, names: dict[str, list]) -> np.ndarray:
    """Binding rows as codes into the short list of names, to which they are added."""
    used, places = np.unique(side.binding, return_inverse=True)
    codes = []
    for row in used.tolist():
        stopped = side.binding == row
        least = round(max(0.0, float(side.headroom[stopped].min())), 4)
        codes.append(DEVICE if row == DEVICE else _code(names, str(side.row_names[row]), int(stopped.sum(0).max()), least))
    return np.array(codes, np.int32)[places.reshape(side.binding.shape)]


def _price(parts: list[Part]) -> dict:
    """What the policy costs over the window; intervals in which nobody has supply have no shares."""
    solved = [part for part in parts if part.found]
    counts, every = [part.count for part in solved], sum(part.count for part in parts)
    found = {}
    for name, side in (("import", "importing"), ("export", "exporting")):
        each = [price(getattr(part.found, side)) for part in solved]
        total = sum(row.total_kw * count for row, count in zip(each, counts, strict=True)) / every
        jain, least = float(np.average([row.jain for row in each], weights=counts)), min(row.least_share for row in each)
        found[name] = {"total_kw": round(total, 1), "jain": round(jain, 4), "least_share": round(least, 4)}
    return found


def _alarms(parts: list[Part]) -> list[dict]:
    """The worst of each element that the forecast alone, as exports or as imports are held against it, takes over a limit."""
    solved = [(part.intervals.start, side) for part in parts if part.found for side in (part.found.exporting, part.found.importing)]
    every = [(alarm, first) for first, side in solved for alarm in side.alarms]
    worst = {}
    for a, first in sorted(every, key=lambda row: -abs(row[0].value - row[0].limit)):
        shown = {"kind": a.kind, "element": a.element, "interval": a.interval + first, "value": round(a.value, 4), "limit": a.limit}
        worst.setdefault((a.kind, a.element), shown)
    return list(worst.values())[:MOST_ALARMS]
