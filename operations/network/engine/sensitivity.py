"""How branch currents and leg voltages follow leg currents: rows of the impedance matrix by adjoint solves.

Branch current = no-load current + K · leg current. Taking it so, and not from node voltages, keeps the figures of connectors of nearly
no impedance, where the difference of two voltages has no digits left."""

from itertools import pairwise

import numpy as np
import scipy.sparse as sp
from scipy.sparse import csgraph

from operations.network.engine.feeder import FeederModel
from operations.network.engine.powerflow import PowerFlow, factorise

NEGLIGIBLE = 1e-5  # of a row's largest entry
AT_ONCE, MOST_OTHER = 256, 96


class Sensitivity:
    """Rows on demand, each computed once per topology. base: those of the same feeder with its controls in another state, from which these
    are had by Woodbury's identity, for a tap or a bank changes few entries of the admittance matrix."""

    def __init__(self, flow: PowerFlow, base: "Sensitivity | None" = None):
        self.flow, self.feeder = flow, flow.feeder
        self._legs = flow.incidence.T.tocsr()
        self._own: set[int] = set()  # rated conductors of elements that are others than the base's
        self.base = base if base is not None and self._is_near(base) else None
        if self.base is None:
            self._factors = factorise(flow.ybus)
            self._idle = self._factors.solve(self.feeder.source_matrix[flow.live_nodes].toarray())
        self._currents, self._place = sp.csr_matrix((0, len(self.feeder.leg_from)), dtype=complex), {}
        self._voltages: dict[int, np.ndarray] = {}
        self._rows = self.feeder.current_rows[:, flow.live_nodes].tocsr()

    def _is_near(self, base: "Sensitivity") -> bool:
        """Whether few entries differ; makes what the rows of the base lack: Y⁻¹ = Y₀⁻¹ − X · W · Z with X = Y₀⁻¹ E, Z = Eᵀ Y₀⁻¹, both over
        the nodes E at which they differ."""
        if not np.array_equal(base.flow.live_nodes, self.flow.live_nodes):
            return False
        other = (self.flow.ybus - base.flow.ybus).tocoo()
        at = np.unique(np.concatenate([other.row[other.data != 0], other.col[other.data != 0]]))
        if len(at) > MOST_OTHER:
            return False
        unit = np.zeros((len(self.flow.live_nodes), len(at)), complex)
        unit[at, np.arange(len(at))] = 1
        self._x = base._factors.solve(unit)
        change = other.tocsr()[at][:, at].toarray()
        weight = np.linalg.solve(np.eye(len(at)) + change @ self._x[at], change)
        self._wz = np.zeros((len(at), len(self.feeder.leg_from)), complex)
        self._wz[:, self.flow.live_legs] = weight @ (self._legs @ base._factors.solve(unit, "T")).T
        self._idle = base._idle - self._x @ (weight @ base._idle[at])
        same = abs(self.feeder.current_rows - base.feeder.current_rows)
        self._own = set(np.flatnonzero(same.max(1).toarray().ravel()).tolist())
        return True

    def _adjoint(self, rows: sp.csr_matrix) -> np.ndarray:
        """−rows · Y⁻¹ · C, (rows, L) complex."""
        if self.base is not None:
            return self.base._adjoint(rows) + (rows @ self._x) @ self._wz
        found = np.zeros((rows.shape[0], len(self.feeder.leg_from)), complex)
        dense = np.ascontiguousarray(rows.T.toarray(), dtype=complex)
        found[:, self.flow.live_legs] = -(self._legs @ self._factors.solve(dense, "T")).T
        return found

    def currents(self, rows: np.ndarray) -> sp.csr_matrix:
        """K for these rated conductors, (len(rows), L)."""
        missing, found_rows = [row for row in rows.tolist() if row not in self._place], [self._currents]
        missing.sort(key=lambda row: row not in self._own)
        own = sum(row in self._own for row in missing)
        for first, last in pairwise(sorted({*range(own, len(missing), AT_ONCE), 0, own, len(missing)})):
            chunk = np.array(missing[first:last], dtype=int)
            found = self._current_rows(chunk)
            size = np.abs(found)
            found[size < NEGLIGIBLE * np.maximum(size.max(1, keepdims=True), 1e-12)] = 0
            found_rows.append(sp.csr_matrix(found))
        if missing:
            self._place |= {row: len(self._place) + i for i, row in enumerate(missing)}
            self._currents = sp.vstack(found_rows).tocsr()
        return self._currents[[self._place[row] for row in rows.tolist()]]

    def _current_rows(self, rows: np.ndarray) -> np.ndarray:
        """−rows · Y⁻¹ · C of rated conductors: those of the base with what it lacks, anew only for elements that are themselves others."""
        if self.base is None or self._own.intersection(rows.tolist()):
            return self._adjoint(self._rows[rows])
        return self.base.currents(rows).toarray() + (self._rows[rows] @ self._x) @ self._wz

    def idle_currents(self, rows: np.ndarray, source_volts: np.ndarray | None = None) -> np.ndarray:
        """Currents of these conductors without any point, (len(rows), 1) or (len(rows), T), amperes."""
        volts = self.feeder.source_volts[:, None] if source_volts is None else source_volts
        return np.asarray(self._rows[rows] @ self._idle) @ volts

    def voltages(self, legs: np.ndarray) -> np.ndarray:
        """Volts at these legs per ampere drawn at every leg, (len(legs), L) complex64."""
        missing = np.array([leg for leg in legs if leg not in self._voltages], dtype=int)
        place = {leg: i for i, leg in enumerate(self.flow.live_legs)}
        for first in range(0, len(missing), AT_ONCE):
            chunk = missing[first : first + AT_ONCE]
            at = self._legs[[place[leg] for leg in chunk]]
            if self.base is None:
                found = self._adjoint(at).astype(np.complex64)
            else:
                found = self.base.voltages(chunk) + ((at @ self._x) @ self._wz).astype(np.complex64)
            self._voltages |= dict(zip(chunk, found, strict=True))
        return np.stack([self._voltages[leg] for leg in legs])


def service_groups(feeder: FeederModel) -> np.ndarray:
    """Who shares with whom: a number from 0 per leg, (L,). Legs joined without a transformer between are behind one secondary; where
    a secondary has three phases, single-phase points are told apart by phase, for a phase's voltage is its own bottleneck."""
    cut = np.array([name.startswith(("transformer.", "autotrans.")) for name in feeder.element_names])
    element = np.repeat(np.arange(len(cut)), np.diff(feeder.conductor_start))
    keep = (feeder.element_nodes >= 0) & ~cut[element] & feeder.in_service[element]
    bus = feeder.node_bus[feeder.element_nodes[keep]]
    joined = sp.csr_matrix((np.ones(keep.sum(), np.int8), (element[keep], bus)), shape=(len(cut), len(feeder.buses)))
    _, label = csgraph.connected_components(joined.T @ joined, directed=False)
    secondary = label[feeder.node_bus]
    phase = np.array([int(node.rsplit(".", 1)[1]) for node in feeder.nodes])
    three = np.isin(secondary, secondary[phase == 3])
    single = (np.bincount(feeder.leg_point) == 1)[feeder.leg_point] & three[feeder.leg_from]
    kind = np.where(single, phase[feeder.leg_from], 0)
    _, group = np.unique(np.stack([secondary[feeder.leg_from], kind]), axis=1, return_inverse=True)
    return group.ravel()
