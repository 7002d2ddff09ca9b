"""Hosting capacity by node against an OpenDSS loop that bisects the same (issue: operations, flexible interconnection)."""

from time import process_time

import numpy as np
import pytest

from operations.envelopes.solver.case import Machine
from operations.envelopes.solver.problem import EXPORT, Policy
from operations.interconnection.solver import hosting
from tests.operations import feeders
from tests.operations.referee import Referee
from tests.scale.figures import verdict

pytestmark = pytest.mark.scale
NODES, SAMPLE, HALVINGS, HEAD = 96, 8, 12, 1.03
LOAD = 0.4  # of the model's: an hour with little load


class Probed(Referee):
    """OpenDSS with a resource at each of the buses, whose power alone changes."""

    def room(self, bus: str, most_w: float) -> float:
        """Watts that fit at a bus, by halving."""
        low, high = (0.0, most_w) if not self._holds(bus, most_w) else (most_w, most_w)
        for _ in range(HALVINGS if high > low else 0):
            tried = (low + high) / 2
            low, high = (tried, high) if self._holds(bus, tried) else (low, tried)
        self._holds(bus, 0)
        return low

    def _holds(self, bus: str, watts: float) -> bool:
        self.dss.Loads.Name(bus)
        self.dss.Loads.kW(-watts / 1e3)
        self.dss.Loads.kvar(0)
        self.dss.Solution.Solve()
        if not self.dss.Solution.Converged():
            return False
        volts, loading = self.volts(), self.loading()
        return bool((volts <= self.high).all() and (volts >= self.low).all() and (loading <= self.most).all())

    def begin(self, leg_va: np.ndarray, policy: Policy) -> None:
        """The base case, which no limit asks to be better than it is."""
        volts, loading = self.solve(leg_va)
        self.high = np.where(volts > policy.v_max - 1e-3, np.maximum(policy.v_max, volts + 1e-3), policy.v_max) + 1e-5
        self.low = np.where(volts < policy.v_min + 1e-3, np.minimum(policy.v_min, volts - 1e-3), policy.v_min) - 1e-5
        self.most = np.where(loading > 0.98, np.maximum(1, loading * 1.02), 1) + 1e-5


def test_hosting_of_ckt5(monkeypatch):
    """O4: what nodes of EPRI's circuit 5 can inject alone, as OpenDSS finds it by halving."""
    plain = feeders.model("epri-ckt5", HEAD)
    buses = hosting.buses_of(plain)
    buses = buses[:: len(buses) // NODES][:NODES]
    feeder, policy = hosting.prepared(plain, buses), Policy("group", v_min=0.95, v_max=1.05)
    machine, asked = Machine(feeder), hosting.tried(plain, buses)
    base = machine.feeder.leg_va()[:, None] * LOAD
    hosting.capacities(machine, base, 1, asked[-1:], EXPORT, policy)  # compiles
    started = process_time()
    found = hosting.capacities(machine, base, len(buses), asked, EXPORT, policy)
    ours = (process_time() - started) / len(buses)
    probes = [_probe(plain, bus) for bus in buses]
    monkeypatch.setitem(feeders.COMMANDS, "epri-ckt5", tuple(probes))
    referee = Probed("epri-ckt5", machine.feeder, HEAD)
    referee.begin(base[:, 0], policy)
    sample = range(0, len(buses), len(buses) // SAMPLE)
    started = process_time()
    theirs = {number: referee.room(buses[number], asked[number]) for number in sample}
    loop = (process_time() - started) / len(theirs)
    apart = max(abs(found.watts[n] - watts) / asked[n] for n, watts in theirs.items())
    print(f"\n\nckt5: {1e3 * ours:.0f} CPU ms a node and direction, OpenDSS {1e3 * loop:.0f}; at most {apart:.2%} of what was tried apart")
    print(verdict("hosting capacity of a node against an OpenDSS loop", loop / ours, floor=2))
    assert apart <= 2.0**-HALVINGS * 4 + 1e-3


def _probe(feeder, bus: str) -> str:
    legs = feeder.legs_of(bus)
    phases = ".".join(str(feeder.nodes[leg[0]]).rsplit(".", 1)[1] for leg in legs)
    volts = legs[0][3] * (np.sqrt(3) if len(legs) > 1 else 1) / 1e3
    return f"new load.{bus} bus1={bus}.{phases} phases={len(legs)} kv={volts:.6f} kw=0 kvar=0 model=1"
