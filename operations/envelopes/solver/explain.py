"""Why this limit: the row that stops each point, what is left there, and who shares it."""

import numpy as np
import scipy.sparse as sp

from operations.envelopes.solver.blocks import DEVICE
from operations.envelopes.solver.case import Case

TOUCHING = 5e-3  # per unit of a limit: nearer than this, a row stops


def bindings(case: Case, push: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Binding row (A, T) as an index into names, DEVICE where a point has all its room; headroom (A, T) per unit; names (rows,).

    Rows are the legs, then all rated conductors, of which the kept ones can bind. A point is stopped by the nearest row among its own
    group's legs, the conductors above it and, failing both, the nearest row anywhere."""
    every = np.arange(case.count)
    volts, loading = case.evaluate(push, every)
    v_room = np.minimum(case.v_high - volts, volts - case.v_low).min(0)
    i_room = (case.i_high - loading).min(0) if loading.shape[1] else np.empty((0, case.count))
    room = np.vstack([v_room, i_room])
    feeder = case.machine.feeder
    names = np.concatenate([feeder.points[feeder.leg_point], feeder.rating_names])
    row_of = np.concatenate([np.arange(len(v_room)), len(v_room) + case.rows])
    members_of = sp.csr_matrix((np.ones(len(case.group)), (np.arange(len(case.group)), case.group)))
    reach = (abs(case.reach_k) @ abs(case.spread) @ members_of).tocsc()  # rows by groups
    binding, headroom = np.full(push.shape, DEVICE, np.int32), np.zeros(push.shape, np.float32)
    anywhere = room.argmin(0)
    for group in np.unique(case.group):
        members = np.flatnonzero(case.group == group)
        rows = np.flatnonzero(case.leg_group == group)
        above = np.sort(reach.indices[reach.indptr[group] : reach.indptr[group + 1]])
        rows = np.concatenate([rows, len(v_room) + above])
        near = rows[room[rows].argmin(0)]
        near = np.where(room[near, every] > TOUCHING, anywhere, near)
        binding[members], headroom[members] = row_of[near], room[near, every]
    free = push >= case.room * (1 - 1e-4)
    binding[free], headroom[free] = DEVICE, 0
    return binding, headroom, names


def sharers(case: Case, row: int) -> np.ndarray:
    """The active points that move a row, (n,) indices into active."""
    legs = len(case.leg_group)
    if row < legs:
        return np.flatnonzero(case.group == case.leg_group[row])
    reach = abs(case.reach_k[np.flatnonzero(case.rows == row - legs)]) @ abs(case.spread)
    return np.flatnonzero(np.asarray(reach.todense()).ravel())
