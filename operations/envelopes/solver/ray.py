"""One number per interval: every point goes the same part of its way (proportional), to the same kW (equal), or by weight."""

import numpy as np

from operations.envelopes.solver.case import Case

CLOSE = 2e-4
MOST = 14


def along(case: Case, step: np.ndarray) -> np.ndarray:
    """The largest z (T,) in 0..1 for which push = min(room, z · step) is feasible, by regula falsi (Illinois) in all intervals at once;
    nobody gets less than the case's floor.

    step (A, T): watts at z = 1. Feasible by construction: only points that were evaluated and found good are returned."""
    floor = case.floor
    push = lambda z, columns: np.clip(step[:, columns] * z, floor[:, columns], case.room[:, columns])  # noqa: E731
    every = np.arange(case.count)
    whole = (case.v_full, case.i_full) if step is case.room else case.evaluate(push(1.0, every), every)
    high = case.excess(*whole, every)
    if step is case.room:
        high[case.unsolved] = 10.0
    without = case.evaluate(floor, every) if floor.any() else case.without
    base = case.excess(*without, every)
    low = np.minimum(base, -1e-9)
    best = np.where(high <= 0, 1.0, 0.0)
    left, right, side = np.zeros(case.count), np.ones(case.count), np.zeros(case.count, int)
    done = high <= 0
    for _ in range(MOST):
        todo = np.flatnonzero(~done)
        if not len(todo):
            break
        z = left[todo] - low[todo] * (right[todo] - left[todo]) / (high[todo] - low[todo])
        z = np.clip(z, left[todo] + 1e-6, right[todo] - 1e-6)
        over = case.excess(*case.evaluate(push(z, todo), todo), todo)
        good, bad = todo[over <= 0], todo[over > 0]
        best[good] = np.maximum(best[good], z[over <= 0])
        left[good], low[good] = z[over <= 0], np.minimum(over[over <= 0], -1e-12)
        high[good[side[good] == 1]] /= 2
        right[bad], high[bad] = z[over > 0], over[over > 0]
        low[bad[side[bad] == -1]] /= 2
        side[good], side[bad] = 1, -1
        done[todo] = (right[todo] - best[todo] < CLOSE) | ((over <= 0) & (over > -CLOSE))
    return best


def carried(case: Case, asked: np.ndarray) -> np.ndarray:
    """As much of a push (A, T) as the network carries alone, the same part of it for all."""
    part = along(case, asked)
    return asked * np.where(part < 1, part * (1 - CLOSE), 1)


def step_of(case: Case) -> np.ndarray:
    """Watts at z = 1 of the policy: the room itself, one kW figure for all, or the room by weight."""
    method, weights = case.policy.method, case.policy.weights
    if method == "equal":
        return np.broadcast_to(case.room.max(0), case.room.shape)
    if method == "weighted":
        relative = (weights / weights.min())[:, None]
        return case.room * relative
    return case.room
