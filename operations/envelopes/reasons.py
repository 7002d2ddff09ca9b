"""Why a limit is what it is, in words: what of the grid stops a point, how much of it is left, and how many share it."""

from typing import NamedTuple

NO_SUPPLY, OPERATOR, OUTAGE = "supply.off", "operator.limit", "der.outage"  # in the place of an element that binds
RATED = ("line.", "transformer.")


class Reason(NamedTuple):
    """An element that binds, how many points it stops at most, and what is left of it at the least: per unit of a rating, or of the
    nominal voltage; None where nobody computed it."""

    element: str
    sharing: int
    headroom: float | None = None

    @property
    def kind(self) -> str:
        """What it is: supply, operator, outage, rating or voltage."""
        own = {NO_SUPPLY: "supply", OPERATOR: "operator", OUTAGE: "outage"}
        return own.get(self.element) or ("rating" if self.element.startswith(RATED) else "voltage")


KINDS = {
    "device": "the device itself",
    "voltage": "a voltage",
    "rating": "a rating",
    "operator": "the operator",
    "outage": "its outage or derate",
    "supply": "no supply",
    "static": "no set in force",
}


def stop(element: str) -> str:
    """What binds, in words for the utility: a rating, a voltage or a supply."""
    if element == NO_SUPPLY:
        return "No supply"
    return f"Rating of {_place(element)}" if element.startswith(RATED) else f"Voltage at {element.split('.', 1)[1]}"


def overrun(kind: str, element: str, value: float, limit: float) -> str:
    """What the base case alone takes over a limit, in words: a rating in percent of it, a voltage per unit."""
    if kind == "overload":
        return f"{stop(element)}: {100 * value:.1f} % where {100 * limit:.0f} % is allowed"
    return f"{stop(element)}: {value:.3f} per unit where {limit:g} is allowed"


def _place(element: str) -> str:
    """A line or transformer, and its phase, in words."""
    kind, name = element.split(".", 1)
    parts = name.rsplit(".", 2)
    return f"{kind} {parts[0]}, phase {parts[2]}" if len(parts) == 3 else f"{kind} {name}"


def sentence(reason: Reason | None, *, static: bool = False) -> str:
    """Why a limit is what it is; static: no set is in force."""
    if static:
        return "No set is in force: the limit without envelope holds."
    if reason is None:
        return "The device's own capability or its approved import and export; the network leaves it all."
    if reason.kind == "supply":
        return "The connection point has no supply: the grid above it is out."
    if reason.kind == "operator":
        return "The utility's operator set this limit for this DER; the network would leave more."
    if reason.kind == "outage":
        return "Its aggregator told that the DER is out or derated; the network would leave more."
    others = "no other point" if reason.sharing <= 1 else f"{reason.sharing - 1:,} other point{'s' if reason.sharing > 2 else ''}"
    if reason.kind == "rating":
        left = "" if reason.headroom is None else f", with {100 * reason.headroom:.1f} % of it left"
        return f"The rating of {_place(reason.element)} is used up{left}; shared with {others}."
    left = "" if reason.headroom is None else f", with {100 * reason.headroom:.2f} % of the nominal voltage left"
    if reason.sharing <= 1:  # else it may be another customer's point, which is not named to this one
        return f"The voltage at this connection point is at its limit{left}; shared with no other point."
    return f"The voltage at a connection point of the same service is at its limit{left}; shared with {others}."


def must(bound: str, kw: list[float]) -> str:
    """What a limit below zero asks for: both ends of the envelope lie on one side."""
    if min(kw) >= 0:
        return ""
    least, most = -max(kw), -min(kw)
    verb = "draw" if bound == "export" else "inject"
    return f" Below zero: it must {verb} {f'{least:g} to {most:g}' if 0 <= least < most else f'{most:g}'} kW at least."
