"""One feeder as neutral arrays: every reader ends here and every solver begins here.

Units: volts, amperes, siemens, watts and vars; phasors are complex rms values. Consumption is positive in these arrays (the load
convention of power flow); the platform's records count injection positive and change sign at the door of the solver."""

import hashlib
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from pathlib import Path
from typing import BinaryIO

import numpy as np
import scipy.sparse as sp
from scipy.sparse import csgraph

GROUND = -1
OF_WIRING = (
    "conductor_start",
    "admittance_start",
    "_entries",
    "incidence",
    "node_bus",
    "rating_names",
    "source_matrix",
    "banks_join_nothing",
)  # whatever the taps
AVERAGE, MOST, LEAST = -1, -2, -3  # in place of a phase that a capacitor's control watches
REGULATOR = np.dtype(
    [
        ("name", "U64"),
        ("element", "i4"),
        ("winding", "i4"),
        ("tap_winding", "i4"),
        ("sense_node", "i4"),
        ("sense_neutral", "i4"),
        ("pt_ratio", "f8"),
        ("ct_primary", "f8"),
        ("r", "f8"),
        ("x", "f8"),
        ("target", "f8"),
        ("band", "f8"),
        ("delay", "f8"),
        ("winding_volts", "f8"),
        ("tap", "f8"),
        ("tap_min", "f8"),
        ("tap_max", "f8"),
        ("tap_step", "f8"),
    ]
)
CAPACITOR = np.dtype(
    [
        ("name", "U64"),
        ("element", "i4"),
        ("watched_element", "i4"),
        ("watched_terminal", "i4"),
        ("watched_phase", "i4"),
        ("mode", "U8"),
        ("pt_ratio", "f8"),
        ("ct_ratio", "f8"),
        ("on", "f8"),
        ("off", "f8"),
        ("override", "?"),
        ("v_min", "f8"),
        ("v_max", "f8"),
        ("delay_on", "f8"),
        ("delay_off", "f8"),
        ("closed", "?"),
    ]
)


class UnreadableCircuit(ValueError):
    """The circuit holds something that the arrays cannot say."""


@dataclass(frozen=True, eq=False)
class FeederModel:
    (
        """A feeder with n nodes, m elements, p points (loads and resources) on L legs, k source phases.

    nodes (n,) "bus.phase"; node_volts (n,) nominal volts to ground. An element is a primitive admittance matrix over its conductors:
    element_nodes is flat, element by element, terminal by terminal, GROUND where a conductor is grounded; admittances is flat,
    row by row. A leg is one phase of a point: leg_from and leg_to are nodes (leg_to may be GROUND), leg_share its part of the
    point's power, leg_volts its nominal voltage. ratings: one row per rated conductor (amperes). response_p and response_q (p, 5):
    how power follows voltage v (per unit), c0 + c1 v + c2 v² + c3 v^c4; clamp (p, 3): below clamp[0] and above clamp[1] of nominal a
    point becomes an impedance (of nominal power there where c4 < 0), below clamp[2] its nominal one (OpenDSS's rule). xy (buses, 2)
    follows the array of bus names. held (h, 2): controls of the circuit that are not simulated, and why."""
        ""
    )

    name: str
    nodes: np.ndarray
    node_volts: np.ndarray
    element_names: np.ndarray
    element_terminals: np.ndarray
    element_conductors: np.ndarray
    element_nodes: np.ndarray
    admittances: np.ndarray
    in_service: np.ndarray
    rating_element: np.ndarray
    rating_conductor: np.ndarray
    rating_amps: np.ndarray
    source_node: np.ndarray
    source_phase: np.ndarray
    source_siemens: np.ndarray
    source_volts: np.ndarray
    points: np.ndarray
    point_kind: np.ndarray
    point_va: np.ndarray
    response_p: np.ndarray
    response_q: np.ndarray
    clamp: np.ndarray
    leg_point: np.ndarray
    leg_from: np.ndarray
    leg_to: np.ndarray
    leg_share: np.ndarray
    leg_volts: np.ndarray
    regulators: np.ndarray
    capacitors: np.ndarray
    buses: np.ndarray
    xy: np.ndarray
    held: np.ndarray = field(default_factory=lambda: np.zeros((0, 2), "U1"))

    @cached_property
    def conductor_start(self) -> np.ndarray:
        """Offset of each element's first conductor in element_nodes, shape (m + 1,)."""
        return np.concatenate([[0], np.cumsum(self.element_terminals * self.element_conductors)]).astype(int)

    @cached_property
    def admittance_start(self) -> np.ndarray:
        """Offset of each element's matrix in admittances, shape (m + 1,)."""
        return np.concatenate([[0], np.cumsum((self.element_terminals * self.element_conductors) ** 2)]).astype(int)

    def conductors(self, element: int) -> np.ndarray:
        """The nodes of one element's conductors."""
        return self.element_nodes[self.conductor_start[element] : self.conductor_start[element + 1]]

    def primitive(self, element: int) -> np.ndarray:
        """One element's admittance matrix, siemens."""
        size = len(self.conductors(element))
        return self.admittances[self.admittance_start[element] : self.admittance_start[element + 1]].reshape(size, size)

    @cached_property
    def _entries(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Element, row conductor and column conductor (both flat) of every entry of admittances."""
        size = np.diff(self.conductor_start)
        element = np.repeat(np.arange(len(size)), size**2)
        within = np.arange(len(self.admittances)) - self.admittance_start[element]
        return element, self.conductor_start[element] + within // size[element], self.conductor_start[element] + within % size[element]

    @cached_property
    def ybus(self) -> sp.csc_matrix:
        """Nodal admittance of everything in service but the points, (n, n) siemens."""
        element, row, column = self._entries
        i, j = self.element_nodes[row], self.element_nodes[column]
        keep = (i >= 0) & (j >= 0) & self.in_service[element] & (self.admittances != 0)
        n = len(self.nodes)
        return sp.coo_matrix((self.admittances[keep], (i[keep], j[keep])), shape=(n, n)).tocsc()

    @cached_property
    def alive(self) -> np.ndarray:
        """Nodes that an in-service path joins to a source, (n,) bool."""
        n = len(self.nodes)
        pattern = (abs(self.ybus) > 0).astype(np.int8)
        _, label = csgraph.connected_components(pattern, directed=False)
        return np.isin(label, label[self.source_node]) if n else np.zeros(0, bool)

    @cached_property
    def banks_join_nothing(self) -> bool:
        """Whether the same nodes are alive with all banks closed as with all open."""
        service = np.repeat(self.in_service[None], 2, 0)
        service[:, self.capacitors["element"]] = [[False], [True]]
        return np.array_equal(*(replace(self, in_service=each).alive for each in service))

    @cached_property
    def incidence(self) -> sp.csc_matrix:
        """Nodes by legs, (n, L): +1 at leg_from, −1 at leg_to."""
        legs = np.arange(len(self.leg_point))
        back = self.leg_to >= 0
        rows = np.concatenate([self.leg_from, self.leg_to[back]])
        columns = np.concatenate([legs, legs[back]])
        values = np.concatenate([np.ones(len(legs)), -np.ones(back.sum())])
        return sp.csc_matrix((values, (rows, columns)), shape=(len(self.nodes), len(legs)))

    @cached_property
    def current_rows(self) -> sp.csr_matrix:
        """Currents of the rated conductors out of node voltages, (R, n) siemens."""
        element, row, column = self._entries
        wanted = np.full(len(self.element_nodes), -1)
        wanted[self.conductor_start[self.rating_element] + self.rating_conductor] = np.arange(len(self.rating_amps))
        r, j = wanted[row], self.element_nodes[column]
        keep = (r >= 0) & (j >= 0) & self.in_service[element] & (self.admittances != 0)
        shape = (len(self.rating_amps), len(self.nodes))
        return sp.csr_matrix((self.admittances[keep], (r[keep], j[keep])), shape=shape)

    @cached_property
    def rating_names(self) -> np.ndarray:
        """ "line.l1.1.2" (element, terminal, phase of the node) for each rated conductor."""
        width = self.element_conductors[self.rating_element]
        terminal = self.rating_conductor // width + 1
        node = self.element_nodes[self.conductor_start[self.rating_element] + self.rating_conductor]
        phase = [self.nodes[i].rsplit(".", 1)[1] for i in node]
        return np.array([f"{self.element_names[e]}.{t}.{f}" for e, t, f in zip(self.rating_element, terminal, phase)])

    @cached_property
    def node_bus(self) -> np.ndarray:
        """Index into buses for each node."""
        place = {bus: i for i, bus in enumerate(self.buses)}
        return np.array([place[node.rsplit(".", 1)[0]] for node in self.nodes], dtype=np.int32)

    @cached_property
    def source_matrix(self) -> sp.csr_matrix:
        """Norton currents of the sources by their electromotive forces, (n, k) siemens."""
        shape = (len(self.nodes), len(self.source_volts))
        return sp.csr_matrix((self.source_siemens, (self.source_node, self.source_phase)), shape=shape)

    def leg_va(self, point_va: np.ndarray | None = None) -> np.ndarray:
        """Consumption of the legs in VA, (L,) or (L, T), from that of the points (the model's own by default)."""
        power = self.point_va if point_va is None else point_va
        return (power[self.leg_point].T * self.leg_share).T

    def with_controls(self, taps: np.ndarray, closed: np.ndarray) -> "FeederModel":
        """The same feeder with regulators at taps (per unit) and capacitors closed or open."""
        admittances, in_service = self.admittances.copy(), self.in_service.copy()
        for regulator, tap in zip(self.regulators, taps):
            if tap != regulator["tap"]:
                element = regulator["element"]
                width = self.element_conductors[element]
                scale = np.ones(len(self.conductors(element)))
                scale[(regulator["tap_winding"] - 1) * width : regulator["tap_winding"] * width] = regulator["tap"] / tap
                span = slice(self.admittance_start[element], self.admittance_start[element + 1])
                admittances[span] *= np.outer(scale, scale).ravel()
        in_service[self.capacitors["element"]] = closed
        regulators, capacitors = self.regulators.copy(), self.capacitors.copy()
        regulators["tap"], capacitors["closed"] = taps, closed
        made = replace(self, admittances=admittances, in_service=in_service, regulators=regulators, capacitors=capacitors)
        same = np.array_equal(self.in_service, in_service) or self.banks_join_nothing  # then what joins what is the same too
        made.__dict__.update({name: getattr(self, name) for name in (*OF_WIRING, *(("alive",) if same else ()))})
        return made

    def with_service(self, in_service: np.ndarray) -> "FeederModel":
        """The same feeder with other elements in service, after a switching or an outage."""
        return replace(self, in_service=in_service)

    def with_points(self, kept: np.ndarray) -> "FeederModel":
        """The same feeder with some of its points only, (p,) bool; their order stays."""
        if kept.all():
            return self
        legs, place = kept[self.leg_point], np.cumsum(kept) - 1
        of_points = ("points", "point_kind", "point_va", "response_p", "response_q", "clamp")
        of_legs = ("leg_from", "leg_to", "leg_share", "leg_volts")
        values = {name: getattr(self, name)[kept] for name in of_points} | {name: getattr(self, name)[legs] for name in of_legs}
        return replace(self, leg_point=place[self.leg_point[legs]].astype(self.leg_point.dtype), **values)

    def legs_of(self, bus: str, phases: str = "") -> list[tuple[int, int, float, float]]:
        """Legs to ground at a bus, one per phase ("1", "12", "123"; empty: all that the bus has), as with_resources() takes them.

        Raises KeyError with the name that the feeder does not have."""
        names = [f"{bus}.{phase}" for phase in phases] if phases else [n for n in self.nodes.tolist() if n.rsplit(".", 1)[0] == bus]
        place = self._place
        found = [place[name] for name in names if phases or self.node_volts[place[name]] > 0]
        if not found:
            raise KeyError(bus)
        return [(node, GROUND, 1 / len(found), float(self.node_volts[node])) for node in found]

    @cached_property
    def _place(self) -> dict[str, int]:
        return {name: number for number, name in enumerate(self.nodes.tolist())}

    def legs_like(self, point: int) -> list[tuple[int, int, float, float]]:
        """The legs of a point that is there, for a resource beside it."""
        rows = np.flatnonzero(self.leg_point == point)
        columns = (self.leg_from, self.leg_to, self.leg_share, self.leg_volts)
        return list(zip(*(column[rows].tolist() for column in columns), strict=True))

    def with_resources(self, added: dict[str, list[tuple[int, int, float, float]]]) -> "FeederModel":
        """The same feeder with points of constant power that draw nothing in the model, behind those it has: name → legs, each from
        node, to node (or GROUND), share of the point's power, nominal volts."""
        count, many = len(added), len(self.points)
        owner, rows = np.repeat(np.arange(count), [len(legs) for legs in added.values()]), [leg for legs in added.values() for leg in legs]
        columns = zip(*rows, strict=True)
        legs = zip(("leg_from", "leg_to", "leg_share", "leg_volts"), columns, strict=True)
        values = {name: np.concatenate([getattr(self, name), np.array(column, getattr(self, name).dtype)]) for name, column in legs}
        flat, never = np.tile([1.0, 0.0, 0.0, 0.0, 0.0], (count, 1)), np.tile([0.0, np.inf, 0.0], (count, 1))
        return replace(
            self,
            points=np.concatenate([self.points, np.array(list(added))]),
            point_kind=np.concatenate([self.point_kind, np.repeat("resource", count)]),
            point_va=np.concatenate([self.point_va, np.zeros(count, complex)]),
            response_p=np.concatenate([self.response_p, flat]),
            response_q=np.concatenate([self.response_q, flat]),
            clamp=np.concatenate([self.clamp, never]),
            leg_point=np.concatenate([self.leg_point, (many + owner).astype(self.leg_point.dtype)]),
            **values,
        )

    def at_constant_power(self) -> "FeederModel":
        """The same feeder with every point drawing its power whatever its voltage: what a meter says is what flows."""
        p = len(self.points)
        constant, never = np.tile([1.0, 0.0, 0.0, 0.0, 0.0], (p, 1)), np.tile([0.0, np.inf, 0.0], (p, 1))
        if all(map(np.array_equal, (self.response_p, self.response_q, self.clamp), (constant, constant, never))):
            return self
        return replace(self, response_p=constant, response_q=constant, clamp=never)

    @cached_property
    def topology_hash(self) -> str:
        """sha256 over everything that decides a power flow, hex."""
        digest = hashlib.sha256()
        for each in fields(self):
            if each.name not in ("name", "buses", "xy", "held"):
                value = np.ascontiguousarray(getattr(self, each.name))
                digest.update(f"{each.name}{value.dtype.str}{value.shape}".encode())
                digest.update(value.tobytes())
        return digest.hexdigest()

    def save(self, path: Path | BinaryIO) -> None:
        """Writes one compressed npz."""
        np.savez_compressed(path, **{each.name: np.asarray(getattr(self, each.name)) for each in fields(self)})

    @classmethod
    def load(cls, path: Path | BinaryIO) -> "FeederModel":
        """Reads what save() wrote; refuses pickled objects."""
        with np.load(path, allow_pickle=False) as stored:
            values = {each.name: stored[each.name] for each in fields(cls) if each.name in stored}  # older files hold no held controls
        capacitors = np.zeros(len(values["capacitors"]), CAPACITOR)
        for name in values["capacitors"].dtype.names:  # models that were stored before controls said their phase watch the first
            capacitors[name] = values["capacitors"][name]
        return cls(**values | {"name": str(values["name"]), "capacitors": capacitors})
