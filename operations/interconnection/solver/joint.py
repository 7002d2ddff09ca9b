"""Several resources at once: what all of them together may do by month and hour, shared as the feeder's policy says."""

from dataclasses import dataclass

import numpy as np

from operations.envelopes.solver.case import Machine
from operations.envelopes.solver.problem import EXPORT, Policy, Request
from operations.envelopes.solver.solve import direct
from operations.interconnection.solver.study import LITTLE, named


@dataclass(frozen=True, eq=False)
class Joint:
    """One direction, by month and hour (288,): share of what all ask for that they get, what binds the one that gets least; and per
    resource (n,): the power that is always possible, watts, the column in which it is least, and what binds there ("": nothing)."""

    share: np.ndarray
    kind: np.ndarray
    element: np.ndarray
    always_w: np.ndarray
    worst: np.ndarray
    binds: np.ndarray
    unchecked: int
    alarms: int


def screen(machine: Machine, base_va: np.ndarray, points: np.ndarray, asked_w: np.ndarray, direction: int, policy: Policy) -> Joint:
    """All resources together: points (n,) of the feeder behind which they are, asked_w (n, 288) what they do at the most.

    Those behind one point share its room in proportion to what they ask."""
    active, place = np.unique(points, return_inverse=True)
    total = np.zeros((len(active), asked_w.shape[1]))
    np.add.at(total, place, asked_w)
    low, high = (np.zeros_like(total), total) if direction == EXPORT else (-total, np.zeros_like(total))
    found = direct(machine, Request(machine.feeder, base_va, active, low, high), policy, direction)[0]
    part = np.divide(found.push_w, total, out=np.ones_like(total), where=total > 0)
    kind, element = named(found, len(machine.feeder.leg_from))
    kind = np.where(part < 1 - LITTLE, np.where(kind == "", "voltage", kind), "")
    column = np.arange(part.shape[1])
    least = part.argmin(0)
    got, asked = found.push_w.sum(0), total.sum(0)
    share = np.divide(got, asked, out=np.ones_like(asked), where=asked > 0)
    own = part[place]
    possible = np.where(own < 1 - LITTLE, own * asked_w, np.inf)
    worst = possible.argmin(1)
    rows = np.arange(len(points))
    always = np.minimum(possible[rows, worst], asked_w.max(1))
    return Joint(
        share=share,
        kind=kind[least, column],
        element=element[least, column],
        always_w=always,
        worst=worst,
        binds=np.where(np.isfinite(possible[rows, worst]), kind[place, worst], ""),
        unchecked=int((~found.checked).sum()),
        alarms=len(found.alarms),
    )
