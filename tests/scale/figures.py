"""Measuring and printing: phases, ratios, medians. Nothing here asserts a time; the tables are read by people."""

import os
import re
import statistics
from collections import defaultdict
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter

RUNS = int(os.environ.get("BENCH_RUNS", "3"))
ROWS = int(os.environ.get("BENCH_ROWS", "1000000"))


def peak_kb() -> int:
    """The most memory that this program has held, kB. (getrusage tells that of its parent too, from before it began.)"""
    return int(re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1])


class Phases:
    """Seconds by phase, over several runs."""

    def __init__(self):
        self.seconds: dict[str, list[float]] = defaultdict(list)

    @contextmanager
    def __call__(self, name: str):
        started = perf_counter()
        yield
        self.seconds[name].append(perf_counter() - started)

    def add(self, name: str, seconds: float) -> None:
        self.seconds[name].append(seconds)

    def median(self, name: str) -> float:
        return statistics.median(self.seconds[name])

    def table(self, rows: int) -> str:
        lines = [f"  {'phase':<44} {'median s':>9} {'min':>8} {'max':>8} {'rows/s':>10}"]
        for name, times in self.seconds.items():
            middle = statistics.median(times)
            lines.append(f"  {name:<44} {middle:9.2f} {min(times):8.2f} {max(times):8.2f} {rows / middle:10,.0f}")
        return "\n".join(lines)


def verdict(name: str, ratio: float, floor: float | None = None, ceiling: float | None = None) -> str:
    """One line: what was reached against what must be."""
    good = ratio >= floor if floor is not None else ratio <= ceiling
    bound = f">= {floor}" if floor is not None else f"<= {ceiling}"
    return f"  {'reached' if good else 'MISSED ':<8} {name:<60} {ratio:6.2f}  (must be {bound})"
