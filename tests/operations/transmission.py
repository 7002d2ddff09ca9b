"""RTE's case of 1,888 buses (references/case1888rte.csv.xz) as a transmission network with T-D nodes, lines and blocks, from a seed."""

import lzma
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from operations.coordination.engine.program import Program
from tests.operations.transfer import Grid

FILE = Path(__file__).parent / "references" / "case1888rte.csv.xz"


@dataclass(frozen=True, eq=False)
class Case:
    """The network, injections (n,) MW, and the rates (m,) MVA of lines; 0 where a line has none."""

    grid: Grid
    injection: np.ndarray
    rate: np.ndarray


def read() -> Case:
    """The case as it was published: loads negative, generators positive."""
    rows = [line.split(",") for line in lzma.decompress(FILE.read_bytes()).decode().splitlines() if not line.startswith("#")]
    buses = [row for row in rows if row[0] == "bus"]
    place = {row[1]: n for n, row in enumerate(buses)}
    injection = np.array([-float(row[2]) for row in buses])
    for row in rows:
        if row[0] == "gen":
            injection[place[row[1]]] += float(row[2])
    lines = [row for row in rows if row[0] == "branch"]
    ends = np.array([[place[row[1]], place[row[2]]] for row in lines]).T
    reactance = np.array([float(row[3]) * (float(row[4]) or 1.0) for row in lines])
    balance = next(n for n, row in enumerate(buses) if row[3] == "1")
    return Case(Grid(len(buses), *ends, reactance, balance), injection, np.array([float(row[5]) for row in lines]))


def program(case: Case, *, nodes: int, feeders: int, each: int, lines: int, seed: int = 2026) -> tuple[Program, np.ndarray]:
    """T-D nodes at the largest loads, feeders dealt to them, blocks with prices on each, the most loaded lines watched, each up to a tenth
    above its flow; and the feeder of each block. Half of all that the blocks hold is wanted."""
    rng = np.random.default_rng(seed)
    at = np.argsort(case.injection)[:nodes]
    flow = case.grid.flows(case.injection)
    rated = np.flatnonzero(case.rate > 0)
    watched = rated[np.argsort(-np.abs(flow[rated]) / case.rate[rated])[:lines]]
    factors = case.grid.factors(watched, at)
    feeder_node = rng.integers(0, nodes, feeders)
    feeder = np.repeat(np.arange(feeders), each)
    most = rng.uniform(20, 400, feeders * each)
    room = np.bincount(feeder_node[feeder], weights=most, minlength=nodes) * rng.uniform(0.4, 1.1, nodes)
    now = flow[watched] * 1e3
    limit = np.abs(now) * rng.uniform(1.0, 1.1, lines)  # tighter than the rates, so that lines bind
    return (
        Program(
            node=feeder_node[feeder],
            cost=rng.uniform(0.02, 0.4, feeders * each),
            most=most,
            low=np.zeros(nodes),
            high=room,
            factors=factors,
            line_low=np.minimum(0, -limit - now),
            line_high=np.maximum(0, limit - now),
            wanted=float(most.sum() / 2),
            shortage=10.0,
        ),
        feeder,
    )
