"""The reactive power that inverters of known capability may inject and absorb beside a direction's limits, where the grid has room for it.

Active power comes first. What the capability curve leaves at the limits is shared as the groups' room is, and held with every vertex of
the box of active power, and with none of it: a service that is at its highest voltage when it exports may absorb, and inject nothing."""

from dataclasses import replace

import numpy as np

from operations.envelopes.solver import groups
from operations.envelopes.solver.case import CHUNK, NEAR, Case
from operations.envelopes.solver.inverters import Capability
from operations.envelopes.solver.problem import EXPORT, IMPORT, Allocation, Request

TOGETHER = 24  # intervals in a row that get the same part of what their capability leaves
HALF = 0.5  # of what is left to either way, where some may inject while others absorb
LITTLE = 1.0  # VA: less than this is nothing


class Reactive(Case):
    """Vars as the push of a case whose active push is done: EXPORT injects them, IMPORT absorbs them. The limits are the case's own."""

    def __init__(self, case: Case, push: np.ndarray, direction: int, room: np.ndarray):
        self.__dict__ |= case.__dict__
        self.direction, self.flows, self.alarms = direction, 0, []
        self.policy, self.room, self.floor = replace(case.policy, method="group"), room, np.zeros_like(room)
        self.spread = (1j * case.shares).astype(np.complex64)
        self._rests, self.masks = self._vertices(case, push)
        self.scenarios = len(self.masks)

    def during(self, columns: np.ndarray) -> "Reactive":
        """The same of some intervals, ready to be shared."""
        part = object.__new__(Reactive)
        part.__dict__ |= self.__dict__
        for name in ("base", "room", "floor", "v_high", "v_low", "all_i_high"):
            setattr(part, name, getattr(self, name)[:, columns])
        part._rests, part.request, part.count = [rest[:, columns] for rest in self._rests], self.request.during(columns), len(columns)
        part._screen()
        return part

    @staticmethod
    def _vertices(case: Case, push: np.ndarray) -> tuple[list[np.ndarray], np.ndarray]:
        """Consumption of the legs, (L, T) each, and who gives vars, (S, A). With all of the active push and with none of it each vertex of
        the vars; with that of one phase the vars of the same, of all others and of all: phases lift each other by their neutral."""
        pushed = case._by_scenario(case._power(push, np.arange(case.count)))
        bases, masks = [pushed[0], case.base], case.masks
        pairs = [(base, mask) for base in bases for mask in masks]
        for base, own in zip(pushed[1:], masks[1:], strict=True):
            if 2 * own.sum() <= len(own):
                pairs += [(base, own), (base, 1 - own), (base, masks[0])]
        return [base for base, _ in pairs], np.array([mask for _, mask in pairs])

    def granted(self) -> np.ndarray:
        return self.floor

    def _power(self, push: np.ndarray, columns: np.ndarray) -> np.ndarray:
        moved = (self.direction * push).astype(np.float32)
        parts = [rest[:, columns] + self.spread @ (moved * mask[:, None]) for rest, mask in zip(self._rests, self.masks, strict=True)]
        return np.hstack(parts)

    def _screen(self) -> None:
        """What nothing and all of the room do, in every scenario, and the rows that can bind; no room where all of it has no solution."""
        parts = [np.arange(first, min(self.count, first + CHUNK)) for first in range(0, self.count, CHUNK)]
        none, every = ([self.exactly(push[:, columns], columns) for columns in parts] for push in (self.floor, self.room))
        (self.v_base, i_base), (self.v_full, i_full) = (tuple(np.concatenate(each, 2) for each in zip(*found)) for found in (none, every))
        self.unsolved = np.isnan(self.v_full).any((0, 1))
        self.room = np.where(self.unsolved, 0, self.room)
        for full, base in ((self.v_full, self.v_base), (i_full, i_base)):
            full[:, :, self.unsolved] = base[:, :, self.unsolved]
        worst = np.nan_to_num(np.maximum(i_base, i_full).max(0), nan=np.inf)
        self.rows = np.flatnonzero((worst / self.all_i_high > NEAR).any(1))
        self.i_high, self.i_base, self.i_full = self.all_i_high[self.rows], i_base[:, self.rows], i_full[:, self.rows]
        self._reach()

    @property
    def without(self) -> tuple[np.ndarray, np.ndarray]:
        return self.v_base, self.i_base


def beside(case: Case, push: np.ndarray, capability: Capability) -> tuple[np.ndarray, np.ndarray]:
    """Vars that each point may absorb (as a negative number) and inject while it goes as far as its push, (A, T) twice."""
    left = capability.left(moved(case.request, push, case.direction), exporting=case.direction == EXPORT)
    absorb, inject = capability.summed(left, len(push))
    return -_shared(case, push, IMPORT, absorb), _shared(case, push, EXPORT, inject)


def moved(request: Request, push: np.ndarray, direction: int) -> np.ndarray:
    """The most watts, either way, between where a direction starts and where its push ends, (A, T)."""
    return np.maximum(np.abs(request.anchor_w), np.abs(request.anchor_w - direction * push))


def divided(request: Request, found: Allocation) -> np.ndarray:
    """Of what an allocation leaves its points each inverter's part, by what it has left: least and most vars, (2, n, T)."""
    capability, exporting = request.capability, found.direction == EXPORT
    left = capability.left(moved(request, found.push_w, found.direction), exporting=exporting)
    total = capability.summed(left, len(found.push_w))[:, capability.owner]
    part = np.divide(left, total, out=np.zeros_like(left), where=total > 0)
    return part * np.stack([found.least_var, found.most_var])[:, capability.owner]


def _shared(case: Case, push: np.ndarray, direction: int, room: np.ndarray) -> np.ndarray:
    """Some intervals in a row get what the two of them that are nearest to a limit of voltage leave; each is proven by itself."""
    if not (room > LITTLE).any():
        return np.zeros_like(room)
    own, shares = Reactive(case, push, direction, room), np.zeros((int(case.leg_group.max()) + 1, case.count))
    parts = [np.arange(first, min(case.count, first + TOGETHER)) for first in range(0, case.count, TOGETHER)]
    ends = [np.unique([part[case.v_base[:, part].max(0).argmax()], part[case.v_base[:, part].min(0).argmin()]]) for part in parts]
    told = own.during(np.concatenate(ends))
    start = told.excess(told.v_full, told.i_full, np.arange(told.count)) <= 0
    found = groups.allocate(told, start.astype(float)) * (HALF if case.policy.robust else 1)
    last = np.cumsum([len(each) for each in ends])
    for part, end, count in zip(parts, last, map(len, ends), strict=True):
        shares[:, part] = found[:, end - count : end].min(1, keepdims=True)
    found, _ = own.proven(own.push(shares[own.group], np.arange(own.count)))
    return np.where(found > LITTLE, found, 0.0)
