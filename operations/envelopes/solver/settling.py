"""Regulators that move and capacitors that switch: limits hold wherever in their bands the controls rest, with the push and without.

A regulator rests anywhere in its band, where its past left it: exports are held against the highest positions in which it rests, imports
against the lowest. An interval is solved with its controls where the forecast alone lets them rest. Its push settles them anew; where that
is another state, the interval is solved there with no more room than the push before, until the push leads to a state in which it was
solved. It is then proven in every state on that way. Intervals in the same state share factors and sensitivities."""

from dataclasses import dataclass, replace

import numpy as np

from operations.envelopes.solver import solve
from operations.envelopes.solver.blocks import DEVICE
from operations.envelopes.solver.case import SHRINKS, Case, Machine
from operations.envelopes.solver.problem import EXPORT, Allocation, Policy, Request, legs_of

ROUNDS = 5
FULL = 1 - 1e-4


@dataclass
class _States:
    """Where the controls stand in every interval: taps (T, regulators), closed (T, capacitors); settled (T,)."""

    taps: np.ndarray
    closed: np.ndarray
    settled: np.ndarray

    def key(self, t: int) -> bytes:
        return self.taps[t].tobytes() + self.closed[t].tobytes()

    def alike(self, columns: np.ndarray) -> list[np.ndarray]:
        """Columns in groups of equal state."""
        groups: dict[bytes, list[int]] = {}
        for t in columns.tolist():
            groups.setdefault(self.key(t), []).append(t)
        return [np.array(group) for group in groups.values()]


def at_rest(machine: Machine, request: Request, direction: int) -> Machine:
    """The machine of one interval's feeder with its controls where the forecast alone settles them from where the model has them, as a
    direction is held against it."""
    if machine.controlled is None:
        return machine
    found = machine.controlled.solve(legs_of(request, direction)[0], source_volts=request.source_volts)
    return machine.at(found.taps[0], found.closed[0]) if found.settled[0] else machine


def direct(machine: Machine, request: Request, policy: Policy, direction: int) -> Allocation:
    """One direction's allocation with controls that move. An interval in which they find no rest carries no room."""
    base, spread, *_ = legs_of(request, direction)
    every = np.arange(base.shape[1])
    states = _settle(machine, base, request, every, direction)
    found, met, cases = _Found(request, direction), [set() for _ in every], []
    resting, todo = states.settled.copy(), every[states.settled]
    answered = np.zeros(base.shape, complex)
    for turn in range(ROUNDS):
        for columns in states.alike(todo):
            at = machine.at(states.taps[columns[0]], states.closed[columns[0]])
            part, case = solve.direct(at, found.limited(request).during(columns), policy, direction)
            found.take(columns, part, first=not turn)
            answered[:, columns] = case.reactive(found.push[:, columns], np.arange(len(columns)))
            cases.append((columns, case, part.push_w))
            for t in columns:
                met[t].add(states.key(t))
        pushed = base[:, todo] + direction * (spread @ found.push[:, todo]) + answered[:, todo]
        led = _settle(machine, pushed, request, todo, direction)
        moved = np.array([not led.settled[i] or led.key(i) not in met[t] for i, t in enumerate(todo)], bool)
        resting[todo] = ~moved
        states.taps[todo], states.closed[todo] = led.taps, led.closed
        resting[todo[~led.settled]] = False
        todo = todo[moved & led.settled]
        if not len(todo):
            break
    proven = found.proven(cases, resting)
    if request.capability is None:
        return proven
    pushed = base + direction * (spread @ proven.push_w) + answered
    return _unmoved(machine, request, proven, pushed, met)


def _unmoved(machine: Machine, request: Request, proven: Allocation, pushed: np.ndarray, met: list[set[bytes]]) -> Allocation:
    """The allocation without reactive power in intervals in which it would move the controls to another state."""
    every, shares = np.arange(pushed.shape[1]), legs_of(replace(request, inverters=None), proven.direction)[1]
    still = proven.checked.copy()
    for q in (proven.least_var, proven.most_var):
        led = _settle(machine, pushed - 1j * (shares @ q), request, every, proven.direction)
        still &= np.array([led.settled[t] and led.key(t) in met[t] for t in every], bool)
    return replace(proven, least_var=np.where(still, proven.least_var, 0), most_var=np.where(still, proven.most_var, 0))


def _settle(machine: Machine, leg_va: np.ndarray, request: Request, columns: np.ndarray, direction: int) -> _States:
    """The highest positions in which the controls rest, for exports, and the lowest for imports: from where they settle, they are moved as
    far as their bands reach, with all banks closed or open, and settle again."""
    regulators, banks, up = machine.feeder.regulators, machine.feeder.capacitors, direction == EXPORT
    volts = None if request.source_volts is None else request.source_volts[:, columns]
    near = machine.controlled.solve(leg_va, source_volts=volts)
    step = regulators["tap_step"]
    reach = (np.ceil(regulators["band"] * regulators["pt_ratio"] / regulators["winding_volts"] / step) + 1) * step
    taps = np.clip(near.taps + (reach if up else -reach), regulators["tap_min"], regulators["tap_max"])
    found = machine.controlled.solve(leg_va, source_volts=volts, start=(taps, np.full((len(columns), len(banks)), up)))
    settled = found.settled[:, None]
    taps, closed = np.where(settled, found.taps, near.taps), np.where(settled, found.closed, near.closed)
    return _States(taps, closed, near.settled)


class _Found:
    """The allocation of all intervals, put together from those of each state."""

    def __init__(self, request: Request, direction: int):
        self.direction, self.anchor = direction, request.anchor_w
        self.room = (request.high_w - self.anchor if direction == EXPORT else self.anchor - request.low_w).astype(float)
        self.push = self.room.copy()
        self.binding = np.full(self.room.shape, DEVICE, np.int32)
        self.headroom = np.zeros(self.room.shape, np.float32)
        self.checked = np.zeros(self.room.shape[1], bool)
        self.names, self.flows, self.alarms = np.array([]), 0, []
        self.vars = None if request.capability is None else np.zeros((2, *self.room.shape))

    def limited(self, request: Request) -> Request:
        """The request with no more room than the push so far."""
        if self.direction == EXPORT:
            return replace(request, high_w=self.anchor + self.push)
        return replace(request, low_w=self.anchor - self.push)

    def take(self, columns: np.ndarray, part: Allocation, *, first: bool) -> None:
        """Intervals that were solved in one state; only what stops a point there replaces what stopped it before."""
        self.push[:, columns], self.checked[columns] = part.push_w, part.checked
        if self.vars is not None:
            self.vars[:, :, columns] = part.least_var, part.most_var
        stopped = part.binding != DEVICE
        self.binding[:, columns] = np.where(stopped, part.binding, self.binding[:, columns])
        self.headroom[:, columns] = np.where(stopped, part.headroom, self.headroom[:, columns])
        self.names, self.flows = part.row_names, self.flows + part.flows
        if first:
            self.alarms += [replace(alarm, interval=int(columns[alarm.interval])) for alarm in part.alarms]

    def proven(self, cases: list[tuple[np.ndarray, Case, np.ndarray]], resting: np.ndarray) -> Allocation:
        """The allocation, checked again in every state on its way; intervals that fail go back twice, then close."""
        holds = self._holds(cases)
        for scale in SHRINKS:
            if holds.all():
                break
            self.push = np.where(holds, self.push, self.push * scale)
            holds |= self._holds(cases)
        good = self.checked & resting & holds
        push = np.where(good & (self.room > 0), self.push, 0.0)
        share = np.divide(push, self.room, out=np.ones_like(push), where=self.room > 0)
        free = push >= self.room * FULL
        binding, headroom = np.where(free, DEVICE, self.binding), np.where(free, 0, self.headroom)
        least, most = (None, None) if self.vars is None else np.where(good, self.vars, 0)
        return Allocation(self.direction, push, share, binding, headroom, self.names, good, self.flows, self.alarms, least, most)

    def _holds(self, cases: list[tuple[np.ndarray, Case, np.ndarray]]) -> np.ndarray:
        """Which intervals pass the full check in all their states; a push that was proven in a state is not checked there again."""
        holds = np.ones(len(self.checked), bool)
        for columns, case, proven in cases:
            if not np.array_equal(self.push[:, columns], proven):
                holds[columns] &= case.safe(self.push[:, columns])
        return holds
