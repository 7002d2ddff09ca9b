"""What an inverter does by its settings (registry/ders/inverters.py)."""

from dataclasses import dataclass

import numpy as np

WHOLE_AT = 0.2  # of rated power, from which on all of the reactive power is there; below in proportion (IEEE 1547-2018, clause 5.2)


@dataclass(frozen=True, eq=False)
class Inverter:
    """One or several inverters of the same settings: rated kW and kVA (A,) each, in watts and volt-amperes."""

    settings: dict
    rated_w: np.ndarray
    rated_va: np.ndarray

    @property
    def follows_voltage(self) -> bool:
        return bool({"volt_var", "volt_watt"} & self.settings.keys())

    @property
    def most_w(self) -> np.ndarray:
        """The most that each injects, (A,): its rating, its apparent power, or less by maximum W."""
        most = np.minimum(self.rated_w * self.settings.get("max_w", 100.0) / 100, self.rated_va)
        return np.minimum(most, self.rated_va * abs(self.settings.get("power_factor", 1.0)))

    def answer(self, wanted_w: np.ndarray, volts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Watts and vars injected at voltages (A, T) per unit where watts (A, T) are wanted; reactive power comes first (clause 5.3)."""
        p, q = wanted_w.astype(float), np.zeros(wanted_w.shape)
        rated, apparent = self.rated_w[:, None], self.rated_va[:, None]
        if "power_factor" in self.settings:
            factor = self.settings["power_factor"]
            q = np.sign(factor) * np.sqrt(1 / factor**2 - 1) * np.abs(p)
        if "volt_watt" in self.settings:
            p = np.minimum(p, np.maximum(0, _on(self.settings["volt_watt"], volts)) * rated)
        if "volt_var" in self.settings:
            there = np.clip(np.abs(wanted_w) / (WHOLE_AT * np.maximum(rated, 1e-9)), 0, 1)
            q = _on(self.settings["volt_var"], volts) * apparent * there
        left = np.sqrt(np.maximum(apparent**2 - q**2, 0))
        return np.clip(p, -left, left), q


def _on(curve: list, volts: np.ndarray) -> np.ndarray:
    x, y = zip(*curve, strict=True)
    return np.interp(volts, x, y)
