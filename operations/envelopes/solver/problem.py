"""What is asked of the solver and what it answers, as arrays: A active points, L legs, T intervals, R rated conductors."""

from dataclasses import dataclass, field, replace

import numpy as np
import scipy.sparse as sp

from operations.envelopes.solver.inverters import Capability, Inverters
from operations.network.engine.feeder import FeederModel

EXPORT, IMPORT = -1, 1  # the sign of the consumption that a push in this direction adds


@dataclass(frozen=True)
class Policy:
    """How room is shared. method: group (same share behind the same secondary), proportional, equal (same kW), weighted, maximum
    (most energy, linear program). weights (A,) for weighted and maximum. robust: safe under partial use too, held at the vertices of
    the box and not at its corner alone. v_min, v_max per unit of nominal; loading: part of each rating that may be used. controls: the
    feeder's regulators and capacitors move with the interval and the push; else they stay where the model has them."""

    method: str = "group"
    weights: np.ndarray | None = None
    robust: bool = False
    v_min: float = 0.95
    v_max: float = 1.05
    loading: float = 1.0
    controls: bool = False


@dataclass(frozen=True, eq=False)
class Request:
    """A feeder, its forecast and its active points.

    base_va (L, T): consumption of everything that is not active; least_va and most_va (L, T) the least and the most of it that exports and
    imports are held against, where the forecast has margins. active (A,): indices of points. low_w, high_w (A, T): the injection
    that each device can take, signed; both may lie on one side of zero. inverters: those whose reactive power follows a rule of their
    own; capability: those that give it as they are told, for whom limits of it are found too; all else that is active has none.
    source_volts (k, T) or the model's. groups (L,): who shares, default: the secondary. granted_low_w,
    granted_high_w (A, T): injection that points get at least, before the others share, as far as the network carries it. start_w (A, T):
    where both directions start, where that is not the injection nearest to nothing that a point can take."""

    feeder: FeederModel
    base_va: np.ndarray
    active: np.ndarray
    low_w: np.ndarray
    high_w: np.ndarray
    inverters: Inverters | None = None
    capability: Capability | None = None
    source_volts: np.ndarray | None = None
    groups: np.ndarray | None = None
    granted_low_w: np.ndarray | None = None
    granted_high_w: np.ndarray | None = None
    start_w: np.ndarray | None = None
    least_va: np.ndarray | None = None
    most_va: np.ndarray | None = None

    def held_va(self, direction: int) -> np.ndarray:
        """The consumption that a direction is held against, (L, T)."""
        margin = self.least_va if direction == EXPORT else self.most_va
        return self.base_va if margin is None else margin

    @property
    def anchor_w(self) -> np.ndarray:
        """Where both directions start, (A, T)."""
        return np.clip(0.0, self.low_w, self.high_w) if self.start_w is None else self.start_w

    def at(self, interval: int) -> "Request":
        """The same of one interval."""
        return self.during(slice(interval, interval + 1))

    def during(self, part: slice | np.ndarray) -> "Request":
        """The same of some intervals."""
        names = ("base_va", "least_va", "most_va", "low_w", "high_w", "source_volts", "granted_low_w", "granted_high_w", "start_w")
        return replace(self, **{name: value[:, part] for name in names if (value := getattr(self, name)) is not None})


def legs_of(request: Request, direction: int) -> tuple[np.ndarray, sp.csr_matrix, np.ndarray, np.ndarray]:
    """Consumption of the legs where nobody pushes (L, T), as a direction is held against it, what a watt of each active point's push adds
    to it (L, A) up to the direction's sign, and the legs of active points with their owners among these. Reactive power that follows
    voltage is in neither."""
    feeder, place, count = request.feeder, np.full(len(request.feeder.points), -1), len(request.active)
    place[request.active] = np.arange(count)
    legs = np.flatnonzero(place[feeder.leg_point] >= 0)
    owner = place[feeder.leg_point[legs]]
    anchor, factor = request.anchor_w, np.ones(count, complex)
    if request.inverters is not None:
        out, into = (request.inverters.proportional(count, exporting=exporting) for exporting in (True, False))
        factor -= 1j * direction * (out if direction == EXPORT else into)
        anchor = anchor + 1j * np.abs(anchor) * np.where(anchor > 0, out[:, None], into[:, None])
    places, shape = (legs, owner), (len(feeder.leg_from), count)
    share = feeder.leg_share[legs]
    spread = sp.csr_matrix((share * factor[owner], places), shape=shape)
    return request.held_va(direction) - sp.csr_matrix((share, places), shape=shape) @ anchor, spread, legs, owner


@dataclass(frozen=True)
class Alarm:
    """An element that the forecast alone, without any active point, takes over its limit: nothing may make it worse."""

    kind: str
    element: str
    interval: int
    value: float
    limit: float


@dataclass(frozen=True, eq=False)
class Allocation:
    """One direction's answer. push_w (A, T): how far each point may go from its anchor. share (A, T) of its room. binding (A, T): the
    row that stops it, an index into row_names (−1: the device itself); headroom (A, T): what is left at that row, per unit.
    flows: power flows spent. checked (T,): a full AC check found nothing over its limit;
    an interval that is not checked carries no room at all. least_var, most_var (A, T): vars that a point may inject beside its push, the
    least below zero; None without anyone's capability."""

    direction: int
    push_w: np.ndarray
    share: np.ndarray
    binding: np.ndarray
    headroom: np.ndarray
    row_names: np.ndarray
    checked: np.ndarray
    flows: int
    alarms: list[Alarm] = field(default_factory=list)
    least_var: np.ndarray | None = None
    most_var: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class Envelopes:
    """min_w and max_w (A, T): the injection between which each point may move; both directions' allocations."""

    min_w: np.ndarray
    max_w: np.ndarray
    importing: Allocation
    exporting: Allocation
