"""From a point, its rating and its settings to limits by month and hour, firm and flexible limit, and what curtailment costs."""

from dataclasses import dataclass

import numpy as np

from operations.envelopes.solver.blocks import DEVICE
from operations.envelopes.solver.case import Machine
from operations.envelopes.solver.problem import EXPORT, Allocation, Policy, Request
from operations.envelopes.solver.solve import settle
from operations.interconnection.solver import year
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


@dataclass(frozen=True, eq=False)
class Outcome:
    """Firm limit: always possible. Flexible: possible when what is above the hour's limit is curtailed. Energies by month, kWh (12,)."""

    firm_w: float
    flexible_w: float
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

    The flexible limit is the largest whose curtailment in a year is at most the accepted part of what it could then inject."""
    able = most * found.asked
    short = found.limit < able - LITTLE * found.asked
    firm = float(found.limit[short].min()) if short.any() else found.asked
    candidates = np.linspace(firm, found.asked, CANDIDATES) if found.asked > firm else np.array([firm])
    percents = [_energies(found, outputs, each) for each in candidates]
    shares = np.array([100 * cut.sum() / max(possible.sum(), 1e-9) for possible, cut in percents])
    good = np.flatnonzero(shares <= accepted_percent + 1e-9)
    best = int(good[-1]) if len(good) else 0
    return Outcome(firm, float(candidates[best]), *percents[best])


def _energies(found: Direction, outputs: np.ndarray, cap: float) -> tuple[np.ndarray, np.ndarray]:
    """What could be done under a cap, and what of it the hours' limits take, kWh by month."""
    wanted = np.minimum(outputs * found.asked, cap)
    cut = np.maximum(wanted - found.limit, 0)
    days = year.days_of_columns() / len(outputs) / 1e3
    return tuple((values.sum(0) * days).reshape(year.MONTHS, year.HOURS).sum(1) for values in (wanted, cut))
