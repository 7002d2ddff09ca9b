"""The exact optimum of one interval: the whole unbalanced AC network as a nonlinear program for IPOPT, started from a known solution."""

import casadi as ca
import numpy as np
import scipy.sparse as sp

from operations.envelopes.solver.case import Case

BASE_VA, PUSH_W = 1e4, 1e4
INSIDE = 0.98  # of the known push: the interior point starts inside
OPTIONS = {
    "print_time": 0,
    "ipopt.print_level": 0,
    "ipopt.sb": "yes",
    "ipopt.tol": 1e-5,
    "ipopt.max_cpu_time": 60.0,
    "ipopt.mu_init": 1e-3,
    "ipopt.warm_start_init_point": "yes",
    "ipopt.warm_start_bound_push": 1e-6,
    "ipopt.warm_start_mult_bound_push": 1e-6,
    "ipopt.warm_start_slack_bound_push": 1e-6,
}


def most(case: Case, t: int, start: np.ndarray) -> float | None:
    """The largest sum of pushes, W, that the case's limits allow in interval t; None where IPOPT finds no solution."""
    start = INSIDE * start
    flow, feeder = case.machine.exact, case.machine.feeder
    n, count = flow.ybus.shape[0], len(start)
    scale = feeder.node_volts[flow.live_nodes]
    volts = None if case.request.source_volts is None else case.request.source_volts[:, t : t + 1]
    known = flow.solve(case._power(start[:, None], np.array([t])), source_volts=volts, nodes=True).nodes[:, 0] / scale
    x = ca.MX.sym("x", 2 * n + count)
    vr, vi, push = x[:n], x[n : 2 * n], x[2 * n :]
    matrix = sp.diags(scale) @ flow.ybus @ sp.diags(scale) / BASE_VA
    yr, yi = _dm(matrix.real), _dm(matrix.imag)
    incidence = (flow.incidence.T @ sp.diags(scale)).tocsc()
    ur, ui = ca.mtimes(_dm(incidence), vr), ca.mtimes(_dm(incidence), vi)
    base = case.base[:, t].astype(complex)
    spread = case.spread.astype(complex) * case.direction * PUSH_W
    p = ca.DM(base.real) + ca.mtimes(_dm(spread.real), push)
    q = ca.DM(base.imag) + ca.mtimes(_dm(spread.imag), push)
    square = ur**2 + ui**2
    jr, ji = (p * ur + q * ui) / square, (p * ui - q * ur) / square
    drawn = sp.diags(scale / BASE_VA) @ flow.incidence
    injected = feeder.source_matrix[flow.live_nodes] @ (feeder.source_volts if volts is None else volts[:, 0]) * scale / BASE_VA
    balance_r = ca.mtimes(yr, vr) - ca.mtimes(yi, vi) - ca.DM(injected.real) + ca.mtimes(_dm(drawn), jr)
    balance_i = ca.mtimes(yr, vi) + ca.mtimes(yi, vr) - ca.DM(injected.imag) + ca.mtimes(_dm(drawn), ji)
    level = square / ca.DM(feeder.leg_volts**2)
    kr, ki = _dm(case.reach_k.real), _dm(case.reach_k.imag)
    idle = case.idle[:, min(t, case.idle.shape[1] - 1)].astype(complex)
    amps = case.amps[:, 0].astype(float)
    ir = (ca.DM(idle.real) + ca.mtimes(kr, jr) - ca.mtimes(ki, ji)) / ca.DM(amps)
    ii = (ca.DM(idle.imag) + ca.mtimes(kr, ji) + ca.mtimes(ki, jr)) / ca.DM(amps)
    program = {"x": x, "f": -ca.sum1(push), "g": ca.vertcat(balance_r, balance_i, level, ir**2 + ii**2)}
    solver = ca.nlpsol("optimum", "ipopt", program, OPTIONS)
    none = np.zeros(2 * n)
    low = np.concatenate([none, case.v_low[:, t].astype(float) ** 2, np.zeros(len(amps))])
    high = np.concatenate([none, case.v_high[:, t].astype(float) ** 2, case.i_high[:, t].astype(float) ** 2])
    bounds = np.concatenate([np.full(2 * n, -np.inf), np.zeros(count)]), np.concatenate([np.full(2 * n, np.inf), case.room[:, t] / PUSH_W])
    initial = np.concatenate([known.real, known.imag, start / PUSH_W])
    found = solver(x0=initial, lbx=bounds[0], ubx=bounds[1], lbg=low, ubg=high)
    return -float(found["f"]) * PUSH_W if solver.stats()["success"] else None


def _dm(matrix) -> ca.DM:
    """A SciPy sparse matrix as CasADi's."""
    matrix = sp.csc_matrix(matrix)
    matrix.sort_indices()
    pattern = ca.Sparsity(*matrix.shape, matrix.indptr.tolist(), matrix.indices.tolist())
    return ca.DM(pattern, matrix.data)
