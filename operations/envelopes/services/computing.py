"""From a feeder, its DERs and its policy to blocks of limits."""

import json
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
from operations.envelopes.reports import NO_SUPPLY
from operations.envelopes.services import situation
from operations.envelopes.services.devices import Active, Capable, active_points, capabilities, supplied, weights_of
from operations.envelopes.solver import blocks, windows
from operations.envelopes.solver.blocks import DEVICE
from operations.envelopes.solver.case import Machine
from operations.envelopes.solver.fairness import price
from operations.envelopes.solver.problem import Allocation, Envelopes, Policy, Request
from operations.envelopes.solver.settling import at_rest
from operations.envelopes.solver.solve import solve
from operations.network.engine.feeder import FeederModel
from operations.network.models import NetworkVersion
from operations.network.services.building import feeder_of

# a customer's typical day by hour, part of the model's load: the base case until a forecast of the feeder is published
TYPICAL_DAY = np.array(
    [0.42, 0.38, 0.36, 0.35, 0.36, 0.4, 0.5, 0.58, 0.56, 0.54, 0.54, 0.56]
    + [0.58, 0.58, 0.6, 0.64, 0.72, 0.86, 0.97, 1.0, 0.96, 0.86, 0.7, 0.54]
)
MOST_ALARMS, KEPT = 100, 8
SYSTEM = "system: envelopes computed"


@dataclass(frozen=True)
class Part:
    """The intervals of a window in one situation, which of the active points have supply there (A,), and their envelopes; None: nobody."""

    intervals: slice
    supplied: np.ndarray
    found: Envelopes | None

    @property
    def count(self) -> int:
        return self.intervals.stop - self.intervals.start

    @property
    def unchecked(self) -> int:
        """Intervals that did not pass the AC check."""
        return int((~(self.found.importing.checked & self.found.exporting.checked)).sum()) if self.found else 0


def request_of(run: EnvelopeRun, feeder: FeederModel, active: Active) -> Request:
    """The solver's request: the model's loads along a typical day, the DERs' capability, an operator's own limits, and granted room."""
    first = timezone.localtime(run.starts_at)
    hours = np.arange(run.intervals) * run.step_minutes / 60 + first.hour + first.minute / 60
    day = np.interp(hours % 24, np.arange(25), np.append(TYPICAL_DAY, TYPICAL_DAY[0]))
    base = feeder.point_va[:, None] * day
    low, high = (np.repeat(values[:, None], run.intervals, 1) * 1e3 for values in (active.low_kw, active.high_kw))
    row_of = {der: row for row, ders in enumerate(active.ders) for der in ders}
    _by_time(run, active, row_of, low, high)
    for der, (least, most, *hours) in run.caps.items():
        if int(der) in row_of:
            row, part = row_of[int(der)], _part(run, [datetime.fromisoformat(moment) for moment in hours])
            low[row, part], high[row, part] = np.maximum(low[row, part], least * 1e3), np.minimum(high[row, part], most * 1e3)
    granted = _granted(run, row_of, low.shape) if run.room else {}
    bounds = np.minimum(low, high), high
    capability = active.capability() if run.policy.get("reactive") else None
    return Request(feeder, feeder.leg_va(base), active.points, *bounds, active.inverters(), capability, **granted)


def _by_time(run: EnvelopeRun, active: Active, row_of: dict[int, int], low: np.ndarray, high: np.ndarray) -> None:
    """Take off the bounds (A, T), in watts, what limits by time leave of their DERs' share in each interval."""
    step = timedelta(minutes=run.step_minutes)
    local = [timezone.localtime(run.starts_at + step * n) for n in range(run.intervals)] if active.timed else []
    for der, (said, least, most) in active.timed.items():
        if der in row_of:
            export, import_ = windows.limits_at(said, local, run.step_minutes)
            high[row_of[der]] -= 1e3 * np.maximum(0, most - np.maximum(export, least))
            low[row_of[der]] += 1e3 * np.maximum(0, np.minimum(-import_, most) - least)


def _granted(run: EnvelopeRun, row_of: dict[int, int], shape: tuple[int, int]) -> dict[str, np.ndarray]:
    """The room that a utility granted to DERs, as injection that their points get at least."""
    least, most = np.zeros(shape), np.zeros(shape)
    for der, (low, high, *hours) in run.room.items():
        if int(der) in row_of:
            row, part = row_of[int(der)], _part(run, [datetime.fromisoformat(moment) for moment in hours])
            least[row, part] += low * 1e3
            most[row, part] += high * 1e3
    return {"granted_low_w": least, "granted_high_w": most}


def _part(run: EnvelopeRun, hours: list[datetime]) -> slice:
    """The intervals of a run that touch the hours between two moments; all of them without."""
    if not hours:
        return slice(0, run.intervals)
    step = 60 * run.step_minutes
    first, last = ((moment - run.starts_at).total_seconds() / step for moment in hours)
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


def ready_at(run: EnvelopeRun, interval: int) -> tuple[Machine, Active]:
    """The machine of a network in the situation of an interval, its controls at rest, and the active points that have supply there."""
    said = next(said for part, said in _situations(run) if interval < part.stop)
    machine, live, _ = _made_ready(run, capabilities(run.network), said)
    return at_rest(machine, request_of(run, machine.feeder, live).at(interval)), live


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
        return Part(intervals, rows, None)
    request = request_of(run, machine.feeder, live).during(intervals)
    return Part(intervals, rows, solve(request, policy_of(run, live), machine))


def carry_out(run: EnvelopeRun, progress: Progress) -> dict:
    """Compute a run, write its blocks and move it on in one transaction. Returns the job's outcome."""
    started, written, facts = process_time(), [], {}
    capable = capabilities(run.network)
    active = active_points(capable)
    progress(0, None, "Computing")
    if len(active.points):
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
    """Both bounds of all active points; who has no supply may neither import nor export."""
    written, size = [], (len(active.points), run.intervals)
    for bound in ("min", "max"):
        kw, codes, names = np.zeros(size), np.zeros(size, np.int32), {}
        for part in parts:
            rows, off = np.flatnonzero(part.supplied), np.flatnonzero(~part.supplied)
            if part.found is not None:
                limits, side = (part.found.min_w, part.found.importing) if bound == "min" else (part.found.max_w, part.found.exporting)
                kw[rows, part.intervals] = limits / 1e3
                codes[rows, part.intervals] = _named(side, names)
            if len(off):
                codes[off, part.intervals] = _code(names, NO_SUPPLY, len(off))
        unit = blocks.unit_for(kw)
        packed = {"limits": blocks.pack(kw, unit, upper=bound == "max"), "reasons": blocks.pack_codes(codes), "names": list(names.values())}
        packed |= _reactive(run, active, parts, bound, kw)
        written.append(EnvelopeBlock(run=run, edc_id=run.edc_id, bound=bound, unit_kw=unit, ders=active.ders, **packed))
    return written


def _reactive(run: EnvelopeRun, active: Active, parts: list[Part], bound: str, kw: np.ndarray) -> dict:
    """The columns of a block that hold limits in kvar: of what is told how much, what the grid leaves it; of what follows a rule, what that
    gives within its kW. Nothing where the policy wants none, or no capability is known."""
    rows, kvar = active.reactive_rows(), np.zeros((2, *kw.shape))
    if not run.policy.get("reactive") or not len(rows):
        return {}
    for part in parts:
        side = part.found and (part.found.importing if bound == "min" else part.found.exporting)
        if side and side.least_var is not None:
            kvar[:, part.supplied, part.intervals] = np.stack([side.least_var, side.most_var]) / 1e3
    if (steered := active.inverters()) is not None:
        kvar += np.stack(steered.between(np.abs(kw) * 1e3, exporting=bound == "max")) / 1e3
    unit, sides = blocks.unit_for(kvar), zip(("least", "most"), kvar, strict=True)
    packed = {f"{name}_kvar": blocks.pack(values[rows], unit, upper=name == "most") for name, values in sides}
    return packed | {"kvar_rows": rows.tolist(), "kvar_unit": unit}


def _code(names: dict[str, list], element: str, sharing: int) -> int:
    """The place of an element among the names [element, points that it stops at most]; added where it is new."""
    row = names.setdefault(element, [element, 0])
    row[1] = max(row[1], sharing)
    return list(names).index(element)


def _named(side: Allocation, names: dict[str, list]) -> np.ndarray:
    """Binding rows as codes into the short list of names, to which they are added."""
    used, places = np.unique(side.binding, return_inverse=True)
    sharing = {row: int((side.binding == row).sum(0).max()) for row in used.tolist()}
    codes = [DEVICE if row == DEVICE else _code(names, str(side.row_names[row]), count) for row, count in sharing.items()]
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
    """The worst of each element that the forecast alone takes over a limit."""
    every = [(alarm, part.intervals.start) for part in parts if part.found for alarm in part.found.exporting.alarms]
    worst = {}
    for a, first in sorted(every, key=lambda row: -abs(row[0].value - row[0].limit)):
        shown = {"kind": a.kind, "element": a.element, "interval": a.interval + first, "value": round(a.value, 4), "limit": a.limit}
        worst.setdefault((a.kind, a.element), shown)
    return list(worst.values())[:MOST_ALARMS]
