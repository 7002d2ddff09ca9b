"""Feeders and forecasts for tests and benchmarks: the packed public circuits, with days of real customers on them."""

import tempfile
from functools import cache
from pathlib import Path

import numpy as np

from moc.demo.feeders import unpacked
from operations.envelopes.solver.problem import Policy, Request
from operations.network.engine import opendss
from operations.network.engine.controls import ControlledFlow
from operations.network.engine.feeder import FeederModel

REFERENCES = Path(__file__).parent / "references"  # IEEE 13 and 123 in OpenDSS, as the packed ones are in CIM
LOADS_ONLY = ("batchedit pvsystem..* enabled=no", "batchedit storage..* enabled=no")
COMMANDS = {
    "lv28-melbourne": ("batchedit invcontrol..* enabled=no", "batchedit pvsystem..* enabled=no"),
    "ieee13-pv": LOADS_ONLY,
    "ieee123-pv": LOADS_ONLY,
}
SUN = np.maximum(0, np.sin((np.arange(288) - 72) / 144 * np.pi))
VOLTS_230 = {"v_min": 216 / 230, "v_max": 253 / 230}


@cache
def directory() -> Path:
    """Where feeders are unpacked, once a process."""
    return Path(tempfile.mkdtemp(prefix="moc_feeders_"))


def master(name: str | Path) -> Path:
    """The master file of a packed feeder or of a reference; a path is one already."""
    if str(name).endswith("-pv"):
        return REFERENCES / f"{name}.dss"
    return name if isinstance(name, Path) else unpacked(name, directory())


def commands(name: str, head: float | None = None) -> tuple[str, ...]:
    """What OpenDSS is told after a feeder is compiled; head: the source's voltage, per unit, instead of the file's."""
    return COMMANDS.get(str(name), ()) + (() if head is None else (f"edit vsource.source pu={head}",))


@cache
def model(name: str, head: float | None = None) -> FeederModel:
    """A packed feeder as arrays, as its files describe it (inverters and their controls off on LV28)."""
    return opendss.read(master(name), commands=commands(name, head))


@cache
def settled(name: str) -> FeederModel:
    """A packed feeder with its regulators and capacitors where the mean of a day of customers settles them."""
    feeder = model(name).at_constant_power()
    return _at_rest(feeder, flexible(feeder).base_va.mean(1, keepdims=True))


def _at_rest(feeder: FeederModel, leg_va: np.ndarray) -> FeederModel:
    found = ControlledFlow(feeder).solve(leg_va)
    assert found.settled.all()
    return feeder.with_controls(found.taps[0], found.closed[0])


@cache
def customer_days() -> np.ndarray:
    """99 real days of customers, (99, 288) kW at 5 minutes."""
    dss = opendss.engine()
    dss.Basic.ClearAll()
    dss.Text.Command("new circuit.shapes")
    dss.Text.Command(f'redirect "{master("lv28-melbourne").parent / "LoadShapes.txt"}"')
    days = []
    for name in dss.LoadShape.AllNames():
        dss.LoadShape.Name(name)
        if name.startswith("load_shape"):
            days.append(np.array(dss.LoadShape.PMult()))
    return np.stack(days)


def flexible(feeder: FeederModel, *, intervals: int = 288, part: float = 0.3, seed: int = 1, kw: float = 1.0) -> Request:
    """A day on a feeder: every customer kw times a real day, 30 % of the passive ones with 5 kW of sun; part of them active with caps
    of 7.6 or 10 kW export and 11.5 or 14 kW import."""
    rng = np.random.default_rng(seed)
    count, days = len(feeder.points), customer_days() * kw
    columns = np.linspace(0, 288, intervals, endpoint=False).astype(int)
    load = days[rng.integers(0, len(days), count)][:, columns] * 1e3 * (1 + 0.25j)
    active = np.sort(rng.choice(count, int(part * count), replace=False))
    passive = np.setdiff1d(np.arange(count), active)
    sunny = rng.choice(passive, int(0.3 * len(passive)), replace=False)
    load[sunny] -= 5e3 * SUN[columns]
    load[active] = 1j * load[active].imag
    high = np.broadcast_to(rng.choice([7.6e3, 10e3], len(active))[:, None], (len(active), intervals))
    low = np.broadcast_to(-rng.choice([11.5e3, 14e3], len(active))[:, None], (len(active), intervals))
    return Request(feeder, feeder.leg_va(load), active, low, high)


def medium(feeder: FeederModel, *, intervals: int = 10, part: float = 0.5, seed: int = 1) -> Request:
    """A feeder of medium voltage between little load and that of the model; part of its customers may do twice their own either way."""
    rng, count = np.random.default_rng(seed), len(feeder.points)
    load = feeder.point_va[:, None] * np.linspace(0.4, 1, intervals)
    active = np.sort(rng.choice(count, int(part * count), replace=False))
    room = np.repeat(2 * np.abs(feeder.point_va[active])[:, None], intervals, 1)
    load[active] = 1j * load[active].imag
    return Request(feeder, feeder.leg_va(load), active, -room, room)


def melbourne() -> tuple[Request, Policy, dict[str, np.ndarray]]:
    """The request of the University of Melbourne's "Ideal OE" notebook on LV28 and its published limits, kW."""
    folder, feeder = master("lv28-melbourne").parent, model("lv28-melbourne")
    dss = opendss.compile_circuit(master("lv28-melbourne"))
    shapes = {}
    for name in dss.LoadShape.AllNames():
        dss.LoadShape.Name(name)
        shapes[name] = np.array(dss.LoadShape.PMult()), np.array(dss.LoadShape.QMult())
    load, at_bus = np.zeros((len(feeder.points), 288), complex), {}
    for i, point in enumerate(feeder.points):
        dss.Loads.Name(point.split(".", 1)[1])
        p, q = shapes[dss.Loads.Daily().lower()]
        load[i] = feeder.point_va[i].real * p + 1j * feeder.point_va[i].imag * q
        at_bus[feeder.nodes[feeder.leg_from[i]]] = i
    for name in dss.PVsystems.AllNames():
        dss.PVsystems.Name(name)
        dss.Circuit.SetActiveElement(f"pvsystem.{name}")
        load[at_bus[dss.CktElement.BusNames()[0]]] -= 1e3 * dss.PVsystems.Pmpp() * shapes["pvshape1"][0]
    names = np.load(folder / "active_cust_30-15.npy")
    active = np.array([int(np.flatnonzero(feeder.points == f"load.{name}")[0]) for name in names])
    load[active] = 1j * load[active].imag
    volts = np.load(folder / "tx_pri_voltages_day_30-15.npy") * np.exp(1j * np.deg2rad(np.load(folder / "tx_pri_angles_day_30-15.npy")))
    low, high = np.full((len(active), 288), -14e3), np.full((len(active), 288), 10e3)
    request = Request(feeder, feeder.leg_va(load), active, low, high, source_volts=volts)
    return request, Policy("proportional", **VOLTS_230), dict(np.load(folder / "reference_limits_kw.npz"))
