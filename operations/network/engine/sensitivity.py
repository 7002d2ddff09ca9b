"""How branch currents and leg voltages follow leg currents: rows of the impedance matrix by adjoint solves.

Branch current = no-load current + K · leg current. Taking it so, and not from node voltages, keeps the figures of connectors of nearly
no impedance, where the difference of two voltages has no digits left."""

import numpy as np
import scipy.sparse as sp
from scipy.sparse import csgraph

from operations.network.engine.factors import Factors, is_symmetric
from operations.network.engine.feeder import FeederModel
from operations.network.engine.powerflow import PowerFlow, factorise

NEGLIGIBLE = 1e-5  # of a row's largest entry
AT_ONCE = 256


class Sensitivity:
    """Rows on demand, each computed once per topology. base: those of the same feeder with its controls in another state, whose factors
    are renewed where a tap or a bank changes them."""

    def __init__(self, flow: PowerFlow, base: "Sensitivity | None" = None):
        self.flow, self.feeder = flow, flow.feeder
        self._legs = flow.incidence.T.tocsr()
        self._native = base and self._renewed(base)
        if self._native is None:
            self._factors = factorise(flow.ybus)
            if flow.native and is_symmetric(flow.ybus):
                self._native = Factors(flow.ybus, self._factors.perm_r)
        self._idle = (self._native or self._factors).solve(self.feeder.source_matrix[flow.live_nodes].toarray())
        self._currents, self._place = sp.csr_matrix((0, len(self.feeder.leg_from)), dtype=complex), {}
        self._voltages: dict[int, np.ndarray] = {}
        self._rows = self.feeder.current_rows[:, flow.live_nodes].tocsr()

    def _renewed(self, base: "Sensitivity") -> Factors | None:
        if base._native is None or not np.array_equal(base.flow.live_nodes, self.flow.live_nodes):
            return None
        other = (self.flow.ybus - base.flow.ybus).tocoo()
        changed = other.data != 0
        return base._native.changed(other.row[changed], other.col[changed], other.data[changed])

    def _adjoint(self, rows: sp.csr_matrix) -> np.ndarray:
        """−rows · Y⁻¹ · C, (rows, L) complex."""
        found = np.zeros((rows.shape[0], len(self.feeder.leg_from)), complex)
        dense = np.ascontiguousarray(rows.T.toarray(), dtype=complex)
        solved = self._factors.solve(dense, "T") if self._native is None else self._native.solve(dense)
        found[:, self.flow.live_legs] = -(self._legs @ solved).T
        return found

    def currents(self, rows: np.ndarray) -> sp.csr_matrix:
        """K for these rated conductors, (len(rows), L)."""
        missing, found_rows = [row for row in rows.tolist() if row not in self._place], [self._currents]
        for first in range(0, len(missing), AT_ONCE):
            found = self._adjoint(self._rows[missing[first : first + AT_ONCE]])
            size = np.abs(found)
            found[size < NEGLIGIBLE * np.maximum(size.max(1, keepdims=True), 1e-12)] = 0
            found_rows.append(sp.csr_matrix(found))
        if missing:
            self._place |= {row: len(self._place) + i for i, row in enumerate(missing)}
            self._currents = sp.vstack(found_rows).tocsr()
        return self._currents[[self._place[row] for row in rows.tolist()]]

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
            found = self._adjoint(self._legs[[place[leg] for leg in chunk]]).astype(np.complex64)
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
