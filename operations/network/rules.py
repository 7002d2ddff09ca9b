"""What a loaded network model is checked for, element by element."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from moc.rules import ERROR, WARNING, Rule, reading

if TYPE_CHECKING:  # pages name these rules, and need no solver in their memory
    from operations.network.engine.feeder import FeederModel

CONVERGES = reading(
    "NET-CONVERGES",
    "The power flow of the model as it stands has no solution, or one in which voltage collapses.",
    remedy="Look for a load or an impedance that is wrong by a factor.",
)
ISLAND = reading(
    "NET-ISLAND", "No path in service joins this point to the source.", remedy="Add the missing line or close the switch.", severity=ERROR
)
VOLTAGE = reading(
    "NET-VOLTAGE",
    "The point's nominal voltage is not that of its bus.",
    remedy="Correct the voltage, the phases or the transformer above it.",
)
IMPEDANCE = reading("NET-IMPEDANCE", "This element's impedance cannot be.", remedy="Correct its resistance, reactance or length.")
RATING = reading("NET-RATING", "This line has no rating; its current is not watched.", remedy="Give its rated amperes.", severity=WARNING)
LINK = reading(
    "NET-LINK",
    "No service point of this feeder bears this point's name; nobody gets an envelope here.",
    remedy="Name the point by the service point's id.",
    severity=WARNING,
)
OUTSIDE = reading(
    "NET-OUTSIDE",
    "In the model as it stands this point's voltage is more than a tenth from nominal.",
    remedy="Check taps, loads and ratings: the base case is not one that a utility would run.",
    severity=WARNING,
)
HELD = reading(
    "NET-CONTROL",
    "This control is not simulated; what it moves stays where it settled in the model.",
    remedy="Expect envelopes for that position; give a control that is simulated, or load the model again when it has moved.",
    severity=WARNING,
)
Found = tuple[str, Rule, str]
TENTH, HALF = 0.1, 0.5


def check(feeder: FeederModel, volts: np.ndarray | None, linked: set[str]) -> Iterator[Found]:
    """(element, rule, value) of everything that is wrong; volts (L,) per unit of the model as it stands, None without a solution."""
    if volts is None:
        yield feeder.name, CONVERGES, ""
    leg_names = feeder.points[feeder.leg_point]
    if volts is not None and len(low := np.flatnonzero((volts < HALF) & feeder.alive[feeder.leg_from])):
        worst = low[volts[low].argmin()]
        yield str(leg_names[worst]), CONVERGES, f"{volts[worst]:.3f}"
    for leg in np.flatnonzero(~feeder.alive[feeder.leg_from]):
        yield str(leg_names[leg]), ISLAND, str(feeder.nodes[feeder.leg_from[leg]])
    yield from _voltages(feeder, leg_names)
    yield from _elements(feeder)
    for name, why in feeder.held:
        yield str(name), HELD, str(why)
    for name in feeder.points:
        if str(name).split(".", 1)[1] not in linked:
            yield str(name), LINK, ""
    if volts is not None:
        for leg in np.flatnonzero((np.abs(volts - 1) > TENTH) & (volts > 0)):
            yield str(leg_names[leg]), OUTSIDE, f"{volts[leg]:.3f}"


def _voltages(feeder: FeederModel, leg_names: np.ndarray) -> Iterator[Found]:
    """Legs whose nominal voltage is neither their node's nor twice or √3 times it."""
    ratio = feeder.leg_volts / np.maximum(feeder.node_volts[feeder.leg_from], 1e-9)
    expected = np.array([1.0, np.sqrt(3), 2.0])
    off = np.abs(ratio[:, None] / expected - 1).min(1) > TENTH
    for leg in np.flatnonzero(off):
        yield str(leg_names[leg]), VOLTAGE, f"{feeder.leg_volts[leg]:.0f} V at a bus of {feeder.node_volts[feeder.leg_from[leg]]:.0f} V"


def _elements(feeder: FeederModel) -> Iterator[Found]:
    rated = set(feeder.rating_element.tolist())
    for number, name in enumerate(feeder.element_names):
        diagonal = np.diag(feeder.primitive(number))
        if not np.isfinite(diagonal).all() or (diagonal.real < -1e-6 * np.abs(diagonal)).any():
            yield str(name), IMPEDANCE, ""
        elif str(name).startswith("line.") and number not in rated:
            yield str(name), RATING, ""
