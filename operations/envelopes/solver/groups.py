"""Group-fair: everybody behind the same secondary gets the same share of its room, each group as much as its own bottleneck leaves.

Every round moves each group by its least headroom over slope; rows of upstream conductors move all groups below them; a row in a group
without active points moves everybody. Intervals that stand still leave; what has not settled is searched on the line to the last
feasible point. Scenarios (vertices of the box) only add columns: the least headroom over them counts."""

import numpy as np
import scipy.sparse as sp

from operations.envelopes.solver.case import Case

DAMPING, RETREAT = 0.9, 1.5
CALMER, BOLDER, LEAST_GAIN = 0.5, 1.3, 0.2  # of a group's next step where it turned back, where it did not: phases answer each other
STILL = 3e-3
MARGIN = 2e-5
ROUNDS, SEARCHES, INSIDE = 12, 7, 0.97


class Grouped:
    """The rows of a case sorted by the groups that they stop."""

    def __init__(self, case: Case):
        self.case = case
        self.number = int(case.leg_group.max()) + 1
        self.room = np.zeros((self.number, case.count))
        np.add.at(self.room, case.group, case.room)
        members = sp.csr_matrix((np.ones(len(case.group)), (np.arange(len(case.group)), case.group)), shape=(len(case.group), self.number))
        reach = (abs(case.reach_k) @ abs(case.spread) @ members).toarray() > 0
        many = reach.sum(1) > 1
        self.shared, self.shared_reach = np.flatnonzero(many), reach[many]
        own = np.flatnonzero(reach.sum(1) == 1)
        self._volts = _Segments(np.arange(len(case.leg_group)), case.leg_group, self.number)
        self._own = _Segments(own, reach[own].argmax(1), self.number)
        masked = np.maximum(np.abs(case.v_full - case.v_base).max(0), 1e-5)
        self.v_slope, self.i_slope = masked, np.maximum(case.i_full + case.i_base, 0.05)

    def step(self, share: np.ndarray, volts: np.ndarray, loading: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """How far each group may still go, or must go back, (G, T')."""
        case = self.case
        over = np.maximum(volts - case.v_high[:, columns], case.v_low[:, columns] - volts).max(0)
        by_volts = self._volts.least(-(over + MARGIN) / self.v_slope[:, columns])
        ratio = (-(loading - case.i_high[:, columns] + MARGIN) / self.i_slope[:, :, columns]).min(0)
        step = np.minimum(by_volts, self._own.least(ratio))
        idle = (self.room[:, columns] <= 0) | ((share[:, columns] <= 1e-3) & (by_volts < 0))
        everybody = np.where(idle, by_volts, np.inf).min(0)
        step = np.where(idle, np.minimum(step, 0), np.minimum(step, everybody))
        for row, below in zip(self.shared, self.shared_reach):
            step[below] = np.minimum(step[below], ratio[row])
        return step


class _Segments:
    """Least value per group over rows, (rows, T') → (groups, T'); groups without rows get infinity."""

    def __init__(self, rows: np.ndarray, group: np.ndarray, number: int):
        order = np.argsort(group, kind="stable")
        self._rows, counts = rows[order], np.bincount(group, minlength=number)
        self._present, self._number = np.flatnonzero(counts), number
        self._starts = np.concatenate([[0], np.cumsum(counts)[:-1]])[self._present]

    def least(self, values: np.ndarray) -> np.ndarray:
        found = np.full((self._number, values.shape[1]), np.inf)
        if len(self._rows):
            found[self._present] = np.minimum.reduceat(values[self._rows], self._starts, axis=0)
        return found


def allocate(case: Case, start: np.ndarray) -> np.ndarray:
    """Shares of the groups (G, T), feasible in every scenario; start (T,): a feasible share for everybody."""
    grouped = Grouped(case)
    share = np.repeat(np.maximum(start, 0.02)[None], grouped.number, 0)
    best = np.repeat(start[None], grouped.number, 0)
    most, todo = (best * grouped.room).sum(0), np.arange(case.count)
    gain, before = np.ones_like(share), np.zeros_like(share)
    for _ in range(ROUNDS):
        volts, loading = case.evaluate(case.push(share[case.group][:, todo], todo), todo)
        good = case.excess(volts, loading, todo) <= 0
        total = (share[:, todo] * grouped.room[:, todo]).sum(0)
        better = todo[good & (total > most[todo])]
        best[:, better], most[better] = share[:, better], total[good & (total > most[todo])]
        step = np.nan_to_num(grouped.step(share, volts, loading, todo), nan=-0.5, posinf=1.0)
        gain[:, todo] = np.clip(gain[:, todo] * np.where(step * before[:, todo] < 0, CALMER, BOLDER), LEAST_GAIN, 1)
        before[:, todo] = step
        moved = np.clip(share[:, todo] + gain[:, todo] * np.where(step > 0, DAMPING, RETREAT) * step, 0, 1)
        change = np.where(grouped.room[:, todo] > 0, np.abs(moved - share[:, todo]), 0).max(0)
        share[:, todo] = moved
        todo = todo[~(good & (change < STILL))]
        if not len(todo):
            break
    return _search(case, grouped, best, share)


def _search(case: Case, grouped: Grouped, best: np.ndarray, last: np.ndarray) -> np.ndarray:
    """The furthest feasible point between shares inside and the last, where the last promise more than the best."""
    promise, have = (last * grouped.room).sum(0), (best * grouped.room).sum(0)
    columns = np.flatnonzero(promise > have * 1.0005)
    if not len(columns):
        return best
    good = lambda shares: case.excess(*case.evaluate(case.push(shares[case.group], columns), columns), columns) <= 0  # noqa: E731
    origin = np.where(good(INSIDE * last[:, columns]), INSIDE * last[:, columns], best[:, columns])
    left, right, way = np.zeros(len(columns)), np.ones(len(columns)), last[:, columns] - origin
    for _ in range(SEARCHES):
        middle = (left + right) / 2
        stands = good(origin + middle * way)
        left, right = np.where(stands, middle, left), np.where(stands, right, middle)
    found = origin + left * way
    better = (found * grouped.room[:, columns]).sum(0) > have[columns]
    best[:, columns[better]] = found[:, better]
    return best
