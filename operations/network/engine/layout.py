"""Where a feeder's buses lie in its drawing: as surveyed, and where that is unknown as a tree from the source."""

import numpy as np

from operations.network.engine.feeder import FeederModel

SURVEYED = 0.25  # part of the buses that needs coordinates for a map (the others lie at the bus before them); below, a one-line


def edges(feeder: FeederModel) -> np.ndarray:
    """First and last bus of each element, (m, 2); −1 where an element has one terminal in the grid."""
    found = np.full((len(feeder.element_names), 2), -1)
    for number in range(len(found)):
        nodes = feeder.conductors(number)
        width = feeder.element_conductors[number]
        ends = [terminal[terminal >= 0] for terminal in nodes.reshape(-1, width)]
        buses = [int(feeder.node_bus[end[0]]) for end in ends if len(end)]
        found[number, : min(len(buses), 2)] = (buses[0], buses[-1])[: len(buses)] if buses else ()
    return found


def place(feeder: FeederModel, ends: np.ndarray) -> np.ndarray:
    """Coordinates of every bus, (buses, 2)."""
    order, parent = _walk(feeder, ends)
    xy = feeder.xy.copy()
    if np.isfinite(xy[:, 0]).mean() < SURVEYED:
        return _tree(len(feeder.buses), order, parent)
    for bus in order:
        if not np.isfinite(xy[bus]).all() and parent[bus] >= 0:
            xy[bus] = xy[parent[bus]]
    return xy


def _walk(feeder: FeederModel, ends: np.ndarray) -> tuple[list[int], np.ndarray]:
    """Buses from the source outwards, depth first, and the bus before each."""
    beside: dict[int, list[int]] = {}
    for a, b in ends[(ends >= 0).all(1)]:
        beside.setdefault(int(a), []).append(int(b))
        beside.setdefault(int(b), []).append(int(a))
    parent = np.full(len(feeder.buses), -1)
    seen, order = set(), []
    stack = [(int(bus), -1) for bus in np.unique(feeder.node_bus[feeder.source_node])]
    while stack:
        bus, before = stack.pop()
        if bus in seen:
            continue
        seen.add(bus)
        order.append(bus)
        parent[bus] = before
        stack += [(other, bus) for other in beside.get(bus, ()) if other not in seen]
    return order, parent


def _tree(count: int, order: list[int], parent: np.ndarray) -> np.ndarray:
    """Depth to the right; leaves one below another, each bus at the middle of what hangs on it."""
    xy, last = np.full((count, 2), np.nan), 0
    for bus in order:
        xy[bus, 0] = 0 if parent[bus] < 0 else xy[parent[bus], 0] + 1
    children: dict[int, list[int]] = {}
    for bus in order:
        children.setdefault(int(parent[bus]), []).append(bus)
    for bus in reversed(order):
        if bus in children:
            xy[bus, 1] = np.mean([xy[child, 1] for child in children[bus]])
        else:
            xy[bus, 1], last = last, last + 1
    return xy
