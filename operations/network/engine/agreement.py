"""A circuit that was just read, held against OpenDSS's own solution of it: what is not understood is refused by name, never computed."""

from dataclasses import replace

import numpy as np

from operations.network.engine.controls import tap_wanted
from operations.network.engine.feeder import FeederModel, UnreadableCircuit
from operations.network.engine.powerflow import PowerFlow

AGREED = 1e-5  # per unit
ROUNDED = 1e-3  # per unit, where every point draws the same: lines of nearly no impedance leave OpenDSS no more digits
OFF = -1  # the mode in which controls do not move
MOVES = "It would move here where OpenDSS leaves it."


def checked(dss, feeder: FeederModel) -> FeederModel:
    """The feeder, with regulators held that are not understood. Raises UnreadableCircuit naming the element."""
    loose = np.flatnonzero((feeder.leg_to >= 0) & feeder.alive[feeder.leg_from] & ~feeder.alive[feeder.leg_to])
    if len(loose):
        point, node = feeder.points[feeder.leg_point[loose[0]]], feeder.nodes[feeder.leg_to[loose[0]]]
        raise UnreadableCircuit(f"{point}: its neutral {node} is joined to nothing; ground it, or draw the neutral's conductor.")
    try:
        found = PowerFlow(feeder).solve(feeder.leg_va()[:, None], nodes=True)
    except (ValueError, RuntimeError) as error:  # a node without admittance to anything
        raise UnreadableCircuit(f"{_loosest(feeder)}: nothing holds the voltage of this node to ground; ground a winding.") from error
    if not dss.Solution.Converged():
        return feeder
    order = {node.lower(): i for i, node in enumerate(dss.Circuit.YNodeOrder())}
    volts = np.asarray(dss.Circuit.YNodeVArray()).view(complex)[[order[node] for node in feeder.nodes]]
    if found.converged[0]:
        _require(dss, feeder, np.abs(found.nodes[:, 0]), volts)
    return feeder if dss.Solution.ControlMode() == OFF else _held(feeder, volts)


def _require(dss, feeder: FeederModel, ours: np.ndarray, volts: np.ndarray) -> None:
    apart = np.where(feeder.alive, np.abs(ours - np.abs(volts)) / np.maximum(feeder.node_volts, 1e-9), 0)
    worst = int(apart.argmax())
    if apart[worst] <= AGREED:
        return
    culprit = _culprit(dss, feeder, volts)
    if culprit or apart[worst] > ROUNDED:
        base = feeder.node_volts[worst]
        said = f"{ours[worst] / base:.5f} per unit at {feeder.nodes[worst]} instead of OpenDSS's {abs(volts[worst]) / base:.5f}"
        raise UnreadableCircuit(f"{culprit or feeder.nodes[worst]}: read as it is understood here, it gives {said}.")


def _culprit(dss, feeder: FeederModel, volts: np.ndarray) -> str:
    """The point whose power at OpenDSS's voltages is most another than OpenDSS's; empty where all are the same."""
    across = feeder.incidence.T @ volts
    flow = PowerFlow(feeder, native=False)
    drawn = np.zeros(len(across), complex)
    drawn[flow.live_legs] = flow.drawn(feeder.leg_va()[flow.live_legs, None], np.abs(across[flow.live_legs, None]))[:, 0]
    ours = np.conj(drawn / np.where(across == 0, 1, across))
    worst, name = 1e-4, ""
    for number, point in enumerate(feeder.points.tolist()):
        dss.Circuit.SetActiveElement(point)
        theirs = np.abs(np.asarray(dss.CktElement.Currents()).view(complex)).sum()
        legs = np.flatnonzero(feeder.leg_point == number)
        nodes = np.concatenate([feeder.leg_from[legs], feeder.leg_to[legs]])
        mine = np.zeros(len(nodes), complex)
        _, place = np.unique(nodes, return_inverse=True)
        np.add.at(mine, place, np.concatenate([ours[legs], -ours[legs]]))
        gap = abs(np.abs(mine).sum() - theirs) / max(theirs, 1e-9)
        if gap > worst:
            worst, name = gap, point
    return name


def _loosest(feeder: FeederModel) -> str:
    """The node with least admittance of its own."""
    own = np.where(feeder.alive, np.abs(feeder.ybus.diagonal()), np.inf)
    return str(feeder.nodes[int(own.argmin())])


def _held(feeder: FeederModel, volts: np.ndarray) -> FeederModel:
    """Without regulators that would move at a solution in which OpenDSS's controls rest."""
    rest = [abs(tap_wanted(feeder, each, volts[:, None])[0] - each["tap"]) < each["tap_step"] / 2 for each in feeder.regulators]
    if all(rest):
        return feeder
    rest = np.array(rest)
    why = [(f"regcontrol.{name}", MOVES) for name in feeder.regulators["name"][~rest]]
    return replace(feeder, regulators=feeder.regulators[rest], held=np.array([*map(tuple, feeder.held), *why]))
