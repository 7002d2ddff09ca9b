"""How much of an injection at a node flows through each line: power transfer distribution factors of the DC power flow."""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from scipy.sparse.linalg import splu


@dataclass(frozen=True, eq=False)
class Grid:
    """A transmission network of n buses and m lines: from_bus, to_bus (m,) indices, reactance (m,) per unit, and the bus that balances."""

    buses: int
    from_bus: np.ndarray
    to_bus: np.ndarray
    reactance: np.ndarray
    balance: int

    def _matrices(self) -> tuple[sp.csr_matrix, sp.csc_matrix]:
        """Flows by angles (m, n) and injections by angles without the balancing bus (n−1, n−1)."""
        lines, weight = np.arange(len(self.from_bus)), 1 / self.reactance
        rows, columns = np.concatenate([lines, lines]), np.concatenate([self.from_bus, self.to_bus])
        shape = (len(lines), self.buses)
        incidence = sp.csr_matrix((np.repeat([1.0, -1.0], len(lines)), (rows, columns)), shape=shape)
        flows = sp.diags(weight) @ incidence
        kept = np.flatnonzero(np.arange(self.buses) != self.balance)
        return flows.tocsr(), (incidence.T @ flows)[kept][:, kept].tocsc()

    def factors(self, lines: np.ndarray, nodes: np.ndarray) -> np.ndarray:
        """Flow in these lines by an injection at these nodes that the balancing bus takes out, (lines, nodes)."""
        flows, matrix = self._matrices()
        kept = np.flatnonzero(np.arange(self.buses) != self.balance)
        found = np.zeros((len(lines), self.buses))
        found[:, kept] = splu(matrix).solve(flows[lines][:, kept].T.toarray(), "T").T
        return found[:, nodes]

    def flows(self, injection: np.ndarray) -> np.ndarray:
        """Flows (m,) of injections (n,), in their unit; what is missing or left over is taken at the balancing bus."""
        flows, matrix = self._matrices()
        kept = np.flatnonzero(np.arange(self.buses) != self.balance)
        angles = np.zeros(self.buses)
        angles[kept] = splu(matrix).solve(injection[kept])
        return flows @ angles
