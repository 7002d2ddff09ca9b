"""The privacy gate: which cells of a table with totals are shown, so that nobody finds a few customers behind them by subtraction.

A cell passes with at least so many customers, none above a share of its power (the 15/15 rule). Each row and each column of the table,
totals included, is an equation; so the table is a graph whose vertices are rows and columns ("" is the total) and whose edges are cells.
What follows from the shown cells by any sums and differences are exactly the cuts of the graph of hidden cells (Gusfield, 1988). So every
cut must itself pass: for each hidden cell, the least cut between its row and its column.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

Cell = tuple[str, str]
Vertex = tuple[str, str]
Graph = dict[Vertex, dict[Vertex, int]]


@dataclass(frozen=True)
class Weight:
    """What is in a cell: customers, their power in W, and the largest customer's.

    A customer may be in several cells. `apart` counts customers so that any set of cells sums to no more than are behind it; `whole` is
    the power in all cells of the largest customer of this one.
    """

    customers: int
    watts: int
    top: int
    apart: int
    whole: int


@dataclass(frozen=True)
class Limits:
    """The rule: at least so many customers, none above so many percent."""

    least: int
    percent: int

    def passes(self, weight: Weight) -> bool:
        """Whether a group of customers may be shown."""
        return weight.customers >= self.least and 100 * weight.top <= self.percent * weight.watts

    def needed(self, weight: Weight) -> int:
        """The power in W in which the largest customer of a cell is lost."""
        return -(-100 * weight.whole // self.percent)


def suppress(weights: Mapping[Cell, Weight], limits: Limits, also: frozenset[Cell] = frozenset()) -> set[Cell]:
    """The cells to hide: those that do not pass, those of `also`, and as many more as it takes. Empty ones are shown."""
    filled = {cell: weight for cell, weight in weights.items() if weight.customers}
    hidden = {cell for cell, weight in filled.items() if cell in also or not limits.passes(weight)}
    while (side := _weak_side(filled, hidden, limits)) is not None:
        shown = [cell for cell in filled if cell not in hidden]
        crossing = [cell for cell in shown if (("row", cell[0]) in side) != (("column", cell[1]) in side)]
        if not crossing:
            return set(filled)
        hidden.add(min(crossing, key=lambda cell: (filled[cell].watts, cell)))
    return hidden | (set(also) & set(weights))


def _weak_side(filled: Mapping[Cell, Weight], hidden: set[Cell], limits: Limits) -> set[Vertex] | None:
    """One side of a cut of hidden cells that does not pass; None where all pass."""
    people = _graph({cell: filled[cell].apart for cell in hidden})
    power = _graph({cell: filled[cell].watts for cell in hidden})
    for row, column in sorted(hidden):
        ends = ("row", row), ("column", column)
        for graph, needed in ((people, limits.least), (power, limits.needed(filled[row, column]))):
            flow, side = least_cut(graph, *ends, enough=needed)
            if flow < needed:
                return side
    return None


def _graph(capacities: Mapping[Cell, int]) -> Graph:
    found: Graph = {}
    for (row, column), capacity in capacities.items():
        found.setdefault(("row", row), {})["column", column] = capacity
        found.setdefault(("column", column), {})["row", row] = capacity
    return found


def least_cut(graph: Graph, source: Vertex, sink: Vertex, *, enough: int) -> tuple[int, set[Vertex]]:
    """The least cut between two vertices, and the source's side of it (maximum flow by shortest paths); it stops at `enough`."""
    left = {vertex: dict(edges) for vertex, edges in graph.items()}
    flow = 0
    while flow < enough:
        came = _paths(left, source, sink)
        if sink not in came:
            return flow, set(came)
        path, vertex = [], sink
        while vertex != source:
            path.append((came[vertex], vertex))
            vertex = came[vertex]
        pushed = min(left[start][end] for start, end in path)
        for start, end in path:
            left[start][end] -= pushed
            left[end][start] = left[end].get(start, 0) + pushed
        flow += pushed
    return flow, set()


def _paths(left: Graph, source: Vertex, sink: Vertex) -> dict[Vertex, Vertex]:
    """Each vertex that is reached, with the one before it."""
    came, waiting = {source: source}, deque([source])
    while waiting and sink not in came:
        vertex = waiting.popleft()
        for beyond, capacity in left[vertex].items():
            if capacity > 0 and beyond not in came:
                came[beyond] = vertex
                waiting.append(beyond)
    return came
