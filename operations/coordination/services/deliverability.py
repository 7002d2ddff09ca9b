"""From envelopes to what can be delivered: feeder → interface → lines → back to the points, proven by a power flow."""

from collections import defaultdict
from datetime import datetime
from time import perf_counter

import numpy as np
from django.db import transaction

from moc.history import acting
from moc.jobs.services import Progress
from operations.computed import services as computed
from operations.coordination import reports
from operations.coordination.engine import program
from operations.coordination.models import DeliverabilityRun, InterfaceResult, MonitoredLine
from operations.coordination.reports import Capability
from operations.envelopes.services import computing
from operations.envelopes.solver.case import Case
from operations.envelopes.solver.problem import EXPORT, IMPORT
from operations.outages.services import log
from operations.telemetry.models import SubjectState
from registry.grid.models import TdInterface

SYSTEM = "system: deliverability computed"
UP, DOWN = "up", "down"
STEPS = (1.0, 0.95, 0.8, 0.5)  # of what was assigned, until the power flow of the feeder holds
WITHOUT = 1e9  # kW: an interface or a line without a limit


def carry_out(run: DeliverabilityRun, progress: Progress) -> dict:
    """Compute a run and write its results; what the power flow does not bear becomes a derate, logged. Returns the job's outcome."""
    started = perf_counter()
    interfaces = list(TdInterface.objects.filter(pnode__tso=run.tso_id).select_related("edc").order_by("pk"))
    feeders = reports.capabilities([each.pk for each in interfaces], run.at)
    rooms, lines = _rooms(interfaces, run.at), reports.lines_at(run.tso_id, run.at)
    progress(0, None, f"{len(feeders)} feeders")
    answers = {way: _delivered(way, interfaces, feeders, rooms, lines) for way in (UP, DOWN)}
    proven = {way: [_proven(each, way, kw) for each, kw in zip(feeders, answers[way][1], strict=True)] for way in (UP, DOWN)}
    results = [_result(run, interface, n, feeders, rooms, answers, proven) for n, interface in enumerate(interfaces)]
    binding = [row for way in (UP, DOWN) for row in _binding(way, lines, answers[way][0])]
    with transaction.atomic(), acting(None, SYSTEM):
        InterfaceResult.objects.bulk_create(results)
        facts = {"lines": binding, "seconds": round(perf_counter() - started, 3)}
        computed.finish(run, SYSTEM, **facts)
        for each in results:
            if each.derate_up_kw or each.derate_down_kw:
                _log(each)
    return {"interfaces": len(interfaces), "feeders": len(feeders), "binding": len(binding)}


def _rooms(interfaces: list[TdInterface], at: datetime) -> dict[int, tuple]:
    """Of each interface flow, and least and most (None without) at a moment, kW."""
    keys = [each.pk for each in interfaces]
    flows = dict(SubjectState.objects.filter(td_interface__in=keys).values_list("td_interface", "p_kw"))
    return {key: (flows.get(key), *bounds) for key, bounds in reports.bounds_at(keys, at).items()}


def _change(room: tuple) -> tuple[float, float]:
    """By how much an interface's flow may change: (down ≤ 0, up ≥ 0); one that is over its limit already may not get worse."""
    flow, low, high = room
    flow = flow or 0.0
    return min(0.0, low - flow) if low is not None else -WITHOUT, max(0.0, high - flow) if high is not None else WITHOUT


def _delivered(way: str, interfaces, feeders: list[Capability], rooms: dict, lines: list[MonitoredLine]) -> tuple:
    """The program's answer in one direction, and what it assigns to each feeder (kW ≥ 0)."""
    place, sign = {each.pk: n for n, each in enumerate(interfaces)}, 1 if way == UP else -1
    node = np.array([place[each.feeder.substation.td_interface_id] for each in feeders], int)
    low, high = np.array([_change(rooms[each.pk]) for each in interfaces]).reshape(-1, 2).T
    rows = [[float(line.factors.get(str(each.pk), 0)) for each in interfaces] for line in lines]
    flow, limit = (np.array([getattr(line, name) for line in lines], float) for name in ("flow_kw", "limit_kw"))
    down, up = np.minimum(0, -limit - flow), np.maximum(0, limit - flow)
    asked = program.Program(
        node=node,
        cost=np.full(len(feeders), -1.0),
        most=np.array([_capable(each, way) for each in feeders]),
        low=np.zeros(len(interfaces)),
        high=high if sign > 0 else -low,
        factors=np.array(rows).reshape(len(lines), len(interfaces)),
        line_low=down if sign > 0 else -up,
        line_high=up if sign > 0 else -down,
    )
    answer = program.optimise(asked)
    return answer, answer.kw


def _capable(each: Capability, way: str) -> float:
    return float(np.maximum(each.high_kw if way == UP else -each.low_kw, 0).sum())


def _proven(each: Capability, way: str, kw: float) -> float:
    """What of a feeder's part stands its power flow, kW: shared among its points by their envelopes."""
    capable = _capable(each, way)
    if kw <= 0 or capable <= 0:
        return 0.0
    direction = EXPORT if way == UP else IMPORT
    machine, live = computing.ready_at(each.run, each.interval, direction)
    place, limits = {der.der: row for row, der in zip(live.owner, live.all, strict=True)}, np.zeros(len(live.points))
    for ders, limit in zip(each.ders, each.high_kw if way == UP else -each.low_kw, strict=True):
        if (row := next((place[der] for der in ders if der in place), None)) is not None:
            limits[row] += max(limit, 0) * 1e3
    asked = computing.request_of(each.run, machine.feeder, live).at(each.interval)
    case = Case(machine, asked, computing.policy_of(each.run, live), direction, np.ones((1, len(live.points))))
    for part in STEPS:
        push = np.minimum(limits * (part * kw / capable), case.room[:, 0])
        if case.safe(push[:, None])[0]:
            return part * kw
    return 0.0


def _result(run, interface: TdInterface, n: int, feeders: list[Capability], rooms: dict, answers: dict, proven: dict) -> InterfaceResult:
    sums: dict[str, float] = defaultdict(float)
    rows = []
    for way in (UP, DOWN):
        for each, assigned, stands in zip(feeders, answers[way][1], proven[way], strict=True):
            if each.feeder.substation.td_interface_id == interface.pk:
                capable = _capable(each, way)
                rows.append([each.feeder.code, way, round(capable, 1), round(float(assigned), 1), round(stands, 1)])
                sums[f"capable_{way}_kw"] += capable
                sums[f"deliverable_{way}_kw"] += stands
                sums[f"derate_{way}_kw"] += max(0.0, assigned - stands)
    names = [f"{name}_{way}_kw" for name in ("capable", "deliverable", "derate") for way in (UP, DOWN)]
    values = {f"value_{way}": round(float(answers[way][0].node_value[n]), 4) for way in (UP, DOWN)}
    flow, low, high = rooms[interface.pk]
    facts = {"flow_kw": flow, "low_kw": low, "high_kw": high, "feeders": rows} | {name: round(sums[name], 1) for name in names}
    return InterfaceResult(run=run, td_interface=interface, edc=interface.edc, tso_id=run.tso_id, at=run.at, **facts, **values)


def _binding(way: str, lines: list[MonitoredLine], answer: program.Answer) -> list[list]:
    """Of the lines that bind: what is left on the side to which what is delivered moves their flow."""
    found, sign = [], 1 if way == UP else -1
    for line, kw, value in zip(lines, answer.line_kw, answer.line_value, strict=True):
        if value > 1e-6:
            side = np.sign(sign * kw) or np.sign(line.flow_kw)
            found.append([line.code, way, round(float(line.limit_kw - side * line.flow_kw), 1), round(float(value), 4)])
    return found


def _log(result: InterfaceResult) -> None:
    after = {way: getattr(result, f"deliverable_{way}_kw") for way in (UP, DOWN)}
    before = {way: kw + getattr(result, f"derate_{way}_kw") for way, kw in after.items()}
    said = {"act": "deliverability_derate", "subject": str(result), "reason": SYSTEM}
    log.write(actor=None, edc=result.edc, tso=result.run.tso, before=before, after=after, **said)
