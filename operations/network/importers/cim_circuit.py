"""What every element of a CIM document needs on its way to OpenDSS: names, buses, phases, ratings and places."""

import re
from collections import defaultdict

from operations.network.importers.cim_objects import Model, Thing, Unreadable

PHASES = {"A": 1, "B": 2, "C": 3, "s1": 1, "s2": 2}
SWITCHES = set("LoadBreakSwitch Breaker Fuse Recloser Sectionaliser Disconnector Switch GroundDisconnector Jumper Cut".split())
ALIKE = dict.fromkeys(SWITCHES, "ACLineSegment") | {"TransformerTank": "PowerTransformer"}  # one kind of element in OpenDSS
NORMAL = 86_400.0  # seconds: a limit that may be kept this long is the normal rating


class Circuit:
    """A model with the names that its objects bear in OpenDSS, each once for its kind."""

    def __init__(self, model: Model):
        self.model = model
        self.names: dict[str, str] = {}  # of an object's id
        self._taken: dict[str, set[str]] = defaultdict(set)
        self._bus: dict[str, str] = {}
        self._terminals: dict[str, list[Thing]] = defaultdict(list)
        for terminal in model.classes["Terminal"]:
            self._terminals[model.at(terminal, "Terminal.ConductingEquipment").id].append(terminal)
        for terminals in self._terminals.values():
            terminals.sort(key=lambda each: each.number("ACDCTerminal.sequenceNumber", 1))

    def named(self, thing: Thing, *, point: bool = False) -> str:
        """A name that OpenDSS takes, of its own among those of its kind; of a point that of the UsagePoint at its equipment."""
        usage = self.model.of("UsagePoint.Equipments", thing) if point else []
        self.names[thing.id] = self._own((usage[0] if usage else thing).name, ALIKE.get(thing.kind, thing.kind))
        return self.names[thing.id]

    def _own(self, wanted: str, kind: str) -> str:
        name = base = re.sub(r"[^\w-]", "_", wanted.lower())[:100] or "_"
        number = 1
        while name in self._taken[kind]:
            number += 1
            name = f"{base}_{number}"
        self._taken[kind].add(name)
        return name

    def terminals(self, thing: Thing) -> list[Thing]:
        """The terminals of an element, in their order."""
        return self._terminals[thing.id]

    def bus_at(self, terminal: Thing) -> str:
        """The bus of a terminal: the name of its connectivity node."""
        node = self.model.at(terminal, "Terminal.ConnectivityNode")
        if node.id not in self._bus:
            self._bus[node.id] = self._own(node.name, "bus")
        return self._bus[node.id]

    def buses(self, thing: Thing) -> list[str]:
        """The buses of an element. Raises Unreadable where it is connected nowhere."""
        if not self._terminals[thing.id]:
            raise Unreadable(f"{thing.kind} {thing.name[:80]}: it has no terminal.")
        return [self.bus_at(terminal) for terminal in self._terminals[thing.id]]

    def of_phases(self, thing: Thing, kind: str, owner: str, key: str, prefix: str = "") -> dict[int, Thing]:
        """The phase objects of an element by number; none for three phases alike."""
        found = {}
        for each in self.model.of(f"{prefix or kind}.{owner}", thing):
            if each.kind == kind:
                found[number_of(each.last(key), thing)] = each
        return found

    def phases(self, thing: Thing, kind: str, owner: str, key: str, prefix: str = "") -> list[int]:
        """The phases of an element in the order of its conductors."""
        found = self.of_phases(thing, kind, owner, key, prefix)
        order = {n: each.number(f"{kind}.sequenceNumber", n) for n, each in found.items()}
        return sorted(found, key=order.__getitem__) or [1, 2, 3]

    def two(self, thing: Thing, phases: list[int]) -> str:
        """Both buses and the phases of a line or switch."""
        buses = self.buses(thing)
        if len(buses) != 2:
            raise Unreadable(f"{thing.kind} {thing.name[:80]}: it needs two terminals.")
        first, second = (points_of(bus, phases, False) for bus in buses)
        return f"phases={len(phases)} bus1={first} bus2={second}"

    def rating(self, thing: Thing) -> str:
        """The normal rating in amperes: the longest lasting of the current limits at the terminals, or a switch's own."""
        found = []
        for terminal in self.terminals(thing):
            limits = self.model.things.get(terminal.values.get("ACDCTerminal.OperationalLimitSet", ""))
            for limit in self.model.of("OperationalLimit.OperationalLimitSet", limits) if limits else ():
                if limit.kind == "CurrentLimit":
                    lasting = self.model.at(limit, "OperationalLimit.OperationalLimitType")
                    duration = min(lasting.number("OperationalLimitType.acceptableDuration", NORMAL), NORMAL)
                    found.append((-duration, limit.number("CurrentLimit.value")))
        amps = min(found)[1] if found else thing.number("Switch.ratedCurrent", 0.0)
        return f"normamps={amps!r}"

    def places(self) -> dict[str, tuple[float, float]]:
        """Coordinates of buses: the position points of an element's location lie at its terminals, in their order."""
        found: dict[str, tuple[float, float]] = {}
        for owner, terminals in self._terminals.items():
            location = self.model.things.get(self.model.things[owner].values.get("PowerSystemResource.Location", ""))
            points = self.model.of("PositionPoint.Location", location) if location else []
            points = sorted(points, key=lambda each: each.number("PositionPoint.sequenceNumber", 1))
            if len(points) >= len(terminals):
                for terminal, point in zip(terminals, points, strict=False):
                    xy = point.number("PositionPoint.xPosition"), point.number("PositionPoint.yPosition")
                    found.setdefault(self.bus_at(terminal), xy)
        return found

    def require_all_read(self, kinds: set[str]) -> None:
        """Refuse a document with equipment of another class: never a flow of half a circuit."""
        for owner in self._terminals:
            if (thing := self.model.things[owner]).kind not in kinds:
                raise Unreadable(f"{thing.kind} {thing.name[:80]}: equipment of this class cannot be read.")


def number_of(phase: str, thing: Thing) -> int:
    """1, 2 or 3. Raises Unreadable for a phase that is none."""
    if phase not in PHASES:
        raise Unreadable(f"{thing.kind} {thing.name[:80]}: {phase or 'nothing'} is no phase that can be read.")
    return PHASES[phase]


def points_of(bus: str, phases: list[int], delta: bool) -> str:
    """A bus with its nodes; one phase in delta lies between it and the next."""
    nodes = [phases[0], phases[0] % 3 + 1] if delta and len(phases) == 1 else phases
    return ".".join([bus, *map(str, nodes)])
