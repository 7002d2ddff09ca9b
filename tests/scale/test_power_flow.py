"""Power flows per second and core against OpenDSS snapshots on the same feeder (issue: figures of the network)."""

from time import process_time

import numpy as np
import pytest

from operations.network.engine.powerflow import PowerFlow
from tests.operations import feeders
from tests.operations.referee import Referee
from tests.scale.figures import verdict

pytestmark = pytest.mark.scale
INTERVALS, SNAPSHOTS, RUNS = 288, 100, 5
FLOORS = {"epri-ckt5": 6.0, "ieee8500": 4.0}


@pytest.mark.parametrize("name", FLOORS)
def test_power_flows_per_second(name):
    """O1: CPU seconds; OpenDSS is charged for solving alone, at its own tolerance of 1e-4, not for setting its loads."""
    feeder = feeders.settled(name)
    rng = np.random.default_rng(1)
    power = feeder.leg_va(feeder.point_va[:, None] * rng.uniform(0.2, 0.8, (len(feeder.points), INTERVALS)))
    rates = {}
    for label, options in (("f32", {"dtype": np.float32}), ("f64", {}), ("SciPy alone", {"native": False})):
        flow = PowerFlow(feeder, **options)
        flow.solve(power[:, :32])
        rates[label] = max(_rate(flow, power) for _ in range(RUNS if flow.native else 1))
    rates["OpenDSS"] = _snapshots(Referee(name, feeder), power[:, :SNAPSHOTS])
    found = PowerFlow(feeder, dtype=np.float32).solve(power[:, :3])
    apart = max(np.abs(Referee(name, feeder).solve(power[:, t])[0] - np.abs(found.legs[:, t]) / feeder.leg_volts).max() for t in range(3))
    print(f"\n\n{name}, {len(feeder.nodes):,} nodes: " + ", ".join(f"{label} {rate:,.0f}/s" for label, rate in rates.items()))
    print(f"  largest difference of a point's voltage, f32 against OpenDSS: {apart:.1e} pu")
    print(verdict(f"{name}: flows per CPU second against OpenDSS", rates["f32"] / rates["OpenDSS"], floor=FLOORS[name]))
    assert found.converged.all() and apart < 1e-5


def _rate(flow: PowerFlow, power: np.ndarray) -> float:
    started = process_time()
    found = flow.solve(power)
    assert found.converged.all()
    return power.shape[1] / (process_time() - started)


def _snapshots(referee: Referee, power: np.ndarray) -> float:
    """OpenDSS's own rate: the median of its solves, its loads set before the clock starts."""
    referee.dss.Text.Command("set tolerance=1e-4")
    solve, spent = referee.dss.Solution.Solve, []
    for t in range(power.shape[1]):
        referee.set_loads(power[:, t])
        started = process_time()
        solve()
        spent.append(process_time() - started)
    return 1 / float(np.mean(spent))
