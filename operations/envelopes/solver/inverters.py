"""Reactive power of devices: by a rule of their own with active power (IEEE 1547-2018, 5.3.2 and 5.3.3), or as they are told."""

from dataclasses import dataclass

import numpy as np

WHOLE_AT = 0.2  # of rated power, from which on volt-var's reactive power is all there; below in proportion (IEEE 1547-2018, clause 5.2)


@dataclass(frozen=True, eq=False)
class Inverters:
    """n inverters that follow a rule behind A active points. owner (n,): the place of their point; export_share, import_share (n,): their
    part of what it injects and draws. vars_per_watt (n,): injected with each watt that moves, either way, by a fixed power factor (minus:
    absorbed). curve (n,): which of curves (volts, vars per rated VA; per unit) they follow, −1: none; rated_w, rated_va (n,).

    Reactive power comes before active power: it is taken as whole where both together are more than the device's apparent power."""

    owner: np.ndarray
    export_share: np.ndarray
    import_share: np.ndarray
    vars_per_watt: np.ndarray
    curve: np.ndarray
    curves: tuple[tuple[np.ndarray, np.ndarray], ...]
    rated_w: np.ndarray
    rated_va: np.ndarray

    @property
    def follow_voltage(self) -> bool:
        """Whether any of them follows a curve."""
        return bool((self.curve >= 0).any())

    def proportional(self, count: int, *, exporting: bool) -> np.ndarray:
        """Vars injected with each watt that a point injects, or draws, by fixed power factors, (A,)."""
        share = self.export_share if exporting else self.import_share
        return np.bincount(self.owner, share * self.vars_per_watt, count)

    def answer(self, injected_w: np.ndarray, volts: np.ndarray) -> np.ndarray:
        """Vars that each point's volt-var inverters inject (A, T) while it injects watts (A, T) at volts (A, T), per unit."""
        found = np.zeros(injected_w.shape)
        for number, (x, y) in enumerate(self.curves):
            rows = np.flatnonzero(self.curve == number)
            owner, wanted = self.owner[rows], injected_w[self.owner[rows]]
            own = np.abs(wanted) * np.where(wanted > 0, self.export_share[rows, None], self.import_share[rows, None])
            there = np.clip(own / (WHOLE_AT * self.rated_w[rows, None]), 0, 1)
            np.add.at(found, owner, np.interp(volts[owner], x, y) * self.rated_va[rows, None] * there)
        return found

    def between(self, moved_w: np.ndarray, *, exporting: bool) -> np.ndarray:
        """The least and the most vars that each inverter injects while its point moves up to watts (A, T), at any voltage, (2, n, T)."""
        share = self.export_share if exporting else self.import_share
        own, steered = share[:, None] * moved_w[self.owner], self.curve[:, None] >= 0
        there = self.rated_va[:, None] * np.clip(own / (WHOLE_AT * self.rated_w[:, None]), 0, 1)
        by_factor, found = self.vars_per_watt[:, None] * own, []
        for extreme, towards in ((min, np.minimum), (max, np.maximum)):
            ends = np.array([extreme(0.0, *self.curves[each][1]) if each >= 0 else 0.0 for each in self.curve])
            found.append(np.where(steered, ends[:, None] * there, towards(by_factor, 0)))
        return np.stack(found)

    def apparent(self, count: int) -> np.ndarray:
        """Rated VA of each point's volt-var inverters, (A,); one where there are none, to divide by."""
        return np.maximum(np.bincount(self.owner, np.where(self.curve >= 0, self.rated_va, 0), count), 1.0)


@dataclass(frozen=True, eq=False)
class Capability:
    """n inverters that give reactive power as they are told, behind A active points. owner, export_share, import_share (n,) as in
    Inverters; inject, absorb (n,): rated vars; rated_va (n,), infinite where only these are known."""

    owner: np.ndarray
    export_share: np.ndarray
    import_share: np.ndarray
    inject: np.ndarray
    absorb: np.ndarray
    rated_va: np.ndarray

    def left(self, moved_w: np.ndarray, *, exporting: bool) -> np.ndarray:
        """Vars that each inverter can absorb, and inject, while its point injects or draws watts (A, T), (2, n, T)."""
        share = self.export_share if exporting else self.import_share
        beside = np.sqrt(np.maximum(self.rated_va[:, None] ** 2 - (share[:, None] * moved_w[self.owner]) ** 2, 0))
        return np.stack([np.minimum(rated[:, None], beside) for rated in (self.absorb, self.inject)])

    def summed(self, values: np.ndarray, count: int) -> np.ndarray:
        """Of the inverters' values (2, n, T) the sums of the points, (2, A, T)."""
        found = np.zeros((2, count, values.shape[2]))
        for row, each in zip(found, values, strict=True):
            np.add.at(row, self.owner, each)
        return found
