"""A network as it is looked at: its drawing, what a search finds, and its findings."""

import math
from dataclasses import dataclass

from django.db.models import Count, Q

from operations.network import rules  # noqa: F401  (fills the register of rules, which findings name)
from operations.network.models import NetworkElement, NetworkPoint, NetworkVersion

WIDTH, MOST_HEIGHT, MARGIN = 1000.0, 1400.0, 12.0
LOADINGS = ((50, "low", "below 50 %"), (80, "some", "50 to 80 %"), (100, "high", "80 to 100 %"), (math.inf, "over", "over 100 %"))
VOLTAGES = ((0.95, "under", "below 0.95"), (1.05, "within", "0.95 to 1.05"), (math.inf, "above", "above 1.05"))
FOUND = 25


@dataclass(frozen=True)
class Stroke:
    """One path of the drawing: everything in one band of loading or voltage."""

    name: str
    label: str
    path: str
    count: int


@dataclass(frozen=True)
class Drawing:
    """A feeder drawn: `box` is the viewBox; lines by loading, what has no length (transformers) where half its rating is used, points by
    voltage, and the marks of what was searched."""

    box: str
    lines: list[Stroke]
    spots: list[Stroke]
    points: list[Stroke]
    marks: list[tuple[float, float]]


@dataclass(frozen=True)
class Layer:
    """Values of buses that are drawn instead of the points' voltages, in bands (limit, name, label)."""

    values: dict[str, float]
    bands: tuple


def drawing(version: NetworkVersion, wanted: str = "", layer: Layer | None = None) -> Drawing | None:
    """The drawing of a version, in as many paths as there are bands, so that a browser is quick with ten thousand elements."""
    lines = list(NetworkElement.objects.filter(version=version).exclude(x1=None).values_list("x1", "y1", "x2", "y2", "loading_percent"))
    points = _voltages(version) if layer is None else _values(version, layer)
    bands = VOLTAGES if layer is None else layer.bands
    if not lines:
        return None
    xs = [value for row in lines for value in (row[0], row[2]) if value is not None]
    ys = [value for row in lines for value in (row[1], row[3]) if value is not None]
    left, top = min(xs), max(ys)
    wide, high = max(max(xs) - left, 1e-9), max(top - min(ys), 1e-9)
    across, down = WIDTH / wide, min(WIDTH / wide, MOST_HEIGHT / high)

    def at(x: float, y: float) -> tuple[float, float]:
        return round((x - left) * across + MARGIN, 1), round((top - y) * down + MARGIN, 1)

    strokes, spots = ({name: [] for _, name, _ in LOADINGS} | {"unrated": []} for _ in range(2))
    for x1, y1, x2, y2, loading in lines:
        (a, b), named = at(x1, y1), band(loading, LOADINGS, "unrated")
        (c, d) = (a, b) if x2 is None else at(x2, y2)
        if (a, b) != (c, d):
            strokes[named].append(f"M{a} {b}L{c} {d}")
        elif named not in ("low", "unrated"):
            spots[named].append(f"M{a} {b}h0")
    dots = {name: [] for _, name, _ in bands} | {"dead": []}
    for x, y, value in points:
        a, b = at(x, y)
        dots[band(value, bands, "dead")].append(f"M{a} {b}h0")
    labels = {name: label for _, name, label in (*LOADINGS, *bands)} | {"unrated": "no rating", "dead": "no voltage"}
    box = f"0 0 {WIDTH + 2 * MARGIN:.0f} {high * down + 2 * MARGIN:.0f}"
    marks = [at(row["x"], row["y"]) for row in search(version, wanted) if row["x"] is not None] if wanted else []
    shapes = [
        [Stroke(name, labels[name], "".join(parts), len(parts)) for name, parts in drawn.items() if parts]
        for drawn in (strokes, spots, dots)
    ]
    return Drawing(box, *shapes, marks)


def _voltages(version: NetworkVersion) -> list[tuple]:
    """Where the points are, and their voltages; none where there is no voltage."""
    rows = NetworkPoint.objects.filter(version=version).exclude(x=None).values_list("x", "y", "voltage_pu")
    return [(x, y, volts or None) for x, y, volts in rows]


def _values(version: NetworkVersion, layer: Layer) -> list[tuple]:
    """Where the buses of a layer are, and their values."""
    placed: dict[str, tuple] = {}
    rows = NetworkElement.objects.filter(version=version).exclude(x1=None)
    for start, x1, y1, end, x2, y2 in rows.values_list("from_bus", "x1", "y1", "to_bus", "x2", "y2"):
        placed[start] = x1, y1
        if end and x2 is not None:
            placed[end] = x2, y2
    return [(*placed[bus], value) for bus, value in layer.values.items() if bus in placed]


def band(value: float | None, bands: tuple, without: str) -> str:
    """The name of the band that a value falls in; `without` for no value."""
    return without if value is None else next(name for limit, name, _ in bands if value <= limit)


def search(version: NetworkVersion, wanted: str) -> list[dict]:
    """Elements and points whose name or bus holds the words, with loading or voltage."""
    holds = Q(name__icontains=wanted) | Q(bus__icontains=wanted)
    points = NetworkPoint.objects.filter(holds, version=version).order_by("name")[:FOUND]
    holds = Q(name__icontains=wanted) | Q(from_bus__icontains=wanted) | Q(to_bus__icontains=wanted)
    elements = NetworkElement.objects.filter(holds, version=version).order_by("name")[:FOUND]
    found = [{"name": each.name, "at": each.bus, "voltage": each.voltage_pu, "loading": None, "x": each.x, "y": each.y} for each in points]
    return found + [
        {
            "name": each.name,
            "at": f"{each.from_bus} to {each.to_bus}" if each.to_bus else each.from_bus,
            "voltage": None,
            "loading": each.loading_percent,
            "x": each.x1,
            "y": each.y1,
        }
        for each in elements
    ]


def findings(version: NetworkVersion) -> list[dict]:
    """The findings of a version by rule: how many, and the first elements."""
    counted = version.networkfindings.values("code").annotate(count=Count("pk")).order_by("code")
    shown = []
    for row in counted:
        first = list(version.networkfindings.filter(code=row["code"]).order_by("element")[:FOUND])
        shown.append({"rule": first[0].rule, "count": row["count"], "first": first})
    return sorted(shown, key=lambda each: each["rule"].severity)
