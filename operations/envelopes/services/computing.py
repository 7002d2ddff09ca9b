"""From a feeder, its DERs and its policy to blocks of limits."""

import json
from dataclasses import dataclass
from datetime import datetime
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
from operations.envelopes.solver import blocks
from operations.envelopes.solver.blocks import DEVICE
from operations.envelopes.solver.case import Machine
from operations.envelopes.solver.fairness import price
from operations.envelopes.solver.problem import Allocation, Envelopes, Policy, Request
from operations.envelopes.solver.solve import solve
from operations.network.engine.feeder import FeederModel
from operations.network.models import NetworkPoint, NetworkVersion
from operations.network.services.building import feeder_of
from registry.ders.models import Der

# a customer's typical day by hour, part of the model's load: the base case until a forecast of the feeder is published
TYPICAL_DAY = np.array(
    [0.42, 0.38, 0.36, 0.35, 0.36, 0.4, 0.5, 0.58, 0.56, 0.54, 0.54, 0.56]
    + [0.58, 0.58, 0.6, 0.64, 0.72, 0.86, 0.97, 1.0, 0.96, 0.86, 0.7, 0.54]
)
MOST_ALARMS, KEPT = 100, 8
SYSTEM = "system: envelopes computed"


@dataclass(frozen=True)
class Active:
    """The active points of a feeder: places in the arrays (A,), injection that their DERs can take (A,) kW, and the DERs' ids."""

    points: np.ndarray
    low_kw: np.ndarray
    high_kw: np.ndarray
    ders: list[list[int]]


def active_points(version: NetworkVersion, limited: dict | None = None) -> Active:
    """The points with active DERs: approved import and export of all DERs behind each, nameplate where nothing was approved.

    limited: {DER id: [least, most] kW injected} of those that are out or derated."""
    places = dict(NetworkPoint.objects.filter(version=version).exclude(service_point=None).values_list("service_point_id", "number"))
    ders = Der.objects.filter(service_point_id__in=list(places), status=Der.Status.ACTIVE).order_by("pk")
    found: dict[int, list] = {}
    columns = ("pk", "service_point_id", "nameplate_ac_kw", "approved_export_kw", "approved_import_kw", "max_charge_kw")
    for pk, point, nameplate, export, import_, charge in ders.values_list(*columns):
        row = found.setdefault(places[point], [0.0, 0.0, []])
        least = -float(next((value for value in (import_, charge) if value is not None), 0))
        most = float(next((value for value in (export, nameplate) if value is not None), 0))
        lowest, highest = (limited or {}).get(str(pk), (least, most))
        row[0] += max(least, lowest)
        row[1] += min(most, highest)
        row[2].append(pk)
    numbers = sorted(found)
    low, high = ([found[number][side] for number in numbers] for side in (0, 1))
    return Active(np.array(numbers, dtype=int), np.array(low), np.array(high), [found[number][2] for number in numbers])


def request_of(run: EnvelopeRun, feeder: FeederModel, active: Active) -> Request:
    """The solver's request: the model's loads along a typical day, the DERs' capability, and an operator's own limits."""
    first = timezone.localtime(run.starts_at)
    hours = np.arange(run.intervals) * run.step_minutes / 60 + first.hour + first.minute / 60
    day = np.interp(hours % 24, np.arange(25), np.append(TYPICAL_DAY, TYPICAL_DAY[0]))
    base = feeder.point_va[:, None] * day
    low, high = (np.repeat(values[:, None], run.intervals, 1) * 1e3 for values in (active.low_kw, active.high_kw))
    row_of = {der: row for row, ders in enumerate(active.ders) for der in ders}
    for der, (least, most, *hours) in run.caps.items():
        if int(der) in row_of:
            row, part = row_of[int(der)], _part(run, hours)
            low[row, part], high[row, part] = np.maximum(low[row, part], least * 1e3), np.minimum(high[row, part], most * 1e3)
    return Request(feeder, feeder.leg_va(base), active.points, np.minimum(low, high), high)


def _part(run: EnvelopeRun, hours: list[str]) -> slice:
    """The intervals of a run that touch the hours between two moments; all of them without."""
    if not hours:
        return slice(None)
    step = 60 * run.step_minutes
    first, last = ((datetime.fromisoformat(moment) - run.starts_at).total_seconds() / step for moment in hours)
    return slice(max(0, int(first // 1)), max(0, int(-(-last // 1))))


def policy_of(run: EnvelopeRun, active: Active) -> Policy:
    """The solver's policy from the values that the run keeps."""
    kept = run.policy
    weights = np.maximum(active.high_kw - active.low_kw, 0.1) if kept["method"] == "weighted" else None
    limits = {"v_min": float(kept["v_min_pu"]), "v_max": float(kept["v_max_pu"]), "loading": kept["loading_percent"] / 100}
    return Policy(kept["method"], weights=weights, robust=kept["robust"], **limits)


@lru_cache(maxsize=KEPT)
def _machine(topology_hash: str, version: int, said: str) -> tuple[Machine, np.ndarray]:
    """The solver's machine of a network in a situation, and which points of the network it holds."""
    feeder, kept = situation.changed(feeder_of(NetworkVersion.objects.get(pk=version)), json.loads(said))
    return Machine(feeder), kept


def supplied(active: Active, kept: np.ndarray) -> tuple[Active, np.ndarray]:
    """The active points that have supply, by their places among the kept points; and which of them all these are, (A,)."""
    rows = kept[active.points]
    places = (np.cumsum(kept) - 1)[active.points[rows]]
    return Active(places, active.low_kw[rows], active.high_kw[rows], [ders for ders, on in zip(active.ders, rows) if on]), rows


def made_ready(run: EnvelopeRun, active: Active) -> tuple[Machine, Active, np.ndarray]:
    """The machine of a run's network in its situation, the active points that have supply there, and which of all they are, (A,)."""
    machine, kept = _machine(run.topology_hash, run.network_id, json.dumps(run.situation, sort_keys=True))
    return machine, *supplied(active, kept)


def carry_out(run: EnvelopeRun, progress: Progress) -> dict:
    """Compute a run, write its blocks and move it on in one transaction. Returns the job's outcome."""
    started = process_time()
    active = active_points(run.network, run.situation.get("ders", {}))
    written, facts = [], {}
    progress(0, None, "Computing")
    if len(active.points):
        machine, live, rows = made_ready(run, active)
        found = solve(request_of(run, machine.feeder, live), policy_of(run, live), machine) if len(live.points) else None
        written = _blocks(run, active, found, rows)
        if found is not None:
            unchecked = int((~(found.importing.checked & found.exporting.checked)).sum())
            facts = {"price": _price(found), "alarms": _alarms(found), "unchecked": unchecked}
    facts |= {"point_count": len(active.points), "cpu_s": round(process_time() - started, 3)}
    with transaction.atomic(), acting(None, SYSTEM):
        EnvelopeBlock.objects.bulk_create(written)
        rows = EnvelopeRun.objects.filter(pk=run.pk)
        EnvelopeRun.lifecycle.move(rows, "compute", actor=None, reason=SYSTEM, **facts)
        EnvelopeRun.lifecycle.move(rows, "evaluate", actor=None, reason="system: every interval went through the AC check")
    return {"points": len(active.points), "cpu_s": facts["cpu_s"], "without_room": facts.get("unchecked", 0)}


def _blocks(run: EnvelopeRun, active: Active, found: Envelopes | None, supplied: np.ndarray) -> list[EnvelopeBlock]:
    """Both bounds of all active points; who has no supply may neither import nor export."""
    written, off = [], int((~supplied).sum())
    for bound in ("min", "max"):
        kw, codes, names = np.zeros((len(supplied), run.intervals)), np.zeros((len(supplied), run.intervals), np.int32), []
        if found is not None:
            limits, side = (found.min_w, found.importing) if bound == "min" else (found.max_w, found.exporting)
            kw[supplied] = limits / 1e3
            codes[supplied], names = _named(side)
        if off:
            codes[~supplied] = len(names)
            names = [*names, [NO_SUPPLY, off]]
        unit = blocks.unit_for(kw)
        packed = {"limits": blocks.pack(kw, unit, upper=bound == "max"), "reasons": blocks.pack_codes(codes), "names": names}
        written.append(EnvelopeBlock(run=run, edc_id=run.edc_id, bound=bound, unit_kw=unit, ders=active.ders, **packed))
    return written


def _named(side: Allocation) -> tuple[np.ndarray, list]:
    """Binding rows as codes into a short list of [element, points that it stops at most]."""
    used, codes = np.unique(side.binding, return_inverse=True)
    codes = codes.reshape(side.binding.shape).astype(np.int32) - (DEVICE in used)
    rows = used[used != DEVICE]
    return codes, [[str(side.row_names[row]), int((side.binding == row).sum(0).max())] for row in rows]


def _price(found: Envelopes) -> dict:
    sides = {"import": price(found.importing), "export": price(found.exporting)}
    return {
        name: {"total_kw": round(each.total_kw, 1), "jain": round(each.jain, 4), "least_share": round(each.least_share, 4)}
        for name, each in sides.items()
    }


def _alarms(found: Envelopes) -> list[dict]:
    worst = sorted(found.exporting.alarms, key=lambda alarm: -abs(alarm.value - alarm.limit))[:MOST_ALARMS]
    return [{"kind": a.kind, "element": a.element, "interval": a.interval, "value": round(a.value, 4), "limit": a.limit} for a in worst]
