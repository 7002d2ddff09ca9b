"""Regulators that move and capacitors that switch: an outer loop around the power flow, every interval on its own.

As OpenDSS's static control mode: of all controls that want to act in an interval, those with the shortest delay act first, then the
feeder is solved again. Intervals in the same state share one factorisation."""

from dataclasses import dataclass

import numpy as np

from operations.network.engine.feeder import AVERAGE, GROUND, LEAST, MOST, FeederModel
from operations.network.engine.powerflow import PowerFlow

MOST_MOVES, STATES = 80, 200


@dataclass(frozen=True)
class Settled:
    """taps (T, regulators) per unit, closed (T, capacitors), nodes (n, T) volts, legs (L, T) volts; settled (T,): converged and no
    control wants to move. Columns that are not settled hold NaN."""

    taps: np.ndarray
    closed: np.ndarray
    nodes: np.ndarray
    legs: np.ndarray
    settled: np.ndarray
    moves: int


class ControlledFlow:
    """Power flow of a feeder whose controls move; keeps the factors of every state it met."""

    def __init__(self, feeder: FeederModel, *, dtype=np.float64, native: bool = True):
        self.feeder, self._flows = feeder, {}
        self._base = PowerFlow(feeder, dtype=dtype, native=native)

    def _flow(self, taps: np.ndarray, closed: np.ndarray) -> PowerFlow:
        key = taps.tobytes() + closed.tobytes()
        if key not in self._flows:
            if len(self._flows) >= STATES:
                self._flows.clear()
            self._flows[key] = self._base.at(self.feeder.with_controls(taps, closed))
        return self._flows[key]

    def solve(
        self, leg_va: np.ndarray, *, source_volts: np.ndarray | None = None, start: tuple[np.ndarray, np.ndarray] | None = None
    ) -> Settled:
        """Settles T intervals, each from the state that the model holds, or from `start`: taps (T, regulators), closed (T, capacitors)."""
        count = leg_va.shape[1]
        taps, closed = start or (self.feeder.regulators["tap"], self.feeder.capacitors["closed"])
        taps, closed = (np.array(np.broadcast_to(each, (count, each.shape[-1]))) for each in (taps, closed))
        kind = np.complex128
        nodes, legs = np.empty((len(self.feeder.nodes), count), kind), np.empty((leg_va.shape[0], count), kind)
        settled, todo, moves = np.zeros(count, bool), np.arange(count), 0
        while len(todo) and moves < MOST_MOVES:
            moving = []
            for columns in _alike(taps, closed, todo):
                flow = self._flow(taps[columns[0]], closed[columns[0]])
                volts = None if source_volts is None else source_volts[:, columns]
                found = flow.solve(leg_va[:, columns], source_volts=volts, nodes=True)
                nodes[:, columns], legs[:, columns] = found.nodes, found.legs
                good = columns[found.converged]
                acted = self._act(flow.feeder, nodes[:, good], good, taps, closed)
                settled[good[~acted]] = True
                moving.append(good[acted])
            todo = np.concatenate(moving)
            moves += bool(len(todo))
        nodes[:, ~settled], legs[:, ~settled] = np.nan, np.nan
        return Settled(taps, closed, nodes, legs, settled, moves)

    def _act(self, feeder: FeederModel, volts: np.ndarray, columns: np.ndarray, taps: np.ndarray, closed: np.ndarray) -> np.ndarray:
        """Moves what acts first in each column; returns which columns moved."""
        wanted = np.stack([tap_wanted(feeder, control, volts) for control in feeder.regulators]) if len(feeder.regulators) else None
        switched = [switch_wanted(feeder, control, volts) for control in feeder.capacitors]
        delays = [np.where(wanted[i] != control["tap"], control["delay"], np.inf) for i, control in enumerate(feeder.regulators)]
        for control, change in zip(feeder.capacitors, switched, strict=True):
            delays.append(np.where(change, control["delay_off"] if control["closed"] else control["delay_on"], np.inf))
        if not delays:
            return np.zeros(len(columns), bool)
        delays = np.stack(delays)
        first = delays.min(0)
        acts = (delays == first) & np.isfinite(first)
        regulators = len(feeder.regulators)
        for i in range(regulators):
            taps[columns[acts[i]], i] = wanted[i, acts[i]]
        for i in range(len(feeder.capacitors)):
            closed[columns[acts[regulators + i]], i] ^= True
        return acts.any(0)


def _alike(taps: np.ndarray, closed: np.ndarray, columns: np.ndarray) -> list[np.ndarray]:
    """Columns in groups of equal state."""
    state = np.hstack([taps[columns], closed[columns]])
    if not state.shape[1]:
        return [columns]
    _, group = np.unique(state, axis=0, return_inverse=True)
    return [columns[group.ravel() == g] for g in range(group.max() + 1)] if len(columns) else []


def tap_wanted(feeder: FeederModel, control: np.void, volts: np.ndarray) -> np.ndarray:
    """The tap that a regulator would move to at node voltages (n, T): the same one inside its band or at its end."""
    neutral = 0 if control["sense_neutral"] == GROUND else volts[control["sense_neutral"]]
    sensed = (volts[control["sense_node"]] - neutral) / control["pt_ratio"]
    if control["r"] or control["x"]:
        into = _currents(feeder, control["element"], volts)
        place = int(np.flatnonzero(feeder.conductors(control["element"]) == control["sense_node"])[-1])
        sensed = sensed + into[place] / control["ct_primary"] * (control["r"] + 1j * control["x"])
    miss = control["target"] - np.abs(sensed)
    steps = np.round(miss * control["pt_ratio"] / control["winding_volts"] / control["tap_step"])
    steps = np.where(steps == 0, np.sign(miss), steps)
    tap = np.clip(control["tap"] + steps * control["tap_step"], control["tap_min"], control["tap_max"])
    return np.where(np.abs(miss) > control["band"] / 2, tap, control["tap"])


def switch_wanted(feeder: FeederModel, control: np.void, volts: np.ndarray) -> np.ndarray:
    """Whether a capacitor's control would switch it at node voltages (n, T)."""
    element, width = control["watched_element"], feeder.element_conductors[control["watched_element"]]
    span = slice((control["watched_terminal"] - 1) * width, control["watched_terminal"] * width)
    nodes = feeder.conductors(element)[span]
    terminal = np.where((nodes >= 0)[:, None], volts[nodes], 0)
    drawn, phase = _currents(feeder, element, volts)[span], control["watched_phase"]
    level, amps = (_of_phase(np.abs(each), phase) / control[ratio] for each, ratio in ((terminal, "pt_ratio"), (drawn, "ct_ratio")))
    power, closed = (terminal * np.conj(drawn)).sum(0), bool(control["closed"])
    measure = {"kvar": power.imag / 1e3, "current": amps, "voltage": level}.get(str(control["mode"]))
    if measure is None:
        wants = np.zeros(volts.shape[1], bool)  # time and power factor clocks are not simulated: the bank stays as it is
    elif control["mode"] == "voltage":
        wants = measure > control["off"] if closed else measure < control["on"]
    else:
        wants = measure < control["off"] if closed else measure > control["on"]
    if control["override"]:
        wants |= level > control["v_max"] if closed else level < control["v_min"]
    return wants


def _of_phase(values: np.ndarray, phase: int) -> np.ndarray:
    """What a control watches of the values of all conductors (c, n)."""
    over = {AVERAGE: np.mean, MOST: np.max, LEAST: np.min}.get(int(phase))
    return values[phase] if over is None else over(values, axis=0)


def _currents(feeder: FeederModel, element: int, volts: np.ndarray) -> np.ndarray:
    """Currents into an element's conductors, amperes."""
    nodes = feeder.conductors(element)
    return feeder.primitive(element) @ np.where((nodes >= 0)[:, None], volts[nodes], 0)
