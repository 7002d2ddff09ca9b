"""Most energy: a linear program per interval around the AC solution, corrected by what the AC solution says, until both agree.

Rows are linearised at the present point and shifted so that they are exact there; voltage rows are also scaled so that they are exact
along the ray from no push. Only rows near their limits enter, and stay. What is returned was evaluated and found feasible."""

import highspy
import numpy as np

from operations.envelopes.solver.case import Case

ROUNDS = 14
V_NEAR, I_NEAR, MOST_ROWS = 0.006, 0.8, 60
MARGIN = 3e-5
STILL, WORTH = 2e-4, 2e-5
NEARER = 0.5  # of its excess: a step that leaves more of it went too far
SEARCHES, INSIDE = 9, 0.97


class _Rows:
    """The rows of one interval that ever came near their limits: ("v", scenario, leg) and ("i", scenario, conductor)."""

    def __init__(self):
        self.volts: set[tuple[int, int]] = set()
        self.amps: set[tuple[int, int]] = set()


class _Point:
    """The AC solution at a push, with phasors: legs (S, L, T'), currents (S, R, T')."""

    def __init__(self, case: Case, push: np.ndarray, columns: np.ndarray):
        power = case._power(push, columns)
        found = case.machine.fast.solve(power, source_volts=case._sources(columns))
        case.flows += power.shape[1]
        idle = case.idle if case.idle.shape[1] == 1 else np.tile(case.idle[:, columns], case.scenarios)
        self.legs, self.currents = case._by_scenario(found.legs), case._by_scenario(idle + case.reach_k @ np.conj(power / found.legs))
        self.volts, self.loading = np.abs(self.legs) / case.volts, np.abs(self.currents) / case.amps
        self.over = case.excess(self.volts, self.loading, columns)


def improve(case: Case, start: np.ndarray) -> np.ndarray:
    """The push (A, T) of most weighted energy that the program finds, from a feasible start.

    Points behind the same conductor are worth the same, so that programs jump from one of many equal corners to another and never see
    the rows bend less: where a step did not bring the worst row nearer its limit, the next may go half as far (a trust region)."""
    weights = case.policy.weights if case.policy.weights is not None else np.ones(len(start))
    best, now, todo = start.copy(), start.copy(), np.flatnonzero((start < case.room * (1 - 1e-6)).any(0))
    rows = {t: _Rows() for t in todo}
    worth, over, reach = weights @ best, np.full(case.count, np.inf), np.ones(case.count)
    for _ in range(ROUNDS):
        if not len(todo):
            break
        point = _Point(case, now[:, todo], todo)
        value = weights @ now[:, todo]
        better = (point.over <= 0) & (value > worth[todo])
        best[:, todo[better]], worth[todo[better]] = now[:, todo[better]], value[better]
        reach[todo] = np.where(point.over > NEARER * over[todo], reach[todo] / 2, reach[todo])
        over[todo] = np.maximum(point.over, 0)
        moved = np.stack([_program(case, point, j, t, now[:, t], rows[t], weights, reach[t]) for j, t in enumerate(todo)], axis=1)
        change = np.abs(moved - now[:, todo]).max(0) / case.room[:, todo].max(0)
        settled = (point.over <= 0) & ((change < STILL) | (weights @ moved < worth[todo] * (1 + WORTH)))
        now[:, todo[~settled]] = moved[:, ~settled]
        todo = todo[~settled]
    return _restore(case, best, now, weights)


def _program(case: Case, point: _Point, j: int, t: int, push: np.ndarray, rows: _Rows, weights: np.ndarray, reach: float):
    """Solves one interval's linear program, no point going further than that part of its room; without an optimum, its push."""
    _remember(case, point, j, t, rows)
    matrix, bound = _linearised(case, point, j, t, push, rows)
    room = case.room[:, t]
    slack = bound + matrix @ push
    solver = highspy.Highs()
    solver.setOptionValue("output_flag", False)
    solver.setOptionValue("threads", 1)
    count, width = matrix.shape
    dense = np.where(np.abs(matrix) < 1e-9 * np.abs(matrix).max(initial=1e-30), 0, matrix)
    i, k = np.nonzero(dense)
    starts = np.concatenate([[0], np.cumsum(np.bincount(i, minlength=count))[:-1]]).astype(np.int32) if count else np.zeros(0, np.int32)
    model = highspy.HighsLp()
    model.num_col_, model.num_row_ = width, count
    least, most = np.maximum(case.floor[:, t], push - reach * room), np.minimum(room, push + reach * room)
    model.col_cost_, model.col_lower_, model.col_upper_ = -weights, least / 1e3, most / 1e3
    model.row_lower_, model.row_upper_ = np.full(count, -np.inf), slack
    model.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    model.a_matrix_.start_ = np.append(starts, len(i)).astype(np.int32)
    model.a_matrix_.index_, model.a_matrix_.value_ = k.astype(np.int32), dense[i, k] * 1e3
    solver.passModel(model)
    solver.run()
    if solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        return push
    return np.clip(np.array(solver.getSolution().col_value) * 1e3, case.floor[:, t], room)


def _remember(case: Case, point: _Point, j: int, t: int, rows: _Rows) -> None:
    """Adds the worst legs near a voltage limit, one a group, and every conductor near its rating."""
    for s in range(case.scenarios):
        volts = point.volts[s, :, j]
        room = np.minimum(case.v_high[:, t] - volts, volts - case.v_low[:, t])
        near = np.flatnonzero(room < V_NEAR)
        order = near[np.argsort(room[near], kind="stable")]
        _, first = np.unique(case.leg_group[order], return_index=True)
        rows.volts |= {(s, int(leg)) for leg in order[np.sort(first)[:MOST_ROWS]]}
        rows.amps |= {(s, int(row)) for row in np.flatnonzero(point.loading[s, :, j] > I_NEAR * case.i_high[:, t])}


def _linearised(case: Case, point: _Point, j: int, t: int, push: np.ndarray, rows: _Rows) -> tuple[np.ndarray, np.ndarray]:
    """Rows S (n, A) per watt and room b (n,) at the present push: S · (x − push) ≤ b."""
    matrices, bounds = [np.zeros((0, len(push)))], [np.zeros(0)]
    for s, mask in enumerate(case.masks):
        legs = np.array(sorted(leg for scenario, leg in rows.volts if scenario == s), dtype=int)
        response = np.conj(case.direction / point.legs[s, :, j])
        if len(legs):
            slope = _slopes(case, case.machine.sensitivity.voltages(legs), point.legs[s, legs, j], response, mask)
            slope /= case.volts[legs]
            volts = point.volts[s, legs, j]
            ahead = slope @ push
            true = volts - case.v_base[legs, t]
            slope *= np.clip(np.divide(true, ahead, out=np.ones_like(true), where=np.abs(ahead) > 1e-4), 0.7, 1.4)[:, None]
            high = case.v_high[legs, t] - volts
            low = volts - case.v_low[legs, t]
            upward = high < low
            matrices.append(np.where(upward[:, None], slope, -slope))
            bounds.append(np.where(upward, high, low) - MARGIN)
        amps = np.array(sorted(row for scenario, row in rows.amps if scenario == s), dtype=int)
        if len(amps):
            slope = _slopes(case, case.reach_k[amps].toarray(), point.currents[s, amps, j], response, mask)
            matrices.append(slope / case.amps[amps])
            bounds.append(case.i_high[amps, t] - point.loading[s, amps, j] - MARGIN)
    return np.vstack(matrices).astype(float), np.concatenate(bounds).astype(float)


def _slopes(case: Case, row: np.ndarray, value: np.ndarray, response: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """d|value| by watts of push: rows of sensitivity to leg currents, turned to the phasor of this interval."""
    turned = (np.conj(value) / np.abs(value))[:, None] * row * response[None]
    return (case.spread.conj().T @ turned.T).T.real * mask[None]


def _restore(case: Case, best: np.ndarray, last: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The furthest feasible point between one inside and the last push, where the last promises more than the best."""
    columns = np.flatnonzero(weights @ last > (weights @ best) * (1 + WORTH))
    if not len(columns):
        return best
    inside = np.maximum(case.floor[:, columns], INSIDE * last[:, columns])
    origin = np.where(_Point(case, inside, columns).over <= 0, inside, best[:, columns])
    left, right, way = np.zeros(len(columns)), np.ones(len(columns)), last[:, columns] - origin
    for turn in range(SEARCHES):
        middle = (left + right) / 2 if turn else np.ones(len(columns))
        good = _Point(case, origin + middle * way, columns).over <= 0
        left, right = np.where(good, middle, left), np.where(good, right, middle)
        if turn == 0 and good.all():
            break
    found = origin + left * way
    better = weights @ found > weights @ best[:, columns]
    best[:, columns[better]] = found[:, better]
    return best
