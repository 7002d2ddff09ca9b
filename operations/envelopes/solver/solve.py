"""The whole of it: both directions of a request under a policy, checked, explained."""

from dataclasses import replace

import numpy as np

from operations.envelopes.solver import groups, kvar, ray
from operations.envelopes.solver.case import Case, Machine
from operations.envelopes.solver.explain import bindings
from operations.envelopes.solver.problem import EXPORT, IMPORT, Allocation, Envelopes, Policy, Request
from operations.network.engine.feeder import FeederModel
from operations.network.engine.powerflow import PowerFlow

METHODS = ("group", "proportional", "equal", "weighted", "maximum")
BETWEEN = 0.75  # of the way from one phase to the next: nearer, a leg is of that phase


def solve(request: Request, policy: Policy, machine: Machine | None = None) -> Envelopes:
    """Envelopes of every active point and interval; machine: that of an earlier window on the same topology."""
    if policy.method not in METHODS:
        raise ValueError(f"{policy.method} is no policy; {', '.join(METHODS)} are.")
    machine = machine or Machine(request.feeder)
    if policy.controls and machine.controlled is not None:
        from operations.envelopes.solver import settling  # it solves with frozen controls, which is here

        importing, exporting = (settling.direct(machine, request, policy, direction) for direction in (IMPORT, EXPORT))
    else:
        importing, exporting = (direct(machine, request, policy, direction)[0] for direction in (IMPORT, EXPORT))
    anchor = request.anchor_w
    return Envelopes(anchor - importing.push_w, anchor + exporting.push_w, importing, exporting)


def direct(machine: Machine, request: Request, policy: Policy, direction: int) -> tuple[Allocation, Case]:
    """One direction's allocation, proven by a full check, and its case; an interval that fails it goes back towards the base case."""
    case = Case(
        machine, request, policy, direction, vertices(machine.feeder, request.active, machine.exact) if policy.robust else corner(request)
    )
    found = settle(case)
    if request.capability is not None:
        least, most = kvar.beside(case, found.push_w, request.capability)
        found = replace(found, least_var=np.where(found.checked, least, 0), most_var=np.where(found.checked, most, 0))
    return found, case


def settle(case: Case) -> Allocation:
    """The allocation of a case that is made ready."""
    if (granted := case.granted()).any():
        case.floor = ray.carried(case, granted)
    push = np.where(case.room > 0, _push(case), 0.0)
    push, checked = case.proven(push)
    share = np.divide(push, case.room, out=np.ones_like(push), where=case.room > 0)
    binding, headroom, names = bindings(case, push)
    return Allocation(case.direction, push, share, binding, headroom, names, checked, case.flows, case.alarms)


def _push(case: Case) -> np.ndarray:
    if case.policy.method in ("proportional", "equal", "weighted"):
        step = ray.step_of(case)
        return np.clip(ray.along(case, step) * step, case.floor, case.room)
    start = ray.along(case, case.room)
    shares = groups.allocate(case, start)
    push = case.push(shares[case.group], np.arange(case.count))
    if case.policy.method == "maximum":
        from operations.envelopes.solver import maximum  # HiGHS is loaded where it is used

        return maximum.improve(case, push)
    return push


def corner(request: Request) -> np.ndarray:
    """All points at once, and nothing else, (1, A)."""
    return np.ones((1, len(request.active)))


def vertices(feeder: FeederModel, active: np.ndarray, flow: PowerFlow | None = None) -> np.ndarray:
    """All points; then only those of each phase; then all but these, as masks (S, A). A leg's phase is its place among the three by the
    angle of its voltage without load, so that points behind single-phase transformers are sorted too; a leg between two of them (a delta
    among wyes) is of both, and a point is of all its legs' phases."""
    place = np.full(len(feeder.points), -1)
    place[active] = np.arange(len(active))
    legs = np.flatnonzero(place[feeder.leg_point] >= 0)
    volts = (flow or PowerFlow(feeder)).solve(np.zeros((len(feeder.leg_from), 1), complex)).legs[legs, 0]
    turn = np.rad2deg(np.angle(volts)) / 60
    turn -= np.angle(np.exp(2j * np.pi * turn).sum()) / (2 * np.pi)  # where most legs are whole
    away = np.abs((turn[:, None] - np.arange(3) + 1.5) % 3 - 1.5)  # opposite voltages are of one phase
    of = np.zeros((3, len(active)))
    np.maximum.at(of.T, place[feeder.leg_point[legs]], away < BETWEEN)
    masks = [np.ones(len(active)), *of, *(1 - of)]
    return np.unique([mask for mask in masks if mask.any()], axis=0)[::-1]
