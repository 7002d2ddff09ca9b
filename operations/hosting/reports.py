"""A map as it is looked at: the feeder's drawing with a dot for every node, by what it can host."""

import math
from calendar import month_abbr

from operations.hosting.models import HostingMap, HostingNode
from operations.network.reports import Drawing, Layer, drawing

BANDS = (
    (10, "host0", "below 10 kW"),
    (100, "host1", "10 to 100 kW"),
    (1_000, "host2", "100 kW to 1 MW"),
    (math.inf, "host3", "1 MW and more"),
)
DIRECTIONS = {"export": "Export", "import": "Import"}


def layer(found: HostingMap, direction: str, wanted: str) -> Drawing | None:
    """The feeder's drawing with its nodes by what they can host in a direction."""
    values = dict(HostingNode.objects.filter(map=found).values_list("bus", f"{direction}_kw"))
    return drawing(found.network, wanted, Layer(values, BANDS))


def hours_of(found: HostingMap, direction: str) -> str:
    """The hours that leave least room, in which it was computed."""
    columns = found.facts.get("columns", {}).get(direction, ())
    return ", ".join(f"{month_abbr[column // 24 + 1]} {column % 24:02}:00" for column in columns)
