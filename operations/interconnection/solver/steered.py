"""A case of the envelope solver whose active points are inverters: their watts and vars follow voltage, at every power flow anew."""

import numpy as np

from operations.envelopes.solver.case import Case, Machine
from operations.envelopes.solver.problem import Policy, Request
from operations.envelopes.solver.solve import corner
from operations.interconnection.solver.settings import Inverter

ROUNDS, STEP, STILL = 40, 0.4, 2e-4  # rounds, part of the way that each goes, and the change (of rated kVA) below which it stands


class Steered(Case):
    """As Case; push is what the inverters are told to inject or draw, of which by their settings they may do less."""

    def __init__(self, machine: Machine, request: Request, policy: Policy, direction: int, inverter: Inverter):
        self.inverter, self.rest = inverter, request.base_va.astype(np.complex64)
        place = np.full(len(machine.feeder.points), -1)
        place[request.active] = np.arange(len(request.active))
        self._own = np.flatnonzero(place[machine.feeder.leg_point] >= 0)
        self._owner = place[machine.feeder.leg_point[self._own]]
        self._legs = np.bincount(self._owner, minlength=len(request.active))
        super().__init__(machine, request, policy, direction, corner(request))

    def _power(self, push: np.ndarray, columns: np.ndarray) -> np.ndarray:
        rest = self.rest[:, columns]
        p, q, still = self._settled(push, columns)
        power = rest - self.spread @ (p + 1j * q).astype(np.complex64)
        power[:, ~still] = np.nan  # settings that do not come to rest have no solution
        return power

    def injected(self, push: np.ndarray) -> np.ndarray:
        """Watts that are injected when push (A, T) is told, (A, T); NaN where the settings do not come to rest."""
        p, _, still = self._settled(push, np.arange(self.count))
        return np.where(still, p, np.nan)

    def reactive(self, push: np.ndarray) -> np.ndarray:
        """Vars that are injected then, (A, T)."""
        return self._settled(push, np.arange(self.count))[1]

    def _settled(self, push: np.ndarray, columns: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Watts and vars (A, T') when every inverter stands by its curve, and which columns came to rest, (T',)."""
        wanted = self.request.anchor_w[:, columns] - self.direction * push
        rest, still = self.rest[:, columns], np.ones(len(columns), bool)
        p, q = self.inverter.answer(wanted, np.ones(wanted.shape))
        if not self.inverter.follows_voltage:
            return p, q, still
        apparent, sources = self.inverter.rated_va[:, None], self._sources(columns)
        for _ in range(ROUNDS):
            power = rest - self.spread @ (p + 1j * q).astype(np.complex64)
            found = self.machine.fast.solve(power, source_volts=sources)
            volts = np.zeros(wanted.shape)
            np.add.at(volts, self._owner, np.abs(found.legs[self._own]) / self.volts[self._own])
            p_new, q_new = self.inverter.answer(wanted, volts / self._legs[:, None])
            change = np.maximum(np.abs(p_new - p), np.abs(q_new - q)) / apparent
            still = (change < STILL).all(0)
            if still.all() or not found.converged.any():
                break
            p, q = p + STEP * (p_new - p), q + STEP * (q_new - q)
        return p, q, still
