"""Feeders of other shapes than the shared ones, written here and read from OpenDSS's text: agreed with OpenDSS, or refused by name. O1."""

import numpy as np
import pytest

from operations.network import importers, rules
from operations.network.engine.controls import ControlledFlow
from operations.network.engine.powerflow import PowerFlow
from tests.operations.network.test_power_flow import AGREED, METHODS, difference

LINE = "r1=0.3 x1=0.6 r0=0.7 x0=1.9 c1=4 c0=2 units=km"
MODELS = {1: "", 2: "", 3: "", 4: "cvrwatts=0.8 cvrvars=2", 5: "", 8: "zipv=(0.3 0.3 0.4 0.2 0.5 0.3 0)"}


def circuit(*lines: str, kv: str = "12.47", pu: float = 1.0, bases: str = "12.47") -> str:
    """A circuit with a source at bus src and a three-phase line from there to bus a."""
    head = f"clear\nnew circuit.shape basekv={kv} pu={pu} bus1=src r1=0.1 x1=0.5 r0=0.2 x0=0.8"
    trunk = f"new line.trunk bus1=src bus2=a phases=3 length=4 {LINE}"
    return "\n".join([head, trunk, *lines, f"set voltagebases=[{bases}]", "calcvoltagebases", ""])


SPLIT_PHASE = circuit(
    f"new line.lateral bus1=a.2 bus2=b.2 phases=1 length=2 {LINE}",
    "new transformer.x1 phases=1 windings=3 buses=(b.2 lo.1.0 lo.0.2) kvs=(7.2 .12 .12) kvas=(50 50 50) %rs=(.6 1 1) xhl=2 xht=2 xlt=1.4",
    "new transformer.x2 phases=1 windings=3 buses=(a.3 lp.1.0 lp.0.2) kvs=(7.2 .12 .12) kvas=(25 12 12) %rs=(.6 1 1) xhl=2 xht=2 xlt=1.4",
    "new linecode.tri nphases=2 rmatrix=(.9 | .3 .9) xmatrix=(.4 | .25 .4) units=km",
    "new line.service bus1=lo.1.2 bus2=home.1.2 phases=2 linecode=tri length=.05 units=km",
    "new load.a bus1=home.1.0 phases=1 kv=.12 kw=6 kvar=1",
    "new load.b bus1=home.2.0 phases=1 kv=.12 kw=2 kvar=.5",
    "new load.c bus1=home.1.2 phases=1 kv=.24 kw=10 kvar=3",
    "new load.d bus1=lp.1.2 phases=2 conn=wye kv=.208 kw=7 kvar=2",
    bases="12.47 .208",
)
OPEN_DELTA = circuit(
    "new transformer.sub phases=3 windings=2 buses=(a s) conns=(delta delta) kvs=(69 4.8) kvas=(5000 5000) xhl=8 %r=.5",
    "new transformer.ra phases=1 windings=2 buses=(s.1.2 r.1.2) conns=(delta delta) kvs=(4.8 4.8) kvas=(2000 2000) xhl=.1 %r=.01",
    "new regcontrol.ra transformer=ra winding=2 vreg=122 band=2 ptratio=40 ctprim=350 r=1.5 x=3",
    "new transformer.rc phases=1 windings=2 buses=(s.3.2 r.3.2) conns=(delta delta) kvs=(4.8 4.8) kvas=(2000 2000) xhl=.1 %r=.01",
    "new regcontrol.rc transformer=rc winding=2 vreg=122 band=2 ptratio=40 ctprim=350 r=1.5 x=3",
    "new line.jumper phases=1 bus1=s.2 bus2=r.2 r1=.0001 x1=0 r0=.0001 x0=0 c1=0 c0=0 length=1",
    f"new line.out bus1=r bus2=b phases=3 length=1.5 {LINE}",
    "new load.d1 bus1=b.1.2 phases=1 conn=delta kv=4.8 kw=300 kvar=150",
    "new load.d2 bus1=b.2.3 phases=1 conn=delta kv=4.8 kw=180 kvar=60 model=2",
    "new load.d3 bus1=b.3.1 phases=1 conn=delta kv=4.8 kw=220 kvar=100 model=5",
    "new load.d4 bus1=b phases=3 conn=delta kv=4.8 kw=400 kvar=180",
    kv="69",
    bases="69 4.8",
)
DELTA_BANK = circuit(
    "new transformer.dd phases=3 windings=2 buses=(a b) conns=(delta delta) kvs=(12.47 .48) kvas=(500 500) xhl=4 %r=.6",
    *(
        f"new transformer.u{i} phases=1 windings=2 buses=(a.{i}.{j} c.{i}.{j}) conns=(delta delta) kvs=(12.47 .48) kvas=(99 99) xhl={2 + i}"
        for i, j in ((1, 2), (2, 3), (3, 1))
    ),
    "new load.m bus1=b phases=3 conn=delta kv=.48 kw=250 kvar=120",
    "new load.m1 bus1=b.1.2 phases=1 conn=delta kv=.48 kw=40 kvar=10",
    "new load.c1 bus1=c.1.2 phases=1 kv=.48 kw=50 kvar=10",
    "new load.c2 bus1=c.2.3.1 phases=2 conn=delta kv=.48 kw=60 kvar=20",
    bases="12.47 .48",
)
AUTO = circuit(
    f"new line.lateral bus1=a.1 bus2=b.1 phases=1 length=6 {LINE}",
    "new autotrans.one phases=1 windings=2 buses=(b.1 c.1) kvs=(7.2 4.16) kvas=(500 500) xhx=4 %loadloss=.5",
    "new autotrans.three phases=3 windings=2 buses=(a d) kvs=(12.47 4.16) kvas=(2000 2000) xhx=4 %loadloss=.5",
    "new load.z bus1=c.1 phases=1 kv=4.16 kw=60 kvar=20 model=2",
    "new load.zip bus1=c.1 phases=1 kv=4.16 kw=80 kvar=20 model=8 zipv=(.3 .3 .4 .2 .5 .3 0)",
    "new load.d bus1=d.2 phases=1 kv=2.4 kw=300 kvar=30",
    bases="12.47 7.2 4.16",
)
STEERED = circuit(
    "new load.l bus1=a phases=3 kv=12.47 kw=500 kvar=100",
    "new xycurve.vv npts=4 yarray=(1 0 0 -1) xarray=(.92 .98 1.02 1.08)",
    "new pvsystem.three bus1=a phases=3 kv=12.47 kva=2500 pmpp=2000 irradiance=1",
    "new pvsystem.one bus1=a.2 phases=1 kv=7.2 kva=100 pmpp=90 irradiance=.8",
    "new invcontrol.steers mode=voltvar vvc_curve1=vv derlist=(pvsystem.three) deltaQ_factor=.3",
    "new storage.st bus1=a phases=3 kv=12.47 kwrated=200 kwhrated=400 state=discharging %discharge=50",
    "new generator.g bus1=a phases=3 kv=12.47 kw=300 pf=.95 model=1",
    pu=1.04,
)
OPEN_PHASE = circuit(
    "new line.sw bus1=a bus2=b phases=3 switch=yes",
    f"new line.more bus1=b bus2=c phases=3 length=2 {LINE}",
    "open line.sw 2 1",
    "new load.three bus1=c phases=3 kv=12.47 kw=700 kvar=200",
    "new load.fixed bus1=c.2 phases=1 kv=7.2 kw=100 kvar=20 status=fixed",
    "new load.exempt bus1=c.3 phases=1 kv=7.2 kw=90 kvar=20 status=exempt",
    "new capacitor.c bus1=c phases=3 kv=12.47 kvar=300",
    "set loadmult=.5",
)
TWO_PHASES = "\n".join(
    [
        "clear\nnew circuit.two basekv=12.47 pu=1 phases=2 bus1=src.1.2 r1=.1 x1=.5 r0=.2 x0=.8",
        f"new line.l bus1=src.1.2 bus2=a.1.2 phases=2 length=2 {LINE}",
        "new load.d bus1=a.1 phases=1 kv=7.2 kw=500 kvar=100\nset voltagebases=[12.47]\ncalcvoltagebases\n",
    ]
)
SHAPES = {
    "split-phase": SPLIT_PHASE,
    "open-delta": OPEN_DELTA,
    "delta-bank": DELTA_BANK,
    "autotransformers": AUTO,
    "steered": STEERED,
    "open-phase": OPEN_PHASE,
    "two-phases": TWO_PHASES,
    **{
        f"loads-at-{pu}": circuit(
            *(f"new load.m{model} bus1=a phases=3 kv=12.47 kw=100 kvar=40 model={model} {more}" for model, more in MODELS.items()),
            "new load.delta bus1=a.1.2 phases=1 conn=delta kv=12.47 kw=50 kvar=5 model=3",
            pu=pu,
        )
        for pu in (1.14, 0.86, 0.45)
    },
}


def read(tmp_path, text: str):
    path = tmp_path / "shape.dss"
    path.write_text(text)
    return importers.read(path, name=path.name, source="opendss")


@pytest.mark.parametrize("name", SHAPES)
def test_agrees_with_opendss_on_other_shapes(name, tmp_path):
    """O1: at every point by all three methods; at every node in double precision (of an ungrounded delta single precision knows only what
    lies between its wires, which is what its points see)."""
    feeder = read(tmp_path, SHAPES[name])
    for dtype, native in (each.values for each in METHODS):
        found = PowerFlow(feeder, dtype=dtype, native=native).solve(feeder.leg_va()[:, None], nodes=True)
        assert found.converged.all()
        if dtype is np.float64:
            assert difference(feeder, found.nodes[:, 0]) <= AGREED
            exact = np.abs(found.legs[:, 0])
        else:
            single = np.abs(found.legs[:, 0])
    assert np.max(np.abs(single - exact) / feeder.leg_volts) <= AGREED


REGULATED = (
    "new transformer.reg phases=3 windings=2 buses=(a b) conns=({0} {0}) kvs=(12.47 12.47) kvas=(5000 5000) xhl=.1 %r=.01",
    f"new line.out bus1=b bus2=c phases=3 length=4 {LINE}",
    "new load.one bus1=c.{1} phases=1 conn={0} kv={2} kw=500 kvar=100",
    "new load.three bus1=c phases=3 conn={0} kv=12.47 kw=900 kvar=200",
    "new regcontrol.rc transformer=reg winding=2 vreg=122 band=2 ptratio={3} ctprim=300 {4}",
)


@pytest.mark.parametrize(
    "facts",
    [
        ("wye", "1", "7.2", "60", "r=2 x=4"),
        ("wye", "1", "7.2", "60", "ptphase=3"),
        ("wye", "1", "7.2", "60", "bus=c.1"),
        ("delta", "1.2", "12.47", "104", ""),
    ],
    ids=["drop", "third", "bus", "delta"],
)
def test_a_regulator_rests_where_opendss_leaves_it(facts, tmp_path):
    """O1: by line drop, another phase, another bus, between wires of a delta; and what it moved to by itself is a rest of OpenDSS's too."""
    feeder = read(tmp_path, circuit(*(line.format(*facts) for line in REGULATED)))
    (control,) = feeder.regulators
    assert control["tap"] > 1 and not len(feeder.held)
    here = ControlledFlow(feeder).solve(feeder.leg_va()[:, None])
    assert here.settled.all() and here.taps[0, 0] == pytest.approx(control["tap"])
    moved = ControlledFlow(feeder.with_controls(np.ones(1), np.zeros(0, bool))).solve(feeder.leg_va()[:, None])
    assert moved.settled.all() and moved.taps[0, 0] == pytest.approx(control["tap"], abs=1.01 * control["tap_step"])


@pytest.mark.parametrize(
    "more, why", [("ptphase=max", "highest"), ("reversible=yes", "turns round"), ("vlimit=121", "limit of its own voltage")]
)
def test_a_control_that_is_not_simulated_is_held_and_named(more, why, tmp_path):
    """O1: its transformer stays at the tap where OpenDSS's control left it, and a finding says so."""
    feeder = read(tmp_path, circuit(*(line.format("wye", "1", "7.2", "60", more) for line in REGULATED)))
    assert not len(feeder.regulators)
    ((name, said),) = feeder.held.tolist()
    assert name == "regcontrol.rc" and why in said
    ((element, rule, value),) = [each for each in rules.check(feeder, None, set()) if each[1] is rules.HELD]
    assert (element, value) == (name, said)
    assert read(tmp_path, STEERED).held[0, 0] == "invcontrol.steers"


@pytest.mark.parametrize(
    "line, named",
    [
        ("new load.loose bus1=a.1.2.3.4 phases=3 kv=12.47 kw=500", "load.loose: its neutral a.4"),
        ("new load.odd bus1=a phases=3 kv=12.47 kw=500 model=7", "Load.odd: load model 7|load.odd: load model 7"),
        ("new generator.stiff bus1=a phases=3 conn=delta kv=12.47 kw=900 model=2", "generator.stiff: read as it is understood"),
        ("new isource.i bus1=a amps=5", "class isource"),
    ],
)
def test_what_is_not_understood_is_refused_by_name(line, named, tmp_path):
    """O1: never a flow that OpenDSS does not have."""
    uneven = "new load.uneven bus1=a.1 phases=1 kv=7.2 kw=1500 kvar=300"
    with pytest.raises(importers.NetworkRefused, match=named):
        read(tmp_path, circuit(uneven, line))


def test_a_bar_of_nearly_no_impedance_is_read(tmp_path):
    """O1: it leaves OpenDSS's own solution fewer digits than we agree to; every point draws the same, so nothing was misunderstood."""
    bar = "new line.bar bus1=a bus2=b phases=3 length=1e-7 r1=1e-4 x1=1e-4 r0=1e-4 x0=1e-4 c1=0 c0=0"
    assert "line.bar" in read(tmp_path, circuit(bar, "new load.far bus1=b phases=3 kv=12.47 kw=500 kvar=200")).element_names
