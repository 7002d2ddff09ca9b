"""LU factors in the kernel's own arrays, renewed where few entries of the matrix change.

A tap or a bank changes a few entries of the admittance matrix. Of the factors only the columns change that stand above these entries in
the elimination tree: a hundred of thousands, where the feeder is near a tree. The rest is kept, and no order is sought anew."""

import numpy as np
import scipy.sparse as sp

from operations.network.engine import kernels

WIDTH = 32  # columns of one pass
SAME = 1e-9  # siemens: rounding of the matrix and its transpose apart


class Factors:
    """L U of a matrix (n, n) with a symmetric pattern, without pivots, after an order (n,): node i stands at order[i]."""

    def __init__(self, matrix: sp.csc_matrix, order: np.ndarray):
        entries = matrix.tocoo()
        self.order, self.count = order, len(order)
        placed = sp.csc_matrix((entries.data, (order[entries.row], order[entries.col])), shape=matrix.shape)
        placed.sum_duplicates()
        self._matrix = placed
        pattern = (abs(placed) + abs(placed.T)).tocsc()
        self._parent = np.full(self.count, -1, np.int32)
        starts, rows = kernels.fill(pattern.indptr.astype(np.int32), pattern.indices.astype(np.int32), self._parent)
        upper = sp.csc_matrix((np.ones(len(rows), np.int8), rows, starts), shape=matrix.shape)
        upper.sort_indices()
        lower = upper.T.tocsc()
        lower.sort_indices()
        self._pattern = tuple(each.astype(np.int32) for each in (lower.indptr, lower.indices, upper.indptr, upper.indices))
        self._values = np.zeros(len(rows), complex), np.zeros(len(rows), complex), np.zeros(self.count, complex)
        self._renew(np.ones(self.count, bool))

    def _renew(self, stale: np.ndarray) -> None:
        lp, li, up, ui = self._pattern
        matrix, (lower, upper, diagonal) = self._matrix, self._values
        kernels.refactor(matrix.indptr, matrix.indices, matrix.data, lp, li, lower, up, ui, upper, diagonal, stale)

    def changed(self, rows: np.ndarray, columns: np.ndarray, values: np.ndarray) -> "Factors | None":
        """The factors with values added to entries of the matrix; None where one of these is not in its pattern."""
        other = Factors.__new__(Factors)
        other.__dict__.update(self.__dict__)
        added = sp.csc_matrix((values, (self.order[rows], self.order[columns])), shape=self._matrix.shape)
        added.sum_duplicates()
        added = added.tocoo()
        starts, indices = self._matrix.indptr, self._matrix.indices
        data = self._matrix.data.copy()
        for row, column, value in zip(added.row, added.col, added.data, strict=True):
            place = starts[column] + np.searchsorted(indices[starts[column] : starts[column + 1]], row)
            if place == starts[column + 1] or indices[place] != row:
                return None
            data[place] += value
        other._matrix = sp.csc_matrix((data, indices, starts), shape=self._matrix.shape)
        other._values = tuple(each.copy() for each in self._values)
        stale = np.zeros(self.count, bool)
        for column in np.unique(added.col):
            while column >= 0 and not stale[column]:
                stale[column], column = True, self._parent[column]
        other._renew(stale)
        return other

    def packed(self, dtype) -> tuple[np.ndarray, ...]:
        """As the kernel takes them: strict factors by columns, real and imaginary, and the inverse of the diagonal."""
        (lp, li, up, ui), (lower, upper, diagonal) = self._pattern, self._values
        real = lambda values: np.ascontiguousarray(values, dtype=dtype)  # noqa: E731
        inverse, parts = 1 / diagonal, lambda values: (real(values.real), real(values.imag))
        return (lp, li, *parts(lower), up, ui, *parts(upper), *parts(inverse))

    def solve(self, dense: np.ndarray) -> np.ndarray:
        """X of matrix · X = dense, (n, k) complex."""
        found = np.empty(dense.shape, complex)
        kernels.solve_columns(self.packed(np.float64), self.order, np.ascontiguousarray(dense, complex), found, WIDTH)
        return found


def is_symmetric(matrix: sp.csc_matrix) -> bool:
    """Whether a solve with the matrix is one with its transpose: every admittance matrix without phase-shifting ratios is."""
    apart = abs(matrix - matrix.T)
    return not apart.nnz or apart.max() <= SAME + 1e-15 * abs(matrix).max()
