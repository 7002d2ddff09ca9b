"""From a point, its rating and its settings to limits by month and hour, firm and flexible limit, and what curtailment costs."""

from dataclasses import dataclass

import numpy as np

from operations.envelopes.solver.blocks import DEVICE
from operations.envelopes.solver.case import Machine
from operations.envelopes.solver.problem import EXPORT, Allocation, Policy, Request
from operations.envelopes.solver.solve import settle
from operations.interconnection.solver import windows, year
from operations.interconnection.solver.settings import Inverter
from operations.interconnection.solver.steered import Steered

LITTLE = 1e-4  # of the rating: less than this is no curtailment
CANDIDATES = 400


@dataclass(frozen=True, eq=False)
class Direction:
    """One direction of a study, watts as magnitudes, by month and hour (288,): `limit` is what the network leaves of `asked`, `kind` what
    stops it ("": nothing, "voltage", "thermal"), `element` which, `headroom` what is left there (per unit), `checked` the AC check."""

    asked: float
    limit: np.ndarray
    kind: np.ndarray
    element: np.ndarray
    checked: np.ndarray
    alarms: int

    @property
    def bound(self) -> np.ndarray:
        """Where the network leaves less than was asked for, (288,)."""
        return self.limit < self.asked * (1 - LITTLE)

    def short(self, most: np.ndarray) -> np.ndarray:
        """Where it leaves less than the resource can do, `most` of what was asked for, (288,)."""
        return self.limit < (most - LITTLE) * self.asked


@dataclass(frozen=True, eq=False)
class Outcome:
    """Firm limit: always possible. Flexible: possible when what is above the hour's limit is curtailed. `limit_w` (288,): what is proposed
    for each hour, from firm to flexible. Energies by month under these very limits, kWh (12,)."""

    firm_w: float
    flexible_w: float
    limit_w: np.ndarray
    possible_kwh: np.ndarray
    curtailed_kwh: np.ndarray

    @property
    def curtailed_percent(self) -> float:
        total = float(self.possible_kwh.sum())
        return 100 * float(self.curtailed_kwh.sum()) / total if total > 0 else 0.0


def limits(machine: Machine, base_va: np.ndarray, point: int, asked_w: float, direction: int, policy: Policy, inverter: Inverter):
    """What one point may inject (EXPORT) or draw (IMPORT) by month and hour on the feeder of a machine; base_va (L, 288) consumes all
    the rest. Returns a Direction."""
    most = np.full((1, base_va.shape[1]), float(asked_w))
    low, high = (np.zeros_like(most), most) if direction == EXPORT else (-most, np.zeros_like(most))
    case = Steered(machine, Request(machine.feeder, base_va, np.array([point]), low, high), policy, direction, inverter)
    found = settle(case)
    done = np.abs(np.nan_to_num(case.injected(found.push_w)))[0]
    kind, element = named(found, len(machine.feeder.leg_from))
    limit = np.minimum(found.push_w[0], done)
    kind[0, (kind[0] == "") & (limit < asked_w * (1 - LITTLE))] = "voltage"  # the settings themselves hold it back, by the voltage
    return Direction(asked_w, limit, kind[0], element[0], found.checked, len(found.alarms))


def named(found: Allocation, legs: int) -> tuple[np.ndarray, np.ndarray]:
    """What stops each point in each column, (A, T) twice: its kind, and the element."""
    free = found.binding == DEVICE
    kind = np.where(free, "", np.where(found.binding < legs, "voltage", "thermal"))
    names = found.row_names.astype(object)
    return kind.astype(object), np.where(free, "", names[np.where(free, 0, found.binding)] if len(names) else "")


def judged(found: Direction, most: np.ndarray, outputs: np.ndarray, accepted_percent: float) -> Outcome:
    """Firm and flexible limit of a direction. most (288,): what the resource can do at most; outputs (kinds, 288): what it would do on
    days of each kind of weather, equally many; both as parts of what was asked for.

    The flexible limit is the largest whose curtailment in a year is at most the accepted part of what it could then inject. All limits
    are those that are proposed: whole tenths of a kW, and by hour rounded down in steps from the firm limit."""
    short = found.short(most)
    firm = tenths(found.limit[short].min() if short.any() else found.asked)
    caps = np.unique(tenths(np.linspace(firm, found.asked, CANDIDATES)))
    proposed = [_proposed(found, short, firm, cap) for cap in caps]
    energies = [_energies(outputs * found.asked, cap, limit) for cap, limit in zip(caps, proposed, strict=True)]
    shares = np.array([100 * cut.sum() / max(possible.sum(), 1e-9) for possible, cut in energies])
    good = np.flatnonzero(shares <= accepted_percent + 1e-9)
    best = int(good[-1]) if len(good) else 0
    return Outcome(float(firm), float(caps[best]), proposed[best], *energies[best])


def tenths(watts):
    """Watts rounded down to whole tenths of a kW."""
    return np.floor(np.asarray(watts) / 100 + 1e-6) * 100


def _proposed(found: Direction, short: np.ndarray, firm: float, cap: float) -> np.ndarray:
    """Limits by hour under a cap, watts (288,): the cap where the resource can do no more than the network leaves."""
    return 1e3 * windows.rounded(np.where(short, found.limit, cap) / 1e3, cap / 1e3, firm / 1e3)


def _energies(outputs_w: np.ndarray, cap: float, limit_w: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What could be done under a cap, and what of it the hours' limits take, kWh by month."""
    wanted = np.minimum(outputs_w, cap)
    cut = np.maximum(wanted - limit_w, 0)
    days = year.days_of_columns() / len(outputs_w) / 1e3
    return tuple((values.sum(0) * days).reshape(year.MONTHS, year.HOURS).sum(1) for values in (wanted, cut))
