"""A lifecycle as a drawing: statuses in layers from left to right, moves as numbered curves between them (Sugiyama's method)."""

from dataclasses import dataclass, field
from itertools import pairwise

from moc.lifecycle import Lifecycle, Transition, diagram

BOX, HEIGHT = 172, 48  # a status, in pixels
ACROSS, DOWN = 246, 78  # from layer to layer, from slot to slot
MARGIN = 20
SWEEPS = 6


@dataclass
class Box:
    """A status: its words, where its box stands, and whether a new record may begin there or ends there."""

    status: str
    lines: list[str]
    x: float
    y: float
    initial: bool
    final: bool


@dataclass
class Curve:
    """The moves from one status to another: an SVG path, and where their numbers stand."""

    path: str
    numbers: str
    x: float
    y: float
    system: bool
    danger: bool


@dataclass
class Drawing:
    """What the template writes as SVG; `moves` are (number, transition, labels of its sources, label of its target)."""

    width: float
    height: float
    boxes: list[Box] = field(default_factory=list)
    curves: list[Curve] = field(default_factory=list)
    moves: list[tuple[int, Transition, list[str], str]] = field(default_factory=list)


def draw(lifecycle: Lifecycle, labels: dict[str, str]) -> Drawing:
    """Lay a lifecycle out. `labels` are the words of the statuses."""
    known = diagram(lifecycle, labels)
    statuses = [str(status) for status, _ in known["nodes"]]
    bundles: dict[tuple[str, str], list[Transition]] = {}
    for source, target, move in known["edges"]:
        bundles.setdefault((str(source), str(target)), []).append(move)
    backward = _backward(statuses, set(bundles), [str(status) for status in lifecycle.initial])
    forward = {edge: (edge[::-1] if edge in backward else edge) for edge in bundles}
    layer = _layers(statuses, set(forward.values()))
    chains = {edge: _chain(ends, layer) for edge, ends in forward.items()}
    place = _places(statuses, layer, chains.values())
    numbers = {name: number for number, name in enumerate(lifecycle.transitions, 1)}
    right, bottom = max(x for x, _ in place.values()), max(y for _, y in place.values())
    drawing = Drawing(right + BOX + MARGIN, bottom + HEIGHT + MARGIN)
    starts, left = {str(status) for status in lifecycle.initial}, {source for source, _ in bundles}
    for status in statuses:
        drawing.boxes.append(Box(status, _wrap(labels.get(status, status)), *place[status], status in starts, status not in left))
    for edge, moves in bundles.items():
        both_ways = edge[::-1] in bundles
        drawing.curves.append(_curve(chains[edge], place, moves, numbers, edge in backward, both_ways))
    for name, move in lifecycle.transitions.items():
        sources = [labels.get(source, source) for source in move.sources]
        drawing.moves.append((numbers[name], move, sources, labels.get(move.target, move.target)))
    return drawing


def _backward(statuses: list[str], edges: set[tuple[str, str]], initial: list[str]) -> set[tuple[str, str]]:
    """The moves that lead back to a status on the way: drawn right to left."""
    found, on_way, done = set(), set(), set()

    def visit(status: str) -> None:
        on_way.add(status)
        for target in [target for target in statuses if (status, target) in edges]:
            if target in on_way:
                found.add((status, target))
            elif target not in done:
                visit(target)
        on_way.discard(status)
        done.add(status)

    for status in sorted(initial, key=statuses.index) + statuses:
        if status not in done:
            visit(status)
    return found


def _layers(statuses: list[str], edges: set[tuple[str, str]]) -> dict[str, int]:
    """Each status as far right as its longest way from the left."""
    layer = dict.fromkeys(statuses, 0)
    for _ in statuses:
        for source, target in edges:
            if source != target:
                layer[target] = max(layer[target], layer[source] + 1)
    return layer


def _chain(ends: tuple[str, str], layer: dict[str, int]) -> list:
    """An edge from layer to layer: its ends, and a waypoint in every layer between."""
    source, target = ends
    return [source, *[(source, target, between) for between in range(layer[source] + 1, layer[target])], target]


def _places(statuses: list[str], layer: dict[str, int], chains) -> dict:
    """Coordinates of statuses and waypoints: within a layer each stands near the mean of its neighbours."""
    level = dict(layer) | {point: point[2] for chain in chains for point in chain if isinstance(point, tuple)}
    columns = [[node for node in level if level[node] == number] for number in range(max(level.values()) + 1)]
    beside: dict = {node: [] for node in level}
    for chain in chains:
        for one, other in pairwise(chain):
            beside[one].append(other)
            beside[other].append(one)
    rank = {node: slot for column in columns for slot, node in enumerate(column)}
    for sweep in range(SWEEPS):
        for column in columns if sweep % 2 == 0 else reversed(columns):
            column.sort(key=lambda node: sum(rank[other] for other in beside[node]) / (len(beside[node]) or 1))
            rank.update({node: slot - (len(column) - 1) / 2 for slot, node in enumerate(column)})
    tallest = max(map(len, columns))
    return {
        node: (MARGIN + number * ACROSS, MARGIN + (slot + (tallest - len(column)) / 2) * DOWN)
        for number, column in enumerate(columns)
        for slot, node in enumerate(column)
    }


def _curve(chain: list, place: dict, moves: list[Transition], numbers: dict, backward: bool, both_ways: bool) -> Curve:
    """The path of a bundle of moves through its waypoints; two that run both ways keep a distance."""
    shift = (9 if backward else -9) if both_ways else 0
    points = []
    for index, node in enumerate(chain):
        x, y = place[node]
        middle = y + HEIGHT / 2 + shift
        if isinstance(node, tuple):
            points += [(x, middle), (x + BOX, middle)]
        else:
            points.append((x + BOX, middle) if index == 0 else (x, middle))
    middle = _halfway(points)
    points = points[::-1] if backward else points
    path = f"M{points[0][0]:.0f},{points[0][1]:.0f}" + "".join(_step(one, other) for one, other in pairwise(points))
    written = ", ".join(str(numbers[move.name]) for move in moves)
    return Curve(path, written, *middle, all(move.permission is None for move in moves), any(move.danger for move in moves))


def _halfway(points: list[tuple[float, float]]) -> tuple[float, float]:
    """Where the number stands: in the middle of the curve's first gap between layers."""
    (x, y), (far_x, far_y) = points[0], points[1]
    return (x + far_x) / 2, (y + far_y) / 2


def _step(one: tuple[float, float], other: tuple[float, float]) -> str:
    bend = (other[0] - one[0]) / 2
    return f"C{one[0] + bend:.0f},{one[1]:.0f} {other[0] - bend:.0f},{other[1]:.0f} {other[0]:.0f},{other[1]:.0f}"


def _wrap(words: str, width: int = 22) -> list[str]:
    """At most two lines."""
    if len(words) <= width:
        return [words]
    cut = words.rfind(" ", 0, width + 1)
    return [words] if cut < 0 else [words[:cut], words[cut + 1 :]]
