"""What must hold on a feeder whose phases are alike. O4."""

import numpy as np
import pytest

from operations.envelopes.solver.problem import Policy, Request
from operations.envelopes.solver.solve import solve
from operations.network.engine import opendss
from operations.network.engine.feeder import FeederModel

CIRCUIT = """clear
new circuit.balanced bus1=sub basekv=12.47 pu=1.0 r1=0.1 x1=0.5 r0=0.1 x0=0.5
new linecode.mv nphases=3 r1=0.3 x1=0.35 r0=0.6 x0=1 c1=0 c0=0 units=km normamps=60
new linecode.lv nphases=3 r1=0.35 x1=0.08 r0=0.8 x0=0.2 c1=0 c0=0 units=km normamps=190
new line.trunk bus1=sub bus2=mid linecode=mv length=4 units=km
new transformer.north phases=3 windings=2 buses=(mid north) conns=(delta wye) kvs=(12.47 0.4) kvas=(100 100) xhl=4
new transformer.south phases=3 windings=2 buses=(mid south) conns=(delta wye) kvs=(12.47 0.4) kvas=(250 250) xhl=4
new line.n1 bus1=north bus2=n1 linecode=lv length=0.05 units=km
new line.s1 bus1=south bus2=s1 linecode=lv length=0.25 units=km
new line.s2 bus1=s1 bus2=s2 linecode=lv length=0.15 units=km
new load.na bus1=n1 phases=3 kv=0.4 kw=6 pf=0.97
new load.nb bus1=n1 phases=3 kv=0.4 kw=6 pf=0.97
new load.n_passive bus1=n1 phases=3 kv=0.4 kw=6 pf=0.97
new load.sa bus1=s1 phases=3 kv=0.4 kw=6 pf=0.97
new load.sb bus1=s2 phases=3 kv=0.4 kw=6 pf=0.97
new load.s_passive bus1=s2 phases=3 kv=0.4 kw=6 pf=0.97
set voltagebases=[12.47 0.4]
calcv
solve
"""
MORE_KW = np.array([0.0, 2, 5, 10, 20, 40])  # of a passive load, interval by interval
MEMBERS, BINDS = {"north": ("na", "nb"), "south": ("sa", "sb")}, {"north": "transformer.north", "south": "load.s"}


@pytest.fixture(scope="module")
def feeder(tmp_path_factory) -> FeederModel:
    path = tmp_path_factory.mktemp("balanced") / "master.dss"
    path.write_text(CIRCUIT)
    return opendss.read(path)


@pytest.mark.parametrize("robust", [False, True])
@pytest.mark.parametrize("method", ["group", "maximum", "proportional", "equal"])
@pytest.mark.parametrize("group", MEMBERS)
def test_a_passive_load_never_raises_its_groups_import_limit(feeder, group, method, robust):
    """O4: behind a rating and behind a voltage, whatever shares the room."""
    place = {name.removeprefix("load."): number for number, name in enumerate(feeder.points.tolist())}
    active = np.array([place[name] for names in MEMBERS.values() for name in names])
    load = np.repeat(feeder.point_va[:, None], len(MORE_KW), 1).astype(complex)
    load[active] = 1j * load[active].imag
    load[place[f"{group[0]}_passive"]] += MORE_KW * 1e3
    room = np.full((len(active), len(MORE_KW)), 70e3)
    found = solve(Request(feeder, feeder.leg_va(load), active, -room, room), Policy(method, robust=robust)).importing
    rows = [n for n, number in enumerate(active) if number in {place[name] for name in MEMBERS[group]}]
    total = found.push_w[rows].sum(0)
    assert found.checked.all() and (np.diff(total) <= 1e-3 * total[0]).all()
    assert total[-1] < (0.9 if method in ("group", "maximum") else 1.001) * total[0]  # else the other group's bottleneck is everybody's
    if method == "group":
        assert {str(found.row_names[row])[: len(BINDS[group])] for row in found.binding[rows].ravel()} == {BINDS[group]}
