"""The privacy gate: which cells of a table with totals are shown, so that nobody finds a few customers behind them by subtraction.

A cell passes with at least so many customers, none above a share of its power (the 15/15 rule). Each shown total is an equation: it is
the sum of its cells. So the table is a graph whose vertices are rows and columns and whose edges are cells; what follows from the shown
cells by any sums and differences are exactly the cuts of the graph of hidden cells (Gusfield, 1988), in which a row or column whose own
total is hidden is one with all the others of its kind. So every cut must itself pass: for each hidden cell, the least cut between its ends.
"""

from collections import Counter, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

Cell = tuple[str, str]
Vertex = tuple[str, str]
Graph = dict[Vertex, dict[Vertex, int]]
ROWS, COLUMNS, WHOLE = ("row", ""), ("column", ""), ("whole", "")


@dataclass(frozen=True)
class Weight:
    """What is in a cell: customers, their power in W, and the largest customer's.

    A customer may be in several cells of a row. `apart` counts customers so that any set of cells sums to no more than are behind it.
    """

    customers: int
    watts: int
    top: int
    apart: int


@dataclass(frozen=True)
class Limits:
    """The rule: at least so many customers, none above so many percent."""

    least: int
    percent: int

    def passes(self, weight: Weight) -> bool:
        """Whether a group of customers may be shown."""
        return weight.customers >= self.least and 100 * weight.top <= self.percent * weight.watts

    def needed(self, watts: int) -> int:
        """The power in W in which a customer of so many W is lost."""
        return -(-100 * watts // self.percent)


def suppress(weights: Mapping[Cell, Weight], limits: Limits, also: frozenset[Cell] = frozenset()) -> set[Cell]:
    """The cells to hide: those that do not pass, those of `also`, and as many more as it takes. Empty ones are shown."""
    hidden = {cell for cell, weight in weights.items() if cell in also or (weight.customers and not limits.passes(weight))}
    while (found := _weak(weights, hidden, limits)) is not None:
        hidden.add(_remedy(weights, hidden, found))
    return hidden


@dataclass(frozen=True)
class Weak:
    """A hidden cell with one side of a cut through it that does not pass, and what it lacks: customers, or W."""

    cell: Cell
    side: set[Vertex]
    customers: int = 0
    watts: int = 0


def _ends(cell: Cell, hidden: set[Cell]) -> tuple[Vertex, Vertex]:
    """The vertices of a cell: its row and column; one whose total is hidden tells nothing alone, and is one with the total's own."""
    row = ROWS if (cell[0], "") in hidden else ("row", cell[0])
    column = COLUMNS if ("", cell[1]) in hidden else ("column", cell[1])
    if ("", "") in hidden:
        return tuple(WHOLE if end in (ROWS, COLUMNS) else end for end in (row, column))
    return row, column


def _inner(weights: Mapping[Cell, Weight]) -> list[Cell]:
    """The cells that are no totals, with somebody in them."""
    return sorted(cell for cell, weight in weights.items() if "" not in cell and weight.customers)


def _weak(weights: Mapping[Cell, Weight], hidden: set[Cell], limits: Limits) -> Weak | None:
    """A cut of hidden cells that does not pass; None where all pass."""
    inner = [cell for cell in _inner(weights) if cell in hidden]
    people = _graph((_ends(cell, hidden), weights[cell].apart) for cell in inner)
    power = _graph((_ends(cell, hidden), weights[cell].watts) for cell in inner)
    largest = Counter()  # by row: what a customer of the row has in its hidden cells is no more than their largest customers have
    for cell in inner:
        largest[cell[0]] += weights[cell].top
    for cell in inner:
        start, end = _ends(cell, hidden)
        if start == end:
            continue
        needed = {"customers": (people, limits.least), "watts": (power, limits.needed(largest[cell[0]]))}
        for what, (graph, enough) in needed.items():
            flow, side = least_cut(graph, start, end, enough=enough)
            if flow < enough:
                return Weak(cell, side, **{what: enough - flow})
    return None


def _remedy(weights: Mapping[Cell, Weight], hidden: set[Cell], weak: Weak) -> Cell:
    """What to hide next: a shown cell that crosses the cut, else a total that may blur it, else the whole.

    Of several the smallest that has all that is lacking; where none has, the largest.
    """
    ends = {cell: _ends(cell, hidden) for cell in _inner(weights) if cell not in hidden}
    found = [cell for cell, (start, end) in ends.items() if (start in weak.side) != (end in weak.side)]
    if not found:
        row, column = weak.cell
        rows, columns = (row, "") in hidden, ("", column) in hidden
        totals = [cell for cell in weights if (cell[0] == "") != (cell[1] == "") and cell not in hidden]
        found = [cell for cell in totals if cell in ((row, ""), ("", column)) or (rows if cell[0] else columns)]
    if not found:
        return "", ""
    enough = [cell for cell in found if weights[cell].apart >= weak.customers and weights[cell].watts >= weak.watts]
    by_power = sorted(enough or found, key=lambda cell: (weights[cell].watts, cell))
    return by_power[0] if enough else by_power[-1]


def _graph(edges: Iterable[tuple[tuple[Vertex, Vertex], int]]) -> Graph:
    """Capacities between vertices; those of cells between the same two add up."""
    found: Graph = {}
    for (start, end), capacity in edges:
        for one, other in ((start, end), (end, start)):
            beyond = found.setdefault(one, {})
            beyond[other] = beyond.get(other, 0) + capacity
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
