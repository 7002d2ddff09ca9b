"""Factors that are renewed where few entries change, against factors made anew. O1."""

import numpy as np
import pytest

from operations.network.engine.factors import Factors, is_symmetric
from operations.network.engine.powerflow import PowerFlow, factorise
from operations.network.engine.sensitivity import Sensitivity
from tests.operations import feeders


@pytest.fixture(scope="module")
def feeder():
    return feeders.model("ieee123-pv").at_constant_power()


def moved(feeder, steps: int):
    """The feeder with every second tap moved so many steps."""
    taps = feeder.regulators["tap"].copy()
    taps[::2] += steps * feeder.regulators["tap_step"][::2]
    return feeder.with_controls(taps, feeder.capacitors["closed"])


@pytest.mark.parametrize("steps", [-5, 3])
def test_another_state_flows_as_if_made_anew(feeder, steps):
    """O1: voltages and sensitivities of a state of the controls, from the factors of another."""
    other, base, load = moved(feeder, steps), PowerFlow(feeder), feeder.leg_va()[:, None] * np.array([0.3, 1.0])
    renewed, anew = base.at(other), PowerFlow(other)
    first, second = (flow.solve(load, nodes=True).nodes for flow in (renewed, anew))
    assert np.abs(first - second).max() < 1e-8 * np.abs(second).max()
    assert np.abs(first - base.solve(load, nodes=True).nodes).max() > 1e-3 * np.abs(second).max()
    rows = np.arange(len(feeder.rating_amps))
    near, whole = Sensitivity(renewed, Sensitivity(base)), Sensitivity(anew)
    assert near._native is not None
    assert abs(near.currents(rows) - whole.currents(rows)).max() < 1e-6
    assert np.abs(near.idle_currents(rows) - whole.idle_currents(rows)).max() < 1e-6


def test_a_bank_that_opens_flows_as_if_made_anew():
    """O1: IEEE 8500: banks and taps together."""
    feeder = feeders.model("ieee8500").at_constant_power()
    assert feeder.banks_join_nothing
    other = feeder.with_controls(feeder.regulators["tap"] + feeder.regulators["tap_step"], ~feeder.capacitors["closed"])
    load = feeder.leg_va()[:, None] * 0.4
    first, second = (flow.solve(load).legs for flow in (PowerFlow(feeder).at(other), PowerFlow(other)))
    assert np.abs(first - second).max() < 1e-8 * np.abs(second).max()


def test_what_is_not_in_the_pattern_is_not_renewed(feeder):
    """O1: two nodes that nothing joins: the factors must be made anew."""
    matrix = feeder.ybus
    order = factorise(matrix).perm_r
    factors, ends = Factors(matrix, order), np.array([0, matrix.shape[0] - 1])
    assert is_symmetric(matrix) and matrix[ends[0], ends[1]] == 0
    assert factors.changed(ends, ends[::-1], np.ones(2)) is None
    right = np.eye(matrix.shape[0], 3, dtype=complex)
    assert np.abs(matrix @ factors.solve(right) - right).max() < 1e-6
