"""Transformers of a CIM document, of ends or of tanks, with their tap changers, as OpenDSS's objects."""

import math
from dataclasses import dataclass

from operations.network.importers.cim_circuit import PHASES, Circuit
from operations.network.importers.cim_objects import Thing, Unreadable

PAIRS = {(1, 2): "xhl", (1, 3): "xht", (2, 3): "xlt"}
STEPS = 32  # of a tap changer that does not say


@dataclass
class _Winding:
    """One winding: the end in the document, its bus with nodes, connection, rated volts and VA, resistance in ohm."""

    end: Thing
    bus: str
    conn: str
    volts: float
    va: float
    ohm: float

    @property
    def base(self) -> float:
        return self.volts**2 / self.va


def write(circuit: Circuit, transformer: Thing) -> list[str]:
    """A transformer: one element for three phases, or one for each of its tanks."""
    model = circuit.model
    tanks = model.of("TransformerTank.PowerTransformer", transformer)
    if tanks:
        return [line for tank in tanks for line in _tank(circuit, tank)]
    ends = _in_order(model.of("PowerTransformerEnd.PowerTransformer", transformer))
    windings = [_winding(circuit, end) for end in ends]
    between = {}
    for n, winding in enumerate(windings, 1):
        for mesh in model.of("TransformerMeshImpedance.FromTransformerEnd", winding.end):
            other = ends.index(model.at(mesh, "TransformerMeshImpedance.ToTransformerEnd")) + 1
            between[min(n, other), max(n, other)] = mesh.number("TransformerMeshImpedance.x") / winding.base
    cores = [core for each in windings for core in model.of("TransformerCoreAdmittance.TransformerEnd", each.end)]
    core = ""
    if cores:
        base = next(each.base for each in windings if model.at(cores[0], "TransformerCoreAdmittance.TransformerEnd") is each.end)
        lost, drawn = (abs(cores[0].number(f"TransformerCoreAdmittance.{key}", 0.0)) * base * 100 for key in "gb")
        core = f"%noloadloss={lost!r} %imag={drawn!r}"
    lead = "leadlag=lead" if ends[-1].number("PowerTransformerEnd.phaseAngleClock", 0) in (11, 5) else ""
    return _element(circuit, transformer, 3, windings, between, f"{core} {lead}")


def _in_order(ends: list[Thing]) -> list[Thing]:
    return sorted(ends, key=lambda end: end.number("TransformerEnd.endNumber"))


def _winding(circuit: Circuit, end: Thing) -> _Winding:
    """A three-phase winding; an ungrounded wye has a neutral of its own."""
    kind, grounded = end.last("PowerTransformerEnd.connectionKind"), end.values.get("TransformerEnd.grounded", "true").lower() == "true"
    if kind not in ("D", "Y", "Yn"):
        raise Unreadable(f"PowerTransformerEnd {end.name[:80]}: winding connection {kind or 'unknown'} cannot be read.")
    bus = circuit.bus_at(circuit.model.at(end, "TransformerEnd.Terminal"))
    nodes = ".1.2.3" if kind == "D" else ".1.2.3.0" if grounded else ".1.2.3.4"
    volts, va = end.number("PowerTransformerEnd.ratedU"), end.number("PowerTransformerEnd.ratedS")
    return _Winding(end, bus + nodes, "delta" if kind == "D" else "wye", volts, va, end.number("PowerTransformerEnd.r", 0.0))


def _tank(circuit: Circuit, tank: Thing) -> list[str]:
    model = circuit.model
    info = model.at(tank, "TransformerTank.TransformerTankInfo")
    data = {int(each.number("TransformerEndInfo.endNumber")): each for each in model.of("TransformerEndInfo.TransformerTankInfo", info)}
    windings = []
    for end in _in_order(model.of("TransformerTankEnd.TransformerTank", tank)):
        sheet = data.get(int(end.number("TransformerEnd.endNumber")))
        if sheet is None:
            raise Unreadable(f"TransformerTank {tank.name[:80]}: its data sheet lacks an end.")
        bus = circuit.bus_at(model.at(end, "TransformerEnd.Terminal")) + _nodes(end)
        conn = "delta" if sheet.last("TransformerEndInfo.connectionKind") == "D" else "wye"
        rated = sheet.number("TransformerEndInfo.ratedU"), sheet.number("TransformerEndInfo.ratedS"), sheet.number("TransformerEndInfo.r")
        windings.append(_Winding(end, bus, conn, *rated))
    between = {pair: _leakage(circuit, data, windings, *pair) for pair in PAIRS if pair[1] <= len(windings)}
    phases = 3 if windings and windings[0].bus.count(".") > 2 else 1
    return _element(circuit, tank, phases, windings, between, _core(circuit, data))


def _nodes(end: Thing) -> str:
    """The nodes of a tank's end: AN is .1.0, Ns2 is .0.2, AB is .1.2."""
    said = end.last("TransformerTankEnd.orderedPhases")
    nodes, rest = "", said
    while rest:
        phase = next((each for each in (*PHASES, "N") if rest.startswith(each)), None)
        if phase is None:
            raise Unreadable(f"TransformerTankEnd {end.name[:80]}: phases {said[:20]} cannot be read.")
        nodes, rest = f"{nodes}.{PHASES.get(phase, 0)}", rest[len(phase) :]
    if not nodes:
        raise Unreadable(f"TransformerTankEnd {end.name[:80]}: it has no phases.")
    return nodes


def _leakage(circuit: Circuit, data: dict[int, Thing], windings: list[_Winding], first: int, second: int) -> float:
    """The reactance between two windings, per unit, of the short-circuit test: its impedance and loss (kW)."""
    for n, other in ((first, second), (second, first)):
        for test in circuit.model.of("ShortCircuitTest.EnergisedEnd", data[n]):
            if test.values.get("ShortCircuitTest.GroundedEnds") == data[other].id:
                base = windings[n - 1].base
                whole = test.number("ShortCircuitTest.leakageImpedance") / base
                lost = test.number("ShortCircuitTest.loss", 0.0) * 1e3 / windings[n - 1].va
                return math.sqrt(max(whole**2 - lost**2, 0.0))
    raise Unreadable(f"TransformerTankInfo of {windings[0].end.name[:80]}: no short-circuit test between windings {first} and {second}.")


def _core(circuit: Circuit, data: dict[int, Thing]) -> str:
    """What the no-load test says: exciting current and loss (kW), of which the magnetising part is the rest."""
    for sheet in data.values():
        for test in circuit.model.of("NoLoadTest.EnergisedEnd", sheet):
            lost = 100 * test.number("NoLoadTest.loss", 0.0) * 1e3 / sheet.number("TransformerEndInfo.ratedS")
            drawn = math.sqrt(max(test.number("NoLoadTest.excitingCurrent", 0.0) ** 2 - lost**2, 0.0))
            return f"%noloadloss={lost!r} %imag={drawn!r}"
    return ""


def _element(circuit: Circuit, thing: Thing, phases: int, windings: list[_Winding], between: dict, more: str) -> list[str]:
    """The transformer, its taps and the controls that move them."""
    if len(windings) < 2 or any(pair not in between for pair in PAIRS if pair[1] <= len(windings)):
        raise Unreadable(f"{thing.kind} {thing.name[:80]}: it needs two or three windings and the impedances between them.")
    name = circuit.named(thing)
    columns = {
        "buses": [each.bus for each in windings],
        "conns": [each.conn for each in windings],
        "kvs": [repr(each.volts / 1e3) for each in windings],
        "kvas": [repr(each.va / 1e3) for each in windings],
        "%rs": [repr(100 * each.ohm / each.base) for each in windings],
    }
    said = " ".join(f"{key}=({' '.join(values)})" for key, values in columns.items())
    reactances = " ".join(f"{PAIRS[pair]}={100 * value!r}" for pair, value in sorted(between.items()))
    lines = [f"new transformer.{name} phases={phases} windings={len(windings)} {said} {reactances} {more}"]
    for number, winding in enumerate(windings, 1):
        for changer in circuit.model.of("RatioTapChanger.TransformerEnd", winding.end):
            lines += _changer(circuit, changer, name, number)
    return lines


def _changer(circuit: Circuit, changer: Thing, name: str, winding: int) -> list[str]:
    """Where a tap stands, how far it goes, and its control where one is enabled."""
    neutral, step = changer.number("TapChanger.neutralStep", 0), changer.number("RatioTapChanger.stepVoltageIncrement") / 100
    low, high = changer.number("TapChanger.lowStep", -STEPS / 2), changer.number("TapChanger.highStep", STEPS / 2)
    tap, least, most = (1 + (at - neutral) * step for at in (changer.number("TapChanger.step", neutral), low, high))
    lines = [f"edit transformer.{name} wdg={winding} tap={tap!r} mintap={least!r} maxtap={most!r} numtaps={int(high - low)}"]
    control = circuit.model.things.get(changer.values.get("TapChanger.TapChangerControl", ""))
    if control is None or control.values.get("RegulatingControl.enabled", "true").lower() != "true":
        return lines
    drop = ""
    if control.values.get("TapChangerControl.lineDropCompensation", "").lower() == "true":
        drop = f"r={control.number('TapChangerControl.lineDropR', 0.0)!r} x={control.number('TapChangerControl.lineDropX', 0.0)!r}"
    target, band = control.number("RegulatingControl.targetValue"), control.number("RegulatingControl.targetDeadband")
    ratios = f"ptratio={changer.number('TapChanger.ptRatio', 1)!r} ctprim={changer.number('TapChanger.ctRating', 1)!r}"
    delay = f"delay={changer.number('TapChanger.initialDelay', 15)!r} tapdelay={changer.number('TapChanger.subsequentDelay', 2)!r}"
    phase = PHASES.get(control.last("RegulatingControl.monitoredPhase"), 1)
    made = f"new regcontrol.{circuit.named(changer)} transformer={name} winding={winding} vreg={target!r} band={band!r}"
    return [*lines, f"{made} {ratios} {drop} {delay} ptphase={phase}"]
