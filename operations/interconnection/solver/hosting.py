"""What every node can host: one resource at a time at each bus, in the hours in which the feeder leaves least room."""

from dataclasses import dataclass, replace

import numpy as np

from operations.envelopes.solver.case import Machine
from operations.envelopes.solver.problem import EXPORT, Policy, Request
from operations.envelopes.solver.solve import direct
from operations.interconnection.solver.study import LITTLE, named
from operations.network.engine.feeder import FeederModel

AT_ONCE = 96  # buses in one batch: bounds memory
BEYOND, LEAST_W, MOST_W, UNRATED_W = 1.5, 10e3, 50e6, 1e6


@dataclass(frozen=True, eq=False)
class Capacity:
    """Of each bus (n,): watts that it can host, what stops it ("": nothing up to what was tried), and the element that does."""

    watts: np.ndarray
    kind: np.ndarray
    element: np.ndarray


def buses_of(feeder: FeederModel) -> list[str]:
    """The buses that have voltage, but for those of the source."""
    live = set(feeder.node_bus[feeder.alive & (feeder.node_volts > 0)].tolist()) - set(feeder.node_bus[feeder.source_node].tolist())
    return [str(feeder.buses[bus]) for bus in sorted(live)]


def prepared(feeder: FeederModel, buses: list[str]) -> FeederModel:
    """The feeder with a resource at every one of the buses, on all its phases, behind its own points."""
    return feeder.with_resources({f"bus.{bus}": feeder.legs_of(bus) for bus in buses})


def tried(feeder: FeederModel, buses: list[str]) -> np.ndarray:
    """How much is tried at each bus, watts (n,): half as much again as the largest conductor there carries."""
    node = feeder.element_nodes[feeder.conductor_start[feeder.rating_element] + feeder.rating_conductor]
    amps = np.zeros(len(feeder.nodes))
    np.maximum.at(amps, node[node >= 0], feeder.rating_amps[node >= 0])
    power = np.bincount(feeder.node_bus, weights=amps * feeder.node_volts, minlength=len(feeder.buses))
    place = {str(bus): number for number, bus in enumerate(feeder.buses)}
    found = power[[place[bus] for bus in buses]]
    return np.clip(np.where(found > 0, BEYOND * found, UNRATED_W), LEAST_W, MOST_W)


def worst_columns(machine: Machine, base_va: np.ndarray, direction: int) -> np.ndarray:
    """The columns in which least room is left: by the feeder's sum, and by the highest or lowest voltage."""
    total = base_va.real.sum(0)
    volts = np.abs(machine.fast.solve(base_va).legs) / machine.feeder.leg_volts[:, None]
    if direction == EXPORT:
        return np.unique([total.argmin(), np.nanmax(volts, 0).argmax()])
    return np.unique([total.argmax(), np.nanmin(volts, 0).argmin()])


def capacities(machine: Machine, base_va: np.ndarray, count: int, asked_w: np.ndarray, direction: int, policy: Policy) -> Capacity:
    """What each of the last `count` points of a machine's feeder can do alone; base_va (L, h) consumes the rest in h hours. Where one point
    moves, all policies say the same, and the plainest says it soonest."""
    policy = replace(policy, method="proportional")
    hours, first = base_va.shape[1], len(machine.feeder.points) - count
    parts = []
    for start in range(0, count, AT_ONCE):
        chosen = np.arange(start, min(count, start + AT_ONCE))
        rows, columns = np.repeat(np.arange(len(chosen)), hours), np.arange(len(chosen) * hours)
        most = np.zeros((len(chosen), len(columns)))
        most[rows, columns] = asked_w[chosen][rows]
        low, high = (np.zeros_like(most), most) if direction == EXPORT else (-most, np.zeros_like(most))
        request = Request(machine.feeder, np.tile(base_va, len(chosen)), first + chosen, low, high)
        found = direct(machine, request, policy, direction)[0]
        kind, element = named(found, len(machine.feeder.leg_from))
        watts = found.push_w[rows, columns].reshape(-1, hours)
        worst = np.arange(len(chosen)) * hours + watts.argmin(1)
        bus = np.arange(len(chosen))
        kinds = np.where(watts.min(1) < asked_w[chosen] * (1 - LITTLE), np.where(kind[bus, worst] == "", "voltage", kind[bus, worst]), "")
        parts.append((watts.min(1), kinds, np.where(kinds == "", "", element[bus, worst])))
    return Capacity(*(np.concatenate(each) for each in zip(*parts, strict=True)))
