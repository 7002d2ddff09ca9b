"""One direction of one request, made ready: evaluate a push at once for all intervals, know the limits, keep only rows that can bind."""

from functools import cached_property

import numpy as np
import scipy.sparse as sp

from operations.envelopes.solver.problem import Alarm, Policy, Request, legs_of
from operations.network.engine.controls import ControlledFlow
from operations.network.engine.feeder import FeederModel
from operations.network.engine.powerflow import PowerFlow
from operations.network.engine.sensitivity import Sensitivity, service_groups

NEAR = 0.85  # of its limit: a conductor below this at no push and at full push never binds between them
VOLT_RANGE = 0.05  # per unit: makes a voltage violation comparable with a relative overload
STATES = 24  # of controls whose factors and sensitivities are kept
SPARE = 5e-3  # of a rating that robust mode leaves: parts of a phase load windings a little more than the vertices of the box do
SHRINKS = (0.98, 0.98**3)  # of a push that did not pass its full check, one after the other
LEAST_PART = 0.05  # of full push that is tried where full push has no solution
CHUNK = 96  # intervals of a full check at once: bounds memory
ANSWERS, FIRST_SLOPE, STEEPEST, RESTS = 25, -1.5, -30.0, 2e-4  # rounds of volt-var; how it answers itself; of rated VA: it stands still


class Machine:
    """A feeder's factors and sensitivities, shared by both directions and by every later window of the same topology."""

    def __init__(self, feeder: FeederModel, other: "Machine | None" = None):
        self.feeder = feeder.at_constant_power()
        if other:
            self.fast, self.exact = other.fast.at(self.feeder), other.exact.at(self.feeder)
        else:
            self.fast, self.exact = PowerFlow(self.feeder, dtype=np.float32), PowerFlow(self.feeder)
        self.sensitivity = Sensitivity(self.exact, other and other.sensitivity)
        self.secondary = other.secondary if other else service_groups(self.feeder)  # controls join no secondaries
        self._at: dict[bytes, Machine] = {}

    @cached_property
    def controlled(self) -> ControlledFlow | None:
        """The power flow whose controls move; None for a feeder without any."""
        return ControlledFlow(self.feeder) if len(self.feeder.regulators) + len(self.feeder.capacitors) else None

    def at(self, taps: np.ndarray, closed: np.ndarray) -> "Machine":
        """The machine of the same feeder with its controls at a state; the last ones are kept."""
        key = taps.tobytes() + closed.tobytes()
        if key not in self._at:
            while len(self._at) >= STATES:
                self._at.pop(next(iter(self._at)))
            self._at[key] = Machine(self.feeder.with_controls(taps, closed), self)
        return self._at[key]


class Case:
    """The push of active points in one direction: x (A, T) watts from their anchors, 0 ≤ x ≤ room."""

    def __init__(self, machine: Machine, request: Request, policy: Policy, direction: int, masks: np.ndarray):
        self.machine, self.request, self.policy, self.direction, self.masks = machine, request, policy, direction, masks
        feeder = machine.feeder
        anchor = request.anchor_w
        self.room = (request.high_w - anchor if direction < 0 else anchor - request.low_w).astype(float)
        self.floor = np.zeros_like(self.room)
        self.count, self.scenarios = self.room.shape[1], len(masks)
        base, spread, legs, owner = legs_of(request, direction)
        self.base, self.spread = base.astype(np.complex64), spread.astype(np.complex64)
        self.steered = request.inverters if request.inverters is not None and request.inverters.follow_voltage else None
        self.shares = sp.csr_matrix((feeder.leg_share[legs], (legs, owner)), shape=spread.shape)
        self.volts = feeder.leg_volts[:, None].astype(np.float32)
        self.flows, self.alarms = 0, []
        groups = machine.secondary if request.groups is None else request.groups
        self.leg_group = groups
        self.group = np.zeros(len(request.active), int)
        self.group[owner] = groups[legs]
        self._screen()

    def granted(self) -> np.ndarray:
        """The push that points get before the others share, (A, T)."""
        side = self.request.granted_high_w if self.direction < 0 else self.request.granted_low_w
        return np.zeros_like(self.room) if side is None else np.clip(self.direction * (self.request.anchor_w - side), 0, self.room)

    def push(self, share: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """What shares (A, T') of their room make of the points' push, and at least what was granted."""
        return np.maximum(self.floor[:, columns], share * self.room[:, columns])

    def _power(self, push: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """Consumption of the legs for every scenario, scenario after scenario, (L, S·T'); NaN where volt-var finds no rest."""
        base, moved = self.base[:, columns], (self.direction * push).astype(np.float32)
        parts = [base + self.spread @ (moved if mask.all() else moved * mask[:, None].astype(np.float32)) for mask in self.masks]
        power = parts[0] if len(parts) == 1 else np.hstack(parts)
        if self.steered is None:
            return power
        anchor = self.request.anchor_w[:, columns]
        injected = np.hstack([anchor - self.direction * push * mask[:, None] for mask in self.masks])
        return power - self.shares @ (1j * self._answered(power, injected, self._sources(columns))).astype(np.complex64)

    def reactive(self, push: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """Consumption of the legs by volt-var where all push at once, (L, T'): nothing where nobody follows a curve."""
        if self.steered is None:
            return np.zeros((len(self.base), len(columns)))
        power = self.base[:, columns] + self.spread @ (self.direction * push).astype(np.float32)
        injected, volts = self.request.anchor_w[:, columns] - self.direction * push, self.request.source_volts
        return -1j * (self.shares @ self._answered(power, injected, None if volts is None else volts[:, columns]))

    def _answered(self, power: np.ndarray, injected: np.ndarray, sources: np.ndarray | None) -> np.ndarray:
        """Vars that volt-var injects (A, W) where all else consumes power (L, W): each point steps to where its line of answers, through
        its last two, meets its vars. NaN in columns that do not come to rest."""
        apparent, count = self.steered.apparent(len(injected))[:, None], injected.shape
        shared = np.maximum(np.asarray(self.shares.sum(0)).T, 1e-9)
        q, slope, todo = self.steered.answer(injected, np.ones(count)), np.full(count, FIRST_SLOPE), np.arange(count[1])
        last = np.full((2, *count), np.nan)
        for _ in range(ANSWERS):
            volts = None if sources is None or sources.shape[1] == 1 else sources[:, todo]
            found = self.machine.fast.solve(power[:, todo] - self.shares @ (1j * q[:, todo]).astype(np.complex64), source_volts=volts)
            wanted = self.steered.answer(injected[:, todo], self.shares.T @ (np.abs(found.legs) / self.volts) / shared)
            miss = wanted - q[:, todo]
            resting = ~(np.abs(miss) >= RESTS * apparent).any(0)  # where there is no solution there is nothing to wait for
            todo, wanted, miss = todo[~resting], wanted[:, ~resting], miss[:, ~resting]
            if not len(todo):
                return q
            went = q[:, todo] - last[0][:, todo]
            seen = np.divide(wanted - last[1][:, todo], went, out=np.full(went.shape, np.nan), where=np.abs(went) > RESTS * apparent)
            slope[:, todo] = np.where(np.isnan(seen), slope[:, todo], np.clip(seen, STEEPEST, 0))
            last[0][:, todo], last[1][:, todo] = q[:, todo], wanted
            q[:, todo] += miss / (1 - slope[:, todo])
        q[:, todo] = np.nan
        return q

    def _sources(self, columns: np.ndarray) -> np.ndarray | None:
        volts = self.request.source_volts
        return None if volts is None else np.tile(volts[:, columns], self.scenarios)

    def evaluate(self, push: np.ndarray, columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Voltages (S, L, T') and loadings of the kept conductors (S, R, T'), per unit, at a push (A, T'). NaN: no solution."""
        power = self._power(push, columns)
        found = self.machine.fast.solve(power, source_volts=self._sources(columns))
        self.flows += power.shape[1]
        with np.errstate(invalid="ignore"):
            drawn = np.conj(power / found.legs)
        idle = self.idle if self.idle.shape[1] == 1 else np.tile(self.idle[:, columns], self.scenarios)
        loading = np.abs(idle + self.reach_k @ drawn) / self.amps
        return self._by_scenario(np.abs(found.legs) / self.volts), self._by_scenario(loading)

    def _by_scenario(self, values: np.ndarray) -> np.ndarray:
        return values.reshape(len(values), self.scenarios, values.shape[1] // self.scenarios).swapaxes(0, 1)

    def exactly(self, push: np.ndarray, columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """As evaluate(), for every rated conductor and in double precision."""
        power, rows = self._power(push, columns), self.machine.feeder.current_rows
        found = self.machine.exact.solve(power, source_volts=self._sources(columns), nodes=True)
        self.flows += power.shape[1]
        amps = self.machine.feeder.rating_amps[:, None] * self.policy.loading
        return self._by_scenario(np.abs(found.legs) / self.volts), self._by_scenario(np.abs(rows @ found.nodes) / amps)

    def _screen(self) -> None:
        """Base case, full push, limits that never ask for better than the base case, and the rows that can bind."""
        rows = len(self.machine.feeder.rating_amps)
        self.v_base, i_base = np.empty(self.base.shape, np.float32), np.empty((rows, self.count), np.float32)
        self.v_full = np.empty((self.scenarios, *self.base.shape), np.float32)
        i_full = np.empty((self.scenarios, rows, self.count), np.float32)
        single = self.masks
        for first in range(0, self.count, CHUNK):
            columns = np.arange(first, min(self.count, first + CHUNK))
            self.masks, self.scenarios = single[:1], 1
            v, i = self.exactly(np.zeros((len(self.group), len(columns))), columns)
            self.v_base[:, columns], i_base[:, columns] = v[0], i[0]
            self.masks, self.scenarios = single, len(single)
            self.v_full[:, :, columns], i_full[:, :, columns] = self.exactly(self.room[:, columns], columns)
        self._reach_where_nothing_flows(i_base, i_full)
        low, high = np.float32(self.policy.v_min), np.float32(self.policy.v_max)
        v = self.v_base
        self.v_high = np.where(v > high - 1e-3, np.maximum(high, v + 1e-3), high).astype(np.float32)
        self.v_low = np.where(v < low + 1e-3, np.minimum(low, v - 1e-3), low).astype(np.float32)
        i_high = np.where(i_base > 0.98, np.maximum(1, i_base * 1.02), 1 - SPARE * (self.scenarios > 1)).astype(np.float32)
        self.all_i_high = i_high
        self._raise_alarms(i_base)
        worst = np.nan_to_num(np.maximum(i_base, i_full.max(0)), nan=np.inf)
        kept = np.flatnonzero((worst / i_high > NEAR).any(1))
        self.rows, self.i_high, self.i_base, self.i_full = kept, i_high[kept], i_base[kept], i_full[:, kept]
        self._reach()

    def _reach(self) -> None:
        """Ratings of the kept conductors, and how their currents follow those of the legs."""
        self.amps = (self.machine.feeder.rating_amps[self.rows, None] * self.policy.loading).astype(np.float32)
        self.reach_k = self.machine.sensitivity.currents(self.rows).astype(np.complex64)
        self.idle = self.machine.sensitivity.idle_currents(self.rows, self.request.source_volts).astype(np.complex64)

    @property
    def without(self) -> tuple[np.ndarray, np.ndarray]:
        """Voltages and loadings without any push, as evaluate() gives them."""
        return self.v_base[None], self.i_base[None]

    def _reach_where_nothing_flows(self, i_base: np.ndarray, i_full: np.ndarray) -> None:
        """Where full push has no solution, what a part of it that has one says of it: voltages in a straight line, currents at most."""
        self.unsolved = np.isnan(self.v_full).any((0, 1))
        todo, part = np.flatnonzero(self.unsolved), 1.0
        while len(todo) and part > LEAST_PART:
            part /= 2
            for first in range(0, len(todo), CHUNK):
                columns = todo[first : first + CHUNK]
                volts, loading = self.exactly(part * self.room[:, columns], columns)
                self.v_full[:, :, columns] = self.v_base[:, columns] + (volts - self.v_base[:, columns]) / part
                i_full[:, :, columns] = (loading + i_base[:, columns]) / part
            todo = todo[np.isnan(self.v_full[:, :, todo]).any((0, 1))]

    def _raise_alarms(self, i_base: np.ndarray) -> None:
        """The worst interval of every element that the forecast alone takes over its limit."""
        names = self.machine.feeder.points[self.machine.feeder.leg_point]
        found = (("high voltage", names, self.v_base, self.policy.v_max, 1), ("low voltage", names, self.v_base, self.policy.v_min, -1))
        found += (("overload", self.machine.feeder.rating_names, i_base, 1.0, 1),)
        for kind, labels, values, limit, sign in found:
            over = (sign * (values - limit)).max(1, initial=-np.inf)
            for row in np.flatnonzero(over > 1e-6):
                interval = int(np.argmax(sign * values[row]))
                self.alarms.append(Alarm(kind, str(labels[row]), interval, float(values[row, interval]), limit))

    def excess(self, volts: np.ndarray, loading: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """How far the worst row is over its limit, (T',): ≤ 0 is feasible, 1 is a whole voltage band or rating; no solution is 10."""
        over = np.maximum(volts - self.v_high[:, columns], self.v_low[:, columns] - volts).max((0, 1)) / VOLT_RANGE
        if loading.shape[1]:
            over = np.maximum(over, (loading - self.i_high[:, columns]).max((0, 1)))
        return np.nan_to_num(over, nan=10.0)

    def safe(self, push: np.ndarray) -> np.ndarray:
        """Which intervals stand a full check in double precision of every leg and every rated conductor, (T,)."""
        good = np.zeros(self.count, bool)
        for first in range(0, self.count, CHUNK):
            columns = np.arange(first, min(self.count, first + CHUNK))
            volts, loading = self.exactly(push[:, columns], columns)
            over = np.maximum(volts - self.v_high[:, columns], self.v_low[:, columns] - volts).max((0, 1))
            over = np.maximum(over, (loading - self.all_i_high[:, columns]).max((0, 1), initial=-1))
            good[columns] = over <= 1e-5  # NaN compares false
        return good

    def proven(self, push: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The push (A, T) and which intervals pass the full check; failing ones are shrunk twice and then closed."""
        checked = self.safe(push)
        for scale in SHRINKS:
            if checked.all():
                break
            push = np.where(checked, push, push * scale)
            checked = checked | self.safe(push)
        return np.where(checked, push, 0.0), checked
