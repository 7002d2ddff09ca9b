"""The linear program of what can be delivered, on arrays: O4."""

from dataclasses import replace

import numpy as np
import pytest

from operations.coordination.engine.program import Infeasible, Program, optimise
from tests.operations import transmission
from tests.operations.transfer import Grid


def program(**said) -> Program:
    """Two nodes of which the second reaches the balance through one line; 10 kW of blocks at each."""
    given = {
        "node": np.array([0, 0, 1]),
        "cost": np.array([-1.0, -1.0, -1.0]),
        "most": np.array([5.0, 5.0, 10.0]),
        "low": np.zeros(2),
        "high": np.array([100.0, 100.0]),
        "factors": np.array([[0.0, 1.0]]),
        "line_low": np.array([-100.0]),
        "line_high": np.array([100.0]),
    }
    return Program(**given | said)


def test_without_limits_all_of_it_is_delivered():
    answer = optimise(program())
    assert answer.kw.sum() == pytest.approx(20) and not answer.node_value.any() and not answer.line_value.any()


def test_a_limit_binds_with_the_value_of_one_more_kw():
    answer = optimise(program(high=np.array([4.0, 100.0])))
    assert answer.node_kw == pytest.approx([4, 10]) and answer.node_value == pytest.approx([1, 0])
    answer = optimise(program(line_high=np.array([3.0])))
    assert answer.line_kw == pytest.approx([3]) and answer.line_value == pytest.approx([1])
    assert np.bincount([0, 0, 1], weights=answer.kw) == pytest.approx([10, 3])


def test_what_is_wanted_is_taken_where_it_is_cheapest_and_what_is_missing_is_told():
    cost = np.array([3.0, 1.0, 2.0])
    answer = optimise(program(cost=cost, wanted=8.0))
    assert answer.kw == pytest.approx([0, 5, 3]) and answer.missing == pytest.approx(0)
    answer = optimise(program(cost=cost, wanted=30.0))
    assert answer.kw.sum() == pytest.approx(20) and answer.missing == pytest.approx(10)
    with pytest.raises(Infeasible):
        optimise(program(low=np.array([50.0, 0.0])))


def test_transfer_factors_are_those_of_the_power_flow():
    """A ring of three equal lines: two thirds of an injection take the short way. And on the real case, of any node."""
    ring = Grid(3, np.array([0, 1, 2]), np.array([1, 2, 0]), np.ones(3), balance=0)
    assert ring.factors(np.arange(3), np.array([1]))[:, 0] == pytest.approx([-2 / 3, 1 / 3, 1 / 3])
    case = transmission.read()
    nodes, lines = np.array([5, 700]), np.array([3, 40, 2000])
    factors, before = case.grid.factors(lines, nodes), case.grid.flows(case.injection)[lines]
    more = case.injection.copy()
    more[nodes] += [10, -4]
    assert case.grid.flows(more)[lines] - before == pytest.approx(factors @ [10, -4], abs=1e-6)


def test_the_optimum_keeps_every_limit_on_a_real_network():
    asked, _ = transmission.program(transmission.read(), nodes=50, feeders=100, each=5, lines=40)
    answer = optimise(asked)
    assert (answer.node_kw <= asked.high + 1e-6).all() and (answer.kw <= asked.most + 1e-9).all()
    flow = asked.factors @ answer.node_kw
    assert (flow <= asked.line_high + 1.0).all() and (flow >= asked.line_low - 1.0).all()
    assert answer.kw.sum() + answer.missing == pytest.approx(asked.wanted)
    tighter = optimise(replace(asked, high=asked.high / 2))
    assert tighter.kw.sum() <= answer.kw.sum() + 1e-6
