"""The power flow against OpenDSS, which builds the same circuits with its own solver. O1."""

import numpy as np
import pytest

from operations.network.engine import opendss
from operations.network.engine.controls import ControlledFlow
from operations.network.engine.feeder import FeederModel
from operations.network.engine.powerflow import PowerFlow
from tests.operations import feeders

AGREED = 1e-5  # per unit
NAMES = ["lv28-melbourne", "european-lv", "epri-ckt5", "ieee8500"]
METHODS = [pytest.param(np.float64, True, id="f64"), pytest.param(np.float32, True, id="f32"), pytest.param(np.float64, False, id="scipy")]


def difference(feeder: FeederModel, nodes: np.ndarray) -> float:
    """Largest difference of voltage magnitudes from OpenDSS's present solution, per unit."""
    dss = opendss.engine()
    order = {node.lower(): i for i, node in enumerate(dss.Circuit.YNodeOrder())}
    theirs = np.asarray(dss.Circuit.YNodeVArray()).view(complex)[[order[node] for node in feeder.nodes]]
    return float(np.max(np.abs(np.abs(nodes) - np.abs(theirs)) / feeder.node_volts))


@pytest.mark.parametrize("name", NAMES)
def test_agrees_with_opendss_as_the_model_stands(name):
    """O1: voltage-dependent loads, taps and capacitors where OpenDSS settled them."""
    feeder = opendss.read(feeders.master(name), commands=feeders.commands(name))
    for dtype, native in ((np.float64, True), (np.float32, True), (np.float64, False)):
        found = PowerFlow(feeder, dtype=dtype, native=native).solve(feeder.leg_va()[:, None], nodes=True)
        assert found.converged.all()
        assert difference(feeder, found.nodes[:, 0]) <= AGREED


@pytest.mark.parametrize("dtype, native", METHODS)
def test_what_did_not_converge_is_no_result(dtype, native):
    """O1: an interval without a solution holds no number, and its neighbours are untouched."""
    feeder = feeders.model("european-lv").at_constant_power()
    ordinary = feeder.leg_va()[:, None]
    found = PowerFlow(feeder, dtype=dtype, native=native).solve(ordinary * [1, 400, 2])
    assert found.converged.tolist() == [True, False, True]
    assert np.isnan(found.legs[:, 1]).all() and np.isfinite(found.legs[:, [0, 2]]).all()
    alone = PowerFlow(feeder, dtype=dtype, native=native).solve(ordinary)
    assert np.allclose(found.legs[:, 0], alone.legs[:, 0], rtol=1e-5)


def test_regulators_and_capacitors_move_until_opendss_too_leaves_them():
    """O1: IEEE 8500 from neutral taps with its capacitors closed: OpenDSS, given our state with its own controls on, moves nothing and
    has the same voltages."""
    feeder = opendss.read(feeders.master("ieee8500"))
    neutral = feeder.with_controls(np.ones(len(feeder.regulators)), np.ones(len(feeder.capacitors), bool))
    found = ControlledFlow(neutral).solve(neutral.leg_va()[:, None])
    assert found.settled.all() and found.moves > 2
    dss = opendss.engine()
    for control, tap in zip(feeder.regulators, found.taps[0]):
        dss.Text.Command(f"edit {feeder.element_names[control['element']]} wdg={control['tap_winding']} tap={tap:.8f}")
    for control, closed in zip(feeder.capacitors, found.closed[0]):
        dss.Text.Command(f"edit {feeder.element_names[control['element']]} states=[{int(closed)}]")
    dss.Solution.Solve()
    moved = []
    for control, tap in zip(feeder.regulators, found.taps[0]):
        dss.Transformers.Name(feeder.element_names[control["element"]].split(".")[1])
        dss.Transformers.Wdg(control["tap_winding"])
        moved.append(abs(dss.Transformers.Tap() - tap))
    assert max(moved) < 1e-6
    assert difference(feeder, found.nodes[:, 0]) <= AGREED


def test_every_interval_settles_on_its_own():
    """O1: a night and an evening on the same feeder end at different taps, each as if it were alone."""
    feeder = feeders.model("ieee8500")
    both = ControlledFlow(feeder).solve(feeder.leg_va()[:, None] * [1.0, 0.8])
    night = ControlledFlow(feeder).solve(feeder.leg_va()[:, None] * [0.8])
    assert both.settled.all() and (both.taps[0] != both.taps[1]).any()
    assert (both.taps[1] == night.taps[0]).all() and (both.closed[1] == night.closed[0]).all()


def test_arrays_survive_a_file_and_the_hash_sees_a_rating(tmp_path):
    """O1: the file that the solver reads is the model; the topology hash changes with what decides a flow and with nothing else."""
    feeder = feeders.model("european-lv")
    feeder.save(tmp_path / "feeder.npz")
    stored = FeederModel.load(tmp_path / "feeder.npz")
    assert stored.topology_hash == feeder.topology_hash and stored.name == feeder.name
    assert np.array_equal(stored.ybus.toarray(), feeder.ybus.toarray())
    opened = feeder.in_service.copy()
    opened[5] = False
    assert feeder.with_service(opened).topology_hash != feeder.topology_hash


def test_behind_an_open_line_nothing_is_alive():
    """O1: an outage leaves its points without voltage and the rest of the feeder with a solution."""
    feeder = feeders.model("european-lv").at_constant_power()
    opened = feeder.in_service.copy()
    opened[int(np.flatnonzero(feeder.element_names == "line.line300")[0])] = False
    broken = feeder.with_service(opened)
    dead = ~broken.alive[broken.leg_from]
    assert 0 < dead.sum() < len(dead)
    found = PowerFlow(broken).solve(broken.leg_va()[:, None])
    assert found.converged.all()
    assert (found.legs[dead] == 0).all() and (np.abs(found.legs[~dead]) > 200).all()


def test_an_element_that_cannot_be_said_in_arrays_is_refused(tmp_path):
    """O1: never a flow of half a circuit."""
    circuit = tmp_path / "odd.dss"
    circuit.write_text(
        "clear\nnew circuit.odd basekv=12.47\nnew line.l bus1=sourcebus bus2=b length=1\nnew load.x bus1=b kv=12.47 kw=10 model=7\n"
        "set voltagebases=[12.47]\ncalcvoltagebases\n"
    )
    with pytest.raises(opendss.UnreadableCircuit, match="load model 7"):
        opendss.read(circuit)
