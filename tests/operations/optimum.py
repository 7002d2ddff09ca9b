"""The exact optimum of one interval: the whole unbalanced AC network as a nonlinear program for IPOPT, started from a known solution.

Unknown are node voltages, leg currents and pushes, rectangular; then Kirchhoff's laws are linear, and all else is quadratic with few
terms a row: power is voltage times current, limits are of squares. Currents of conductors follow leg currents (as in the solver), each
with unknowns of its own, so that no Hessian is dense; so have those of connectors of nearly no impedance, whose admittance would leave
no digits. Only rows near their limits enter; a power flow of what IPOPT found says which others it broke, and these enter too, until
none is broken: then it is the optimum under all limits."""

from dataclasses import dataclass, replace

import casadi as ca
import numpy as np
import scipy.sparse as sp
from scipy.sparse.linalg import lsqr

from operations.envelopes.solver.case import Case
from operations.network.engine.feeder import FeederModel

BASE_VA, PUSH_W = 1e4, 1e4
NEAR_VOLTS, NEAR_AMPS = 0.01, 0.9
BROKEN, ROUNDS = 1e-5, 8
STIFF = 1e6  # per unit of admittance: above it, an element's current is an unknown of its own
STATIONARY = 1e-4  # of a kW per kW: what the gradient may lack of zero
OPTIONS = {
    "print_time": 0,
    "ipopt.print_level": 0,
    "ipopt.sb": "yes",
    "ipopt.max_cpu_time": 120.0,
    "ipopt.nlp_scaling_method": "none",  # all is in per unit
    "ipopt.tol": 1e-6,
    "ipopt.mu_init": 1e-4,
    "ipopt.warm_start_init_point": "yes",
    "ipopt.warm_start_bound_push": 1e-6,
    "ipopt.warm_start_mult_bound_push": 1e-6,
    "ipopt.warm_start_slack_bound_push": 1e-6,
}


@dataclass(frozen=True)
class Optimum:
    """The largest sum of pushes, W; beyond: the worst limit's excess, per unit, in a power flow; stationary: IPOPT's dual infeasibility."""

    watts: float
    beyond: float
    stationary: float


def most(case: Case, t: int, known: np.ndarray, part: float = 0.999) -> Optimum:
    """The largest sum of pushes that the case's limits allow in interval t, W. known (A,): a push that they allow; IPOPT starts at a part
    of it. Fails where IPOPT finds none."""
    network = _Network(case, t)
    level = network.levels(known)
    volts, amps = network.near(*level, NEAR_VOLTS, NEAR_AMPS)
    for _ in range(ROUNDS):
        push, stats = network.solve(part * known, volts, amps)
        stationary = stats["iterations"]["inf_du"][-1]
        assert stats["return_status"] == "Solve_Succeeded" and stationary < STATIONARY, stats["return_status"]
        level = network.levels(push)
        over_volts, over_amps = network.near(*level, -BROKEN, 1 + BROKEN)
        if not (over_volts & ~volts).any() and not (over_amps & ~amps).any():
            return Optimum(float(push.sum()), network.beyond(*level), stationary)
        close_volts, close_amps = network.near(*level, NEAR_VOLTS / 2, (1 + NEAR_AMPS) / 2)
        volts, amps = volts | close_volts, amps | close_amps
    raise AssertionError("rows kept breaking")


class _Network:
    """One interval of a case in per unit of node voltages and of BASE_VA."""

    def __init__(self, case: Case, t: int):
        self.case, self.t, feeder = case, t, case.machine.feeder
        flow = self.flow = case.machine.exact
        self.legs, scale, nominal = flow.live_legs, feeder.node_volts[flow.live_nodes], feeder.leg_volts[flow.live_legs]
        self.source = feeder.source_volts if case.request.source_volts is None else case.request.source_volts[:, t]
        self.ends = (sp.diags(1 / nominal) @ flow.incidence.T @ sp.diags(scale)).tocsc()
        self.ybus, self.joints, self.drops = _connectors(feeder, flow.live_nodes)
        self.injected = feeder.source_matrix[flow.live_nodes] @ self.source * scale / BASE_VA
        self.base = case.base[self.legs, t].astype(complex) / BASE_VA
        self.spread = case.spread[self.legs].astype(complex) * (case.direction * PUSH_W / BASE_VA)
        self.scale, self.per_amp = scale, BASE_VA / nominal
        self.low, self.high, self.most = case.v_low[:, t], case.v_high[:, t], case.all_i_high[:, t]

    def levels(self, push: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Voltages of all legs and loadings of all rated conductors, per unit, in the solver's power flow at double precision."""
        volts, loading = self.case.exactly(push[:, None], np.array([self.t]))
        return volts[0, :, 0], loading[0, :, 0]

    def near(self, volts, loading, room: float, part: float) -> tuple[np.ndarray, np.ndarray]:
        """Legs with less room than so much to a limit, and conductors above that part of theirs."""
        return np.minimum(volts - self.low, self.high - volts) < room, loading > part * self.most

    def beyond(self, volts, loading) -> float:
        return float(max(np.max(self.low - volts), np.max(volts - self.high), np.max(loading - self.most, initial=-1)))

    def solve(self, start: np.ndarray, volts: np.ndarray, amps: np.ndarray) -> tuple[np.ndarray, dict]:
        """The push that IPOPT finds under the limits of these legs and conductors, and its statistics."""
        case, t, n, count, live = self.case, self.t, len(self.scale), len(start), len(self.legs)
        rows, near = np.flatnonzero(amps), np.flatnonzero(volts[self.legs])
        rated = case.machine.feeder.rating_amps[rows] * case.policy.loading
        own = None if case.request.source_volts is None else self.source[:, None]
        idle = case.machine.sensitivity.idle_currents(rows, own)[:, 0] / rated
        reach = sp.diags(1 / rated) @ case.machine.sensitivity.currents(rows)[:, self.legs] @ sp.diags(self.per_amp)
        sizes = {"v": n, "j": live, "w": len(rows), "c": self.drops.shape[0]}
        v, j, w, c = (_Phasor(name, size) for name, size in sizes.items())
        push = ca.MX.sym("push", count)
        u = v.by(self.ends)
        laws = [v.by(self.ybus).plus(j.by(self.ends.T)).plus(c.by(self.joints)).less(self.injected), w.less(j.by(reach)).less(idle)]
        laws.append(v.by(self.joints.T).less(c.by(self.drops)))
        drawn = _Phasor(parts=(ca.mtimes(_dm(self.spread.real), push), ca.mtimes(_dm(self.spread.imag), push)))
        laws.append(u.power(j).less(drawn).less(self.base))
        equal, legs = [part for law in laws for part in law.parts], self.legs[near]
        unknown = [*v.parts, *j.parts, *w.parts, *c.parts, push]
        program = {"x": ca.vertcat(*unknown), "f": -ca.sum1(push), "g": ca.vertcat(*equal, u.square()[near.tolist()], w.square())}
        none, free = np.zeros(2 * sum(sizes.values())), np.full(2 * sum(sizes.values()), np.inf)
        found = ca.nlpsol("optimum", "ipopt", program, OPTIONS)
        answer = found(
            x0=self._known(start, reach, idle),
            lbx=np.concatenate([-free, case.floor[:, t] / PUSH_W]),
            ubx=np.concatenate([free, case.room[:, t] / PUSH_W]),
            lbg=np.concatenate([none, self.low[legs].astype(float) ** 2, np.zeros(len(rows))]),
            ubg=np.concatenate([none, self.high[legs].astype(float) ** 2, self.most[rows].astype(float) ** 2]),
        )
        return np.clip(np.array(answer["x"]).ravel()[-count:] * PUSH_W, 0, case.room[:, t]), found.stats()

    def _known(self, push: np.ndarray, reach: sp.csr_matrix, idle: np.ndarray) -> np.ndarray:
        """Every unknown at a push, by the solver's own power flow."""
        power = self.case._power(push[:, None], np.array([self.t]))
        nodes = self.flow.solve(power, source_volts=self.source[:, None], nodes=True).nodes[self.flow.live_nodes, 0] / self.scale
        legs = np.conj((self.base + self.spread @ (push / PUSH_W)) / (self.ends @ nodes))
        balance = self.injected - self.ybus @ nodes - self.ends.T @ legs
        joined = lsqr(self.joints, balance)[0] if self.joints.shape[1] else np.zeros(0, complex)
        found = nodes, legs, idle + reach @ legs, joined
        return np.concatenate([part for each in found for part in (each.real, each.imag)] + [push / PUSH_W])


def _connectors(feeder: FeederModel, live: np.ndarray) -> tuple[sp.csc_matrix, sp.csc_matrix, sp.csc_matrix]:
    """Nodal admittance without the stiff elements in series (n, n), where their currents join (n, c), and their impedances (c, c): all in
    per unit, c conductors of such elements."""
    admittances, ends, drops = feeder.admittances.copy(), [], [np.zeros((0, 0))]
    for element in np.flatnonzero(feeder.in_service & (feeder.element_terminals == 2)):
        nodes, own, width = feeder.conductors(element), feeder.primitive(element), feeder.element_conductors[element]
        if (nodes < 0).any() or not feeder.alive[nodes].all():
            continue
        scale, series = feeder.node_volts[nodes[:width]], -own[:width, width:]
        if np.abs(series * np.outer(scale, scale)).max() > STIFF * BASE_VA and np.allclose(own[:width, :width], series, rtol=1e-3):
            span = slice(feeder.admittance_start[element], feeder.admittance_start[element + 1])
            admittances[span] -= np.block([[series, -series], [-series, series]]).ravel()
            ends += zip(nodes[:width], nodes[width:], strict=True)
            drops.append(np.linalg.inv(series) * BASE_VA / np.outer(scale, scale))
    volts, many = feeder.node_volts[live], np.arange(len(ends))
    first, last = np.array(ends, int).reshape(-1, 2).T
    joints = sp.csc_matrix(
        (np.tile([1.0, -1.0], (len(many), 1)).T.ravel(), (np.concatenate([first, last]), np.tile(many, 2))),
        shape=(len(feeder.nodes), len(many)),
    )
    ybus = replace(feeder, admittances=admittances).ybus[live][:, live]
    return (sp.diags(volts / BASE_VA) @ ybus @ sp.diags(volts)).tocsc(), joints[live].tocsc(), sp.block_diag(drops, format="csc")


class _Phasor:
    """A vector of complex unknowns, or what follows from them, as two real ones."""

    def __init__(self, name: str = "", size: int = 0, parts=None):
        self.parts = parts or (ca.MX.sym(f"{name}r", size), ca.MX.sym(f"{name}i", size))

    def by(self, matrix) -> "_Phasor":
        (real, imaginary), (r, i) = (_dm(matrix.real), _dm(matrix.imag)), self.parts
        if np.iscomplexobj(matrix):
            return _Phasor(parts=(ca.mtimes(real, r) - ca.mtimes(imaginary, i), ca.mtimes(real, i) + ca.mtimes(imaginary, r)))
        return _Phasor(parts=(ca.mtimes(real, r), ca.mtimes(real, i)))

    def plus(self, other: "_Phasor") -> "_Phasor":
        return _Phasor(parts=tuple(a + b for a, b in zip(self.parts, other.parts, strict=True)))

    def less(self, other) -> "_Phasor":
        others = other.parts if isinstance(other, _Phasor) else (other.real, other.imag)
        return _Phasor(parts=tuple(a - b for a, b in zip(self.parts, others, strict=True)))

    def power(self, current: "_Phasor") -> "_Phasor":
        (r, i), (x, y) = self.parts, current.parts
        return _Phasor(parts=(r * x + i * y, i * x - r * y))

    def square(self):
        return self.parts[0] ** 2 + self.parts[1] ** 2


def _dm(matrix) -> ca.DM:
    """A SciPy sparse matrix as CasADi's."""
    matrix = sp.csc_matrix(matrix)
    matrix.sort_indices()
    pattern = ca.Sparsity(*matrix.shape, matrix.indptr.tolist(), matrix.indices.tolist())
    return ca.DM(pattern, matrix.data)
