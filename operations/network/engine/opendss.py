"""Reads an OpenDSS circuit into neutral arrays. OpenDSS builds each element's primitive admittance; nothing of it is kept afterwards."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from operations.network.engine import opendss_controls as controls
from operations.network.engine.agreement import checked
from operations.network.engine.feeder import GROUND, FeederModel, UnreadableCircuit

PASSIVE = {"line", "transformer", "autotrans", "capacitor", "reactor", "vsource", "fault"}
POINTS = {"load", "generator", "pvsystem", "storage"}
SILENT = set(
    "monitor energymeter sensor regcontrol capcontrol swtcontrol recloser relay fuse invcontrol expcontrol storagecontroller".split()
)
POWER, CURRENT, IMPEDANCE = (1.0, 0.0, 0.0, 0.0, 0.0), (0.0, 1.0, 0.0, 0.0, 0.0), (0.0, 0.0, 1.0, 0.0, 0.0)
MOTOR = (0.0, 0.0, 1.0, 0.0, -1.0)
RESPONSES = {1: (POWER, POWER), 2: (IMPEDANCE, IMPEDANCE), 3: (POWER, MOTOR), 5: (CURRENT, CURRENT)}
VARIABLE = 0  # a load's status; fixed and exempt ones do not follow the circuit's multiplier
UNCLAMPED = (0.0, np.inf, 0.0)


@dataclass
class _Gathered:
    """What the walk over the circuit finds, as lists."""

    place: dict[str, int] = field(default_factory=dict)
    elements: list = field(default_factory=list)
    ratings: list = field(default_factory=list)
    sources: list = field(default_factory=list)
    volts: list = field(default_factory=list)
    points: list = field(default_factory=list)
    legs: list = field(default_factory=list)


def engine():
    """The process's one OpenDSS engine: silent, and staying in its directory."""
    from opendssdirect import dss

    dss.Basic.AllowForms(False)
    dss.Basic.AllowEditor(False)
    dss.Basic.AllowChangeDir(False)
    return dss


def engine_error() -> type[Exception]:
    """What OpenDSS raises for a circuit that it cannot compile."""
    from dss import DSSException

    return DSSException


def compile_circuit(master: Path, commands: tuple[str, ...] = ()):
    """Compiles a master file, gives the commands and solves tightly, controls settling; returns the engine."""
    dss = engine()
    dss.Basic.ClearAll()
    dss.Text.Command("set defaultbasefrequency=60")  # or the frequency of the last circuit would stand
    dss.Text.Command(f'compile "{master}"')
    for command in (*commands, "set tolerance=1e-9", "set maxiterations=200", "set maxcontroliter=200", "solve mode=snap"):
        dss.Text.Command(command)
    return dss


def read(master: Path, *, name: str = "", commands: tuple[str, ...] = ()) -> FeederModel:
    """The feeder of an OpenDSS master file, its regulators and capacitors as they settled.

    Raises UnreadableCircuit for what has no counterpart here, and where the power flow is not OpenDSS's."""
    dss = compile_circuit(master, commands)
    found = _Gathered(place={node.lower(): i for i, node in enumerate(dss.Circuit.YNodeOrder())})
    for full in dss.Circuit.AllElementNames():
        kind = full.split(".", 1)[0].lower()
        if kind in SILENT:
            continue
        dss.Circuit.SetActiveElement(full)
        if not dss.CktElement.Enabled():
            continue
        if kind in PASSIVE:
            _element(dss, kind, full.lower(), found)
        elif kind in POINTS:
            _point(dss, kind, full.lower(), found)
        else:
            raise UnreadableCircuit(f"{full}: elements of class {kind} cannot be read.")
    return checked(dss, _model(dss, name or dss.Circuit.Name(), found))


def _nodes(dss, place: dict[str, int], kind: str = "") -> np.ndarray:
    """The active element's conductors as node indices, terminal by terminal. An autotransformer's series winding ends at its second
    terminal, whatever bus OpenDSS names for that end."""
    buses = [bus.lower().split(".")[0] for bus in dss.CktElement.BusNames()]
    width = dss.CktElement.NumConductors()
    order = dss.CktElement.NodeOrder()
    nodes = [place.get(f"{buses[i // width]}.{node}", GROUND) if node else GROUND for i, node in enumerate(order)]
    if kind == "autotrans":
        nodes[width // 2 : width] = nodes[width : width + width // 2]
    return np.array(nodes, dtype=np.int32)


def _element(dss, kind: str, full: str, found: _Gathered) -> None:
    nodes = _nodes(dss, found.place, kind)
    terminals, width = dss.CktElement.NumTerminals(), dss.CktElement.NumConductors()
    flat = np.asarray(dss.CktElement.YPrim())
    matrix = flat if np.iscomplexobj(flat) else flat.view(complex)
    number = len(found.elements)
    # OpenDSS hands the matrix out column by column
    found.elements.append((full, terminals, width, nodes, matrix.reshape(len(nodes), len(nodes)).T.ravel()))
    if kind == "line" and (amps := dss.CktElement.NormalAmps()) > 0:
        found.ratings += [(number, i, amps) for i in range(width) if nodes[i] != GROUND]
    elif kind == "transformer":
        found.ratings += _windings(dss, full, number, nodes, width)
    elif kind == "vsource":
        _source(dss, full, nodes, width, found)


def _windings(dss, full: str, number: int, nodes: np.ndarray, width: int) -> list[tuple[int, int, float]]:
    """Rated amperes of each winding's conductors."""
    dss.Transformers.Name(full.split(".", 1)[1])
    phases, rows = dss.CktElement.NumPhases(), []
    for winding in range(dss.Transformers.NumWindings()):
        dss.Transformers.Wdg(winding + 1)
        volts = dss.Transformers.kV() / (np.sqrt(3) if phases > 1 else 1)
        amps = dss.Transformers.kVA() / phases / volts
        rows += [(number, i, amps) for i in range(winding * width, winding * width + phases) if nodes[i] != GROUND]
    return rows


def _source(dss, full: str, nodes: np.ndarray, width: int, found: _Gathered) -> None:
    """The Norton equivalent: admittance of the first terminal, and its electromotive force."""
    dss.Vsources.Name(full.split(".", 1)[1])
    phases = dss.Vsources.Phases()
    volts = dss.Vsources.BasekV() * 1e3 * dss.Vsources.PU() / (2 * np.sin(np.pi / phases) if phases > 1 else 1)
    matrix = found.elements[-1][4].reshape(len(nodes), len(nodes))
    first = len(found.volts)
    for phase in range(phases):
        angle = np.deg2rad(dss.Vsources.AngleDeg() - 360.0 * phase / phases)
        found.volts.append(volts * np.exp(1j * angle))
        found.sources += [(nodes[i], first + phase, matrix[i, phase]) for i in range(len(nodes)) if nodes[i] != GROUND]


def _point(dss, kind: str, full: str, found: _Gathered) -> None:
    nodes = _nodes(dss, found.place)
    number, short, phases = len(found.points), full.split(".", 1)[1], dss.CktElement.NumPhases()
    if kind == "load":
        dss.Loads.Name(short)
        many = dss.Solution.LoadMult() if int(dss.Loads.Status()) == VARIABLE else 1.0
        power = (dss.Loads.kW() + 1j * dss.Loads.kvar()) * 1e3 * many
        delta, volts = bool(dss.Loads.IsDelta()), dss.Loads.kV() * 1e3
        response, clamp = _response(dss, full), (dss.Loads.Vminpu(), dss.Loads.Vmaxpu(), float(dss.Properties.Value("Vlowpu")))
    else:
        power = np.asarray(dss.CktElement.TotalPowers()).view(float)[:2] @ (1e3, 1e3j)
        delta, volts = dss.Properties.Value("conn").lower().startswith("d"), float(dss.Properties.Value("kV")) * 1e3
        response, clamp = RESPONSES[1], UNCLAMPED
    legs = _legs(nodes, phases, delta)
    if not delta and phases in (2, 3):
        volts /= np.sqrt(3)
    found.points.append((full, kind, power, *response, clamp))
    found.legs += [(number, a, b, 1 / len(legs), volts) for a, b in legs]


def _legs(nodes: np.ndarray, phases: int, delta: bool) -> list[tuple[int, int]]:
    """From and to node of each phase of a point."""
    if not delta:
        return [(nodes[i], nodes[-1] if len(nodes) > phases else GROUND) for i in range(phases)]
    return [(nodes[i], nodes[(i + 1) % len(nodes)]) for i in range(phases)]


def _response(dss, full: str) -> tuple[tuple, tuple]:
    """How the active load answers to voltage, for kW and kvar: see FeederModel."""
    model = int(dss.Loads.Model())
    if model == 8:
        parts = [float(x) for x in dss.Loads.ZipV()[:6]]
        return (*parts[2::-1], 0.0, 0.0), (*parts[5:2:-1], 0.0, 0.0)
    if model == 4:
        return (0.0, 0.0, 0.0, 1.0, dss.Loads.CVRwatts()), (0.0, 0.0, 0.0, 1.0, dss.Loads.CVRvars())
    if model not in RESPONSES:
        raise UnreadableCircuit(f"{full}: load model {model} cannot be read; use 1 to 5 or 8.")
    return RESPONSES[model]


def _model(dss, name: str, found: _Gathered) -> FeederModel:
    order = list(found.place)
    buses = list(dict.fromkeys(node.rsplit(".", 1)[0] for node in order))
    volts, xy = {}, np.full((len(buses), 2), np.nan)
    for i, bus in enumerate(buses):
        dss.Circuit.SetActiveBus(bus)
        volts[bus] = dss.Bus.kVBase() * 1e3
        if dss.Bus.Coorddefined():
            xy[i] = dss.Bus.X(), dss.Bus.Y()
    names, terminals, widths, nodes, matrices = zip(*found.elements, strict=True)
    element = {full: i for i, full in enumerate(names)}
    regulators, held = controls.regulators(dss, found.place, element, nodes, widths)
    capacitors, more = controls.capacitors(dss, element)
    held += more + controls.steering(dss)
    return FeederModel(
        name=name,
        nodes=np.array(order),
        node_volts=np.array([volts[node.rsplit(".", 1)[0]] for node in order]),
        element_names=np.array(names),
        element_terminals=np.array(terminals, dtype=np.int32),
        element_conductors=np.array(widths, dtype=np.int32),
        element_nodes=np.concatenate(nodes),
        admittances=np.concatenate(matrices),
        in_service=_closed(dss, names),
        regulators=regulators,
        capacitors=capacitors,
        buses=np.array(buses),
        xy=xy,
        held=np.array(held or np.zeros((0, 2), "U1")),
        **_columns(found),
    )


def _columns(found: _Gathered) -> dict[str, np.ndarray]:
    """The lists of ratings, sources, points and legs as arrays."""
    names = ("rating_element", "rating_conductor", "rating_amps", "source_node", "source_phase", "source_siemens")
    names += ("points", "point_kind", "point_va", "response_p", "response_q", "clamp")
    names += ("leg_point", "leg_from", "leg_to", "leg_share", "leg_volts")
    types = ("i4", "i4", "f8", "i4", "i4", "c16", "U", "U", "c16", "f8", "f8", "f8", "i4", "i4", "i4", "f8", "f8")
    columns = []
    for rows, width in ((found.ratings, 3), (found.sources, 3), (found.points, 6), (found.legs, 5)):
        columns += zip(*rows, strict=True) if rows else [()] * width
    arrays = {name: np.array(column, dtype=kind if kind != "U" else None) for name, column, kind in zip(names, columns, types, strict=True)}
    for name, width in (("response_p", 5), ("response_q", 5), ("clamp", 3)):
        arrays[name] = arrays[name].reshape(-1, width)
    return arrays | {"source_volts": np.array(found.volts)}


def _closed(dss, names: tuple[str, ...]) -> np.ndarray:
    """Capacitors whose control opened all their steps are out of service; open line terminals are in the matrices already."""
    in_service = np.ones(len(names), bool)
    for i, full in enumerate(names):
        if full.startswith("capacitor."):
            dss.Capacitors.Name(full.split(".", 1)[1])
            in_service[i] = any(dss.Capacitors.States())
    return in_service
