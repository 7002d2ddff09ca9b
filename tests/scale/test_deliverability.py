"""T-D optimisation on RTE's network of 1,888 buses: 500 nodes, 2,000 feeders, 30,000 blocks, 300 lines."""

import statistics
from time import process_time

import numpy as np
import pytest

from operations.coordination.engine.program import model_of, optimise, solver
from tests.operations import transmission
from tests.scale.figures import peak_kb, verdict

pytestmark = pytest.mark.scale
FEEDERS, CYCLE_S, INTERVALS, RUNS = 2_000, 300, 12, 5


def alone(model) -> float:
    """CPU seconds of HiGHS for a model that is there."""
    highs = solver()
    started = process_time()
    highs.passModel(model)
    highs.run()
    return process_time() - started


def test_one_interval_and_the_rolling_hour():
    """O4: from blocks to feeders against HiGHS alone, in turns in one run."""
    started = process_time()
    asked, feeder = transmission.program(transmission.read(), nodes=500, feeders=FEEDERS, each=15, lines=300)
    ready = process_time() - started
    model = model_of(asked)
    ours, theirs = [], []
    for _ in range(RUNS):
        theirs.append(alone(model))
        started = process_time()
        answer = optimise(asked)
        kw = np.bincount(feeder, weights=answer.kw, minlength=FEEDERS)
        ours.append(process_time() - started)
    ratio, hour = statistics.median(ours) / statistics.median(theirs), INTERVALS * statistics.median(ours)
    size = f"{len(asked.node):,} blocks, {len(asked.low)} nodes, {len(asked.line_low)} lines"
    print(f"\n\n{size}; factors and blocks in {ready:.2f} CPU s, {peak_kb() / 1e6:.2f} GB")
    print(f"  CPU s: HiGHS alone {statistics.median(theirs):.3f}, from blocks to feeders {statistics.median(ours):.3f}")
    binding = [int((values > 1e-9).sum()) for values in (answer.line_value, answer.node_value)]
    print(f"  {binding[0]} lines and {binding[1]} interfaces bind, {answer.missing:,.0f} kW missing")
    print(verdict("T-D optimisation against HiGHS alone", ratio, ceiling=1.5))
    print(verdict("rolling hour of 12 intervals, part of the cycle", hour / CYCLE_S, ceiling=0.05))
    assert kw.sum() == pytest.approx(answer.kw.sum()) and ratio <= 1.5 and hour / CYCLE_S < 0.05
