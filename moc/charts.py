"""The geometry of charts drawn as inline SVG: pure functions from labelled values to bars, columns and ticks.

Widths and horizontal places are percentages and heights are pixels, so that a chart fills any screen while its text keeps its
size; no style attribute is needed, which the content security policy would refuse.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

BAR_ROW, BAR_TEXT, BAR_HEIGHT = 40, 15, 12
PLOT_TOP, PLOT_HEIGHT, PLOT_FOOT = 8, 200, 28
COLUMN_LABELS = 8
GAP = 3  # usual steps
WAYS = ("export", "import")  # the first two looks are theirs


@dataclass(frozen=True)
class Bar:
    """One labelled value: `x` and `width` in percent of the chart, `y`, `height` and `text_y` in pixels."""

    label: str
    value: float
    text: str
    x: str
    y: str
    width: str
    height: str
    text_y: str = ""
    url: str = ""
    ticked: bool = False
    middle: str = ""


@dataclass(frozen=True)
class Tick:
    """A line of the scale: its words, and its place in pixels."""

    text: str
    y: str
    text_y: str


@dataclass(frozen=True)
class Chart:
    """A chart ready for its template. `identity` makes the ids of title and description unique on the page."""

    identity: str
    title: str
    description: str
    unit: str
    height: str
    bars: tuple[Bar, ...]
    ticks: tuple[Tick, ...] = ()
    baseline: str = ""
    label_y: str = ""
    category: str = ""


def plain(value: float) -> str:
    """A number as text: thousands separators; one decimal below 100 unless it is whole."""
    return f"{value:,.0f}" if abs(value) >= 100 or value == round(value) else f"{value:,.1f}"


def percent(part: float) -> str:
    return f"{part:.3f}".rstrip("0").rstrip(".") + "%"


def pixels(length: float) -> str:
    return f"{length:.2f}".rstrip("0").rstrip(".")


def nice_step(maximum: float, count: int = 5) -> float:
    """The round step (1, 2, 2.5 or 5 times a power of ten) that covers `maximum` in at most `count` steps; 1 for next to nothing."""
    if maximum < 1e-9:
        return 1.0
    raw = maximum / count
    magnitude = 10.0 ** math.floor(math.log10(raw))
    for factor in (1, 2, 2.5, 5, 10):
        if raw <= factor * magnitude * (1 + 1e-9):
            return factor * magnitude
    raise AssertionError("ten times the magnitude covers every step")


def bar_chart(rows: Sequence[tuple], *, identity: str, title: str, unit: str, category: str = "", top: int = 25) -> Chart:
    """Horizontal bars, as given, from (label, value) or (label, value, url) with values that are not negative.

    Rows beyond `top` are added up in a last bar, so that the bars always sum to the whole.
    """
    shown = [(str(row[0]), _magnitude(row[1]), row[2] if len(row) > 2 else "") for row in _folded(rows, top)]
    largest = max((value for _, value, _ in shown), default=0.0) or 1.0
    bars = tuple(
        Bar(
            label=label,
            value=value,
            text=plain(value),
            x="0%",
            y=pixels(place * BAR_ROW + BAR_TEXT + 6),
            width=percent(100 * value / largest),
            height=pixels(BAR_HEIGHT),
            text_y=pixels(place * BAR_ROW + BAR_TEXT),
            url=url,
        )
        for place, (label, value, url) in enumerate(shown)
    )
    return Chart(identity, title, _summary(shown, unit), unit, pixels(max(len(bars), 1) * BAR_ROW), bars, category=category)


def column_chart(rows: Sequence[tuple], *, identity: str, title: str, unit: str, category: str = "Month") -> Chart:
    """Upright columns in the order given, one a period, from (label, value) with values that are not negative.

    About eight of the columns carry their label below; every value stands in the table beside the chart.
    """
    shown = [(str(label), _magnitude(value), "") for label, value in rows]
    step = nice_step(max((value for _, value, _ in shown), default=0.0))
    steps = max(1, math.ceil(max((value for _, value, _ in shown), default=0.0) / step - 1e-9))
    floor, slot = PLOT_TOP + PLOT_HEIGHT, 100 / max(len(shown), 1)
    every = max(1, math.ceil(len(shown) / COLUMN_LABELS))
    bars = tuple(
        _column(label, value, place, slot, PLOT_HEIGHT * value / (step * steps), place % every == 0)
        for place, (label, value, _) in enumerate(shown)
    )
    ticks = tuple(_tick(step * place, floor - PLOT_HEIGHT * place / steps) for place in range(steps + 1))
    return Chart(
        identity, title, _summary(shown, unit), unit, pixels(floor + PLOT_FOOT), bars, ticks, pixels(floor), pixels(floor + 18), category
    )


def time_series(
    times: Sequence[datetime], lines: dict[str, Sequence[float | None]], *, identity: str, title: str, unit: str, zone: str
) -> dict:
    """What includes/chart_series.html needs of lines over time: the data for the script, and the rows of the table beside it.

    Every line has one value (or None, a gap) for each time; the times ascend. `zone` names the clock of the time axis. Where several
    times are missing, no line is drawn across.
    """
    if any(len(values) != len(times) for values in lines.values()):
        raise ValueError("every line needs one value for each time")
    drawn = [[None if value is None else float(value) for value in values] for values in lines.values()]
    places, values = _broken([moment.timestamp() for moment in times], drawn)
    data = {"times": places, "labels": list(lines), "looks": looks(lines), "values": values, "unit": unit, "zone": zone}
    return {
        "identity": identity,
        "title": title,
        "unit": unit,
        "labels": list(lines),
        "data": data,
        "rows": list(zip(times, *drawn, strict=True)),
    }


def looks(labels: Iterable[str]) -> list[int]:
    """The look (colour and dash, by number) of each line: export has one and import has one wherever they stand, by the lines' names."""
    labels = list(labels)
    ways = {way: next((place for place, label in enumerate(labels) if way in label.lower()), None) for way in WAYS}
    taken = {place: look for look, place in enumerate(ways.values()) if place is not None}
    free = iter(range(len(WAYS) if taken else 0, len(WAYS) + len(labels)))
    return [taken[place] if place in taken else next(free) for place in range(len(labels))]


def _broken(times: list[float], lines: list[list]) -> tuple[list[float], list[list]]:
    """Times and lines with an empty moment where the next time is farther than GAP times the usual step."""
    steps = [later - earlier for earlier, later in zip(times, times[1:], strict=False)]
    usual = sorted(steps)[len(steps) // 2] if len(steps) > 1 else math.inf
    gaps = [place for place, step in enumerate(steps, 1) if step > GAP * usual]
    for place in reversed(gaps):
        times = [*times[:place], times[place - 1] + usual, *times[place:]]
        lines = [[*line[:place], None, *line[place:]] for line in lines]
    return times, lines


def _column(label: str, value: float, place: int, slot: float, height: float, ticked: bool) -> Bar:
    """A column with a gap of a fifth of its slot."""
    return Bar(
        label=label,
        value=value,
        text=plain(value),
        x=percent(slot * (place + 0.1)),
        y=pixels(PLOT_TOP + PLOT_HEIGHT - height),
        width=percent(slot * 0.8),
        height=pixels(height),
        ticked=ticked,
        middle=percent(slot * (place + 0.5)),
    )


def _tick(value: float, y: float) -> Tick:
    return Tick(f"{value:,.10g}", pixels(y), pixels(y + 4))


def _magnitude(value) -> float:
    """The value as a float; a chart of magnitudes has no place for a negative one."""
    magnitude = float(value or 0)
    if magnitude < 0 or not math.isfinite(magnitude):
        raise ValueError(f"a bar cannot show {value}")
    return magnitude


def _folded(rows: Sequence[tuple], top: int) -> list[tuple]:
    """The first `top` rows; the others as one row that says how many they are."""
    rows = list(rows)
    if len(rows) <= top:
        return rows
    kept, others = rows[: top - 1], rows[top - 1 :]
    return [*kept, (f"{len(others)} others", sum(Decimal(str(row[1] or 0)) for row in others))]


def _summary(rows: Sequence[tuple], unit: str) -> str:
    """The chart in a sentence, for those who do not see it."""
    if not rows:
        return "Nothing to show."
    label, value, _ = max(rows, key=lambda row: row[1])
    total = sum(value for _, value, _ in rows)
    return f"{len(rows)} values in {unit}, {plain(total)} in all; the largest is {label} with {plain(value)}."
