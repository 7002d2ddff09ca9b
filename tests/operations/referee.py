"""OpenDSS as referee: its own solver, its own voltages and element currents, against the limits that the solver was given."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from operations.network.engine import opendss
from operations.network.engine.feeder import FeederModel
from tests.operations import feeders


@dataclass
class Verdict:
    """How many values were held against a limit, how many broke it, and the worst of each kind beyond its limit (per unit)."""

    checks: int = 0
    violations: int = 0
    worst_volts: float = -np.inf
    worst_amps: float = -np.inf

    def __str__(self):
        return (
            f"{self.checks:,} checks, {self.violations} violations (worst {self.worst_volts:+.5f} pu V, {self.worst_amps:+.5f} of rating)"
        )


class Referee:
    """One feeder in OpenDSS with constant power and its controls where they settled."""

    def __init__(self, name: str, feeder: FeederModel, head: float | None = None):
        self.feeder = feeder
        commands = (*feeders.commands(name, head), "batchedit load..* model=1 vminpu=0.01 vmaxpu=9 vlowpu=0.001 status=variable")
        self.dss = opendss.compile_circuit(feeders.master(name), ("set controlmode=off", *commands))
        for command in ("set controlmode=off", "set tolerance=1e-7"):
            self.dss.Text.Command(command)
        self._pin_controls()
        order = {node.lower(): i for i, node in enumerate(self.dss.Circuit.YNodeOrder())}
        self._nodes = np.array([order[node] for node in feeder.nodes])
        self._loads = np.array([list(self.dss.Loads.AllNames()).index(p.split(".", 1)[1]) for p in feeder.points])
        self._sorted = np.argsort(self._loads)
        self._incidence = feeder.incidence.T.tocsr()
        self._current_rows()

    def _pin_controls(self) -> None:
        """Taps and capacitors as the arrays hold them."""
        for control in self.feeder.regulators:
            element = self.feeder.element_names[control["element"]]
            self.dss.Text.Command(f"edit {element} wdg={control['tap_winding']} tap={control['tap']:.8f}")
        for control in self.feeder.capacitors:
            element = self.feeder.element_names[control["element"]]
            self.dss.Text.Command(f"edit {element} states=[{int(control['closed'])}]")
        self.dss.Solution.Solve()

    def _current_rows(self) -> None:
        """Where each rated conductor stands in OpenDSS's list of element currents."""
        start, at = {}, 0
        sizes = zip(self.dss.PDElements.AllNames(), self.dss.PDElements.AllNumTerminals(), self.dss.PDElements.AllNumConductors())
        for name, terminals, conductors in sizes:
            start[name.lower()] = at
            at += int(terminals) * int(conductors)
        elements = self.feeder.element_names[self.feeder.rating_element]
        self._places = np.array([start[name] for name in elements]) + self.feeder.rating_conductor

    def set_loads(self, leg_va: np.ndarray) -> None:
        """One interval's consumption (L,)."""
        power = np.zeros(len(self.feeder.points), complex)
        np.add.at(power, self.feeder.leg_point, leg_va)
        values = power[self._sorted] / 1e3
        loads = self.dss.Loads
        loads.First()
        for p, q in zip(values.real, values.imag):
            loads.kW(p)
            loads.kvar(q)
            loads.Next()

    def solve(self, leg_va: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Leg voltages and conductor loadings, per unit, of one interval's consumption (L,)."""
        self.set_loads(leg_va)
        self.dss.Solution.Solve()
        assert self.dss.Solution.Converged(), "OpenDSS did not converge"
        return self.volts(), self.loading()

    def volts(self) -> np.ndarray:
        """Leg voltages of OpenDSS's last solution, per unit."""
        nodes = np.asarray(self.dss.Circuit.YNodeVArray()).view(complex)[self._nodes]
        return np.abs(self._incidence @ nodes) / self.feeder.leg_volts

    def loading(self) -> np.ndarray:
        """Conductor currents of OpenDSS's last solution over their ratings."""
        amps = np.asarray(self.dss.PDElements.AllCurrents()).view(complex)
        return np.abs(amps[self._places]) / self.feeder.rating_amps

    def judge(self, case, push: np.ndarray, columns=None, *, masks: np.ndarray | None = None, slack=(1e-5, 2e-4)) -> Verdict:
        """Holds a push (A, T) of a solver's case, partly used where masks (n, A) say so, against the case's limits."""
        verdict = Verdict()
        for t in range(case.count) if columns is None else columns:
            for mask in np.ones((1, len(push))) if masks is None else masks:
                power = case.base[:, t] + case.direction * (case.spread @ (push[:, t] * mask))
                volts, loading = self.solve(power)
                over = np.maximum(volts - case.v_high[:, t], case.v_low[:, t] - volts)
                over_amps = loading / case.policy.loading - case.all_i_high[:, t]
                verdict.checks += 2 * len(over) + len(over_amps)
                verdict.violations += int((over > slack[0]).sum() + (over_amps > slack[1]).sum())
                verdict.worst_volts = max(verdict.worst_volts, float(over.max()))
                verdict.worst_amps = max(verdict.worst_amps, float(over_amps.max()))
        return verdict


class Moving:
    """One feeder in OpenDSS with constant power, whose regulators and capacitors move by OpenDSS's own controls, from where they stood."""

    def __init__(self, master: Path, feeder: FeederModel, commands: tuple[str, ...] = ()):
        plain = "batchedit load..* model=1 vminpu=0.01 vmaxpu=9 vlowpu=0.001 status=variable"
        self.dss = opendss.compile_circuit(master, (*commands, plain, "set controlmode=static"))
        order = {node.lower(): i for i, node in enumerate(self.dss.Circuit.YNodeOrder())}
        self._names = [point.split(".", 1)[1] for point in feeder.points]
        self._nodes, self._ends = np.array([order[node] for node in feeder.nodes]), feeder.incidence.T.tocsr()
        self._volts = feeder.leg_volts

    def volts(self, point_va: np.ndarray) -> np.ndarray:
        """Leg voltages, per unit, at a consumption of the points (p,)."""
        for name, va in zip(self._names, point_va, strict=True):
            self.dss.Loads.Name(name)
            self.dss.Loads.kW(va.real / 1e3)
            self.dss.Loads.kvar(va.imag / 1e3)
        self.dss.Solution.Solve()
        assert self.dss.Solution.Converged(), "OpenDSS did not converge"
        nodes = np.asarray(self.dss.Circuit.YNodeVArray()).view(complex)[self._nodes]
        return np.abs(self._ends @ nodes) / self._volts
