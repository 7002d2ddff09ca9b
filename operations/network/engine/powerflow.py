"""Batched power flow of one feeder: many intervals and scenarios on one factorised admittance matrix."""

from copy import copy
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy.sparse as sp
from scipy.sparse.linalg import SuperLU, splu

from operations.network.engine import kernels
from operations.network.engine.factors import Factors
from operations.network.engine.feeder import FeederModel

ORDERING = {"permc_spec": "MMD_AT_PLUS_A", "diag_pivot_thresh": 0.0, "options": {"SymmetricMode": True}}
TOLERANCE = {np.dtype(np.float64): 1e-9, np.dtype(np.float32): 3e-6}
BLOCK = 32  # intervals per pass of the kernel: a block of voltages stays in the second-level cache
MOST = 60


@dataclass(frozen=True)
class Solution:
    """Leg voltages (L, T) in volts; converged (T,); rounds used at most. A column that did not converge holds NaN.
    nodes (n, T) where they were asked for."""

    legs: np.ndarray
    converged: np.ndarray
    rounds: int
    nodes: np.ndarray | None = None


def factorise(matrix: sp.csc_matrix) -> SuperLU:
    """LU of a structurally symmetric admittance matrix with a symmetric, fill-reducing order."""
    return splu(matrix.tocsc(), **ORDERING)


def _damping(feeder: FeederModel) -> np.ndarray:
    """Part of each leg's nominal admittance that belongs in the factors, (L,): all of an impedance; three tenths of constant power,
    whose current falls as voltage rises (measured: IEEE 8500 needs 10 rounds instead of 17)."""
    _, c1, c2, c3, c4 = feeder.response_p.T
    return np.clip(0.3 + 0.35 * (c1 + 2 * c2 + c3 * c4), 0, 1)[feeder.leg_point]


def _strict(factor: sp.csc_matrix, order: np.ndarray) -> sp.csc_matrix:
    """A triangular factor without its diagonal, indices sorted."""
    entries = factor.tocoo()
    off = entries.row != entries.col
    return sp.csc_matrix((entries.data[off], (entries.row[off], entries.col[off])), shape=(len(order), len(order)))


class PowerFlow:
    """The power flow of a feeder at one state of its controls.

    dtype float32 is twice as fast and agrees to about 2e-6 per unit; native=False solves with SciPy alone. damped: with all of the points'
    nominal admittance in the factors, which takes more rounds, but comes to rest behind open phases and long lines too; what does not come
    to rest without is tried so once more."""

    def __init__(self, feeder: FeederModel, *, dtype=np.float64, native: bool = True, block: int = BLOCK, damped: bool = False):
        self.feeder, self.dtype, self.block = feeder, np.dtype(dtype), block
        self._complex = np.complex64 if self.dtype == np.float32 else np.complex128
        self.native = native and kernels.numba is not None
        self.live_nodes = np.flatnonzero(feeder.alive)
        self.live_legs = np.flatnonzero(feeder.alive[feeder.leg_from])
        place = np.full(len(feeder.nodes) + 1, -1, dtype=np.int32)
        place[self.live_nodes] = np.arange(len(self.live_nodes))
        self._from, self._to = place[feeder.leg_from[self.live_legs]], place[feeder.leg_to[self.live_legs]]
        self._place, self._whole = place, len(self.live_nodes) == len(feeder.nodes)
        self.incidence = feeder.incidence if self._whole else feeder.incidence[self.live_nodes][:, self.live_legs].tocsc()
        volts = feeder.leg_volts[self.live_legs]
        self.damped, self._again = damped, None
        damping = np.ones(len(feeder.leg_point)) if damped else _damping(feeder)
        self._reference = damping[self.live_legs] * np.conj(feeder.leg_va()[self.live_legs]) / volts**2
        self.factors = factorise(self._matrix())
        self._solved = self.factors.solve
        self._own_start = self._solved(self._sourced(feeder.source_volts[:, None]))
        point = feeder.leg_point[self.live_legs]
        self.response = (volts, feeder.response_p[point], feeder.response_q[point], feeder.clamp[point])
        flat = np.all(feeder.response_p[:, 0] == 1) and np.all(feeder.response_q[:, 0] == 1)
        self.plain = bool(flat and np.all(np.isinf(feeder.clamp[:, 1])) and np.all(feeder.clamp[:, 0] <= 0))
        if self.native:
            self._prepare()

    @cached_property
    def ybus(self) -> sp.csc_matrix:
        """Nodal admittance of the live nodes, (n', n') siemens."""
        feeder, live = self.feeder, self.live_nodes
        return feeder.ybus if self._whole else feeder.ybus[live][:, live].tocsc()

    def _matrix(self) -> sp.csc_matrix:
        return self.ybus + self.incidence @ sp.diags(self._reference) @ self.incidence.T

    @cached_property
    def _renewable(self) -> Factors:
        """The factors once more, in a form that few changed entries renew."""
        return Factors(self._matrix(), self.factors.perm_r)

    def at(self, feeder: FeederModel) -> "PowerFlow":
        """The power flow of the same feeder with its controls in another state, its factors renewed where that changes them."""
        options = {"dtype": self.dtype, "native": self.native, "block": self.block, "damped": self.damped}
        if not self.native or not np.array_equal(self.feeder.alive, feeder.alive):
            return PowerFlow(feeder, **options)
        element, row, column = feeder._entries
        before, after = (np.where(each.in_service[element], each.admittances, 0) for each in (self.feeder, feeder))
        rows, columns = (self._place[feeder.element_nodes[each]] for each in (row, column))
        changed = np.flatnonzero((before != after) & (rows >= 0) & (columns >= 0))
        renewed = self._renewable.changed(rows[changed], columns[changed], (after - before)[changed])
        if renewed is None:
            return PowerFlow(feeder, **options)
        other = copy(self)
        for cached in ("ybus", "_renewable", "_start", "factors"):
            other.__dict__.pop(cached, None)
        other.feeder, other._again, other._packed = feeder, None, renewed.packed(self.dtype)
        other._solved = renewed.solve
        other._own_start = renewed.solve(self._sourced(feeder.source_volts[:, None]))
        return other

    def _prepare(self) -> None:
        """Factors, legs and responses in the kernel's own order and precision."""
        rows, columns = self.factors.perm_r, self.factors.perm_c
        if not np.array_equal(rows, columns):
            raise ValueError("The admittance matrix of this feeder needed pivoting; its model has a node without admittance.")
        real = lambda values: np.ascontiguousarray(values, dtype=self.dtype)  # noqa: E731
        self._order = rows
        packed = []
        for factor in (self.factors.L, self.factors.U):
            strict = _strict(factor, rows)
            strict.sort_indices()
            packed += [strict.indptr.astype(np.int32), strict.indices.astype(np.int32), real(strict.data.real), real(strict.data.imag)]
        diagonal = 1 / self.factors.U.diagonal()
        self._packed = (*packed, real(diagonal.real), real(diagonal.imag))
        ends = rows[self._from].astype(np.int32), np.where(self._to >= 0, rows[self._to], -1).astype(np.int32)
        self._legs = (*ends, real(self._reference.real), real(self._reference.imag))
        self._answers = tuple(real(part if not self.plain else part[:0]) for part in self.response)

    def start(self, source_volts: np.ndarray) -> np.ndarray:
        """Voltages of the live nodes with every point at its reference admittance, (n', T) for volts (k, T)."""
        return self._start @ source_volts

    @cached_property
    def _start(self) -> np.ndarray:
        """Voltages of the live nodes at one volt of each source alone, (n', k)."""
        return self._solved(self.feeder.source_matrix[self.live_nodes].toarray())

    def _sourced(self, source_volts: np.ndarray) -> np.ndarray:
        """Norton currents of the sources at the live nodes, (n', T)."""
        return self.feeder.source_matrix[self.live_nodes] @ source_volts

    def solve(
        self,
        leg_va: np.ndarray,
        *,
        source_volts: np.ndarray | None = None,
        tolerance: float | None = None,
        most: int = MOST,
        nodes: bool = False,
    ) -> Solution:
        """Solves T intervals: leg_va (L, T) consumption in VA, source_volts (k, T) or the model's own."""
        tolerance = TOLERANCE[self.dtype] if tolerance is None else tolerance
        power = leg_va if len(self.live_legs) == len(leg_va) else leg_va[self.live_legs]
        start = self._own_start if source_volts is None else self.start(source_volts)
        run = self._native if self.native else self._plain
        voltages, error, rounds = run(power, start, tolerance, most, nodes)
        converged = error <= tolerance
        if not self.damped and not converged.all():
            converged = self._patient(voltages, converged, power, source_volts, tolerance, most)
        full = self._spread(voltages[0], self.live_legs, len(self.feeder.leg_from), converged)
        everywhere = self._spread(voltages[1], self.live_nodes, len(self.feeder.nodes), converged) if nodes else None
        return Solution(full, converged, rounds, everywhere)

    def _patient(self, voltages, converged, power, source_volts, tolerance, most) -> np.ndarray:
        """Solves what did not converge once more, damped, into the same arrays; returns what converged."""
        if self._again is None:
            options = {"dtype": self.dtype, "native": self.native, "block": self.block}
            self._again = PowerFlow(self.feeder, damped=True, **options)
        columns = np.flatnonzero(~converged)
        own = self._again
        start = own._own_start
        if source_volts is not None:
            start = own.start(source_volts[:, columns] if source_volts.shape[1] > 1 else source_volts)
        found, error, _ = (own._native if own.native else own._plain)(power[:, columns], start, tolerance, most, voltages[1] is not None)
        for mine, theirs in zip(voltages, found, strict=True):
            if mine is not None:
                mine[:, columns] = theirs
        good = converged.copy()
        good[columns] = error <= tolerance
        return good

    @staticmethod
    def _spread(values: np.ndarray, live: np.ndarray, size: int, converged: np.ndarray) -> np.ndarray:
        """Values on every leg or node: zero where the feeder is dead, NaN in columns that did not converge."""
        if len(live) == size:
            spread = values
        else:
            spread = np.zeros((size, values.shape[1]), values.dtype)
            spread[live] = values
        if not converged.all():
            spread[:, ~converged] = np.nan
        return spread

    def _native(self, power, start, tolerance, most, nodes):
        count, total = start.shape[0], power.shape[1]
        legs = np.empty((len(self._from), total), self._complex)
        everywhere = np.empty((count if nodes else 0, total), self._complex)
        ordered = np.empty(start.shape, self._complex)
        ordered[self._order] = start
        errors = np.empty(total, self.dtype)
        power = np.ascontiguousarray(power, dtype=self._complex)
        arrays = (self._packed, self._legs, self._answers, power, ordered, legs, everywhere, errors)
        rounds = kernels.solve_blocks(*arrays, self.dtype.type(tolerance), most, self.block)
        return (legs, everywhere[self._order] if nodes else None), errors, rounds

    def _plain(self, power, start, tolerance, most, nodes):
        """The same fixed point with SciPy's own triangular solves."""
        c, ct = self.incidence.tocsr(), self.incidence.T.tocsr()
        v = np.repeat(start, power.shape[1], 1) if start.shape[1] == 1 else start.copy()
        u, error, used = ct @ v, np.full(power.shape[1], np.inf), 0
        while used < most and not np.all(error <= tolerance):
            drawn = power if self.plain else self.drawn(power, np.abs(u))
            current = np.conj(drawn / u) - self._reference[:, None] * u
            v = start - self.factors.solve(np.asarray(c @ current))
            after = ct @ v
            error = np.max(np.abs(after - u) / np.abs(after), axis=0, initial=0.0)
            u, used = after, used + 1
        return (u, v if nodes else None), error, used

    def drawn(self, power: np.ndarray, magnitude: np.ndarray) -> np.ndarray:
        """Power drawn at these leg voltages by points that answer to voltage."""
        nominal, rp, rq, clamp = self.response
        v = magnitude / nominal[:, None]
        return power.real * _answers(v, rp, clamp) + 1j * power.imag * _answers(v, rq, clamp)


def _answers(v: np.ndarray, response: np.ndarray, clamp: np.ndarray) -> np.ndarray:
    """kernels.answer() over whole arrays."""
    c0, c1, c2, c3, c4 = (column[:, None] for column in response.T)
    low, high, lowest = (column[:, None] for column in clamp.T)
    edge, plain = np.where(np.isinf(high), 1.0, high), c4 < 0
    above = np.where(plain, 1, c0 + c1 * edge + c2 * edge**2 + c3) * (v / edge) ** 2
    span, floor = np.where(low > lowest, low - lowest, 1.0), np.where(low > 0, low, 1.0)
    line = v * (lowest + (np.where(plain, 1, c0 + c1 * low + c2 * low**2 + c3) / floor - lowest) / span * (v - lowest))
    under = np.where((v <= lowest) | (low <= lowest), v * v, line)
    return np.where(v > high, above, np.where(v >= low, c0 + c1 * v + c2 * v * v + c3 * v**c4, under))
