"""CIM100 RDF/XML (IEC 61970-301 and 61968-11, the profile of distribution feeders) made into OpenDSS's objects.

Read are energy sources, lines, switches, transformers of ends or tanks with their tap changers, linear shunt compensators with their
controls, consumers and power electronics; other conducting equipment refuses the whole. CIM has no voltage below which a constant power
gives way: loads keep their response down to 0.7 and up to 1.3 per unit. Points bear the name of the UsagePoint at their equipment, or
their own."""

import math
import re
from pathlib import Path

from operations.network.importers import cim_capacitors, cim_transformers
from operations.network.importers.cim_circuit import SWITCHES, Circuit, points_of
from operations.network.importers.cim_objects import Model, Thing, Unreadable, read

RANGE = "vminpu=0.7 vmaxpu=1.3"
CLOSED = "switch=y r1=1e-4 r0=1e-4 x1=0 x0=0 c1=0 c0=0"
HERTZ = 60
RESPONSES = ("Impedance", "Current", "Power")
MODELS = {("Power", "Power"): 1, ("Impedance", "Impedance"): 2, ("Power", "Impedance"): 3, ("Current", "Current"): 5}


def unpack(path: Path, name: str, folder: Path) -> Path:
    """Writes the OpenDSS circuit of a CIM document and returns it. Raises Unreadable naming the object."""
    circuit = Circuit(read(path))
    model = circuit.model
    (source, *more) = model.classes["EnergySource"] or [None]
    if source is None or more:
        raise Unreadable("The document needs exactly one EnergySource.")
    lines = ["clear", _source(circuit, source)]
    for kind, write in WRITERS.items():
        for thing in model.classes[kind]:
            lines += write(circuit, thing)
    circuit.require_all_read({"EnergySource", *WRITERS})
    lines += cim_capacitors.controls(circuit)
    volts = sorted({base.number("BaseVoltage.nominalVoltage") / 1e3 for base in model.classes["BaseVoltage"]}, reverse=True)
    lines += [f"set voltagebases=[{' '.join(map(repr, volts))}]", "calcvoltagebases", "buscoords buses.csv"]
    (folder / "buses.csv").write_text("".join(f"{bus},{x!r},{y!r}\n" for bus, (x, y) in circuit.places().items()))
    master = folder / "circuit.dss"
    master.write_text("\n".join([*lines, ""]))
    return master


def _source(circuit: Circuit, source: Thing) -> str:
    nominal = source.number("EnergySource.nominalVoltage")
    one, zero = ([source.number(f"EnergySource.{part}{order}", 0.0) for part in "rx"] for order in ("", "0"))
    angle = math.degrees(source.number("EnergySource.voltageAngle", 0.0))
    volts = f"basekv={nominal / 1e3!r} pu={source.number('EnergySource.voltageMagnitude', nominal) / nominal!r} angle={angle!r}"
    name = circuit.named(source)
    return f"new circuit.{name} bus1={circuit.buses(source)[0]} phases=3 {volts} z1={one} z0={zero}"


def _line(circuit: Circuit, line: Thing) -> list[str]:
    phases = circuit.phases(line, "ACLineSegmentPhase", "ACLineSegment", "ACLineSegmentPhase.phase")
    length = line.number("Conductor.length")
    if "ACLineSegment.PerLengthImpedance" in line.values:
        per_length = circuit.model.at(line, "ACLineSegment.PerLengthImpedance")
        if per_length.kind == "PerLengthPhaseImpedance":
            impedance = _matrices(circuit.model, per_length, len(phases))
        else:
            impedance = _sequence(per_length, "PerLengthSequenceImpedance")
    else:
        impedance, length = _sequence(line, "ACLineSegment"), 1.0
    return [f"new line.{circuit.named(line)} {circuit.two(line, phases)} {impedance} length={length!r} units=m {circuit.rating(line)}"]


def _matrices(model: Model, per_length: Thing, count: int) -> str:
    """Lower triangles of resistance, reactance and capacitance."""
    found = {key: [[0.0] * count for _ in range(count)] for key in "rxb"}
    for cell in model.of("PhaseImpedanceData.PhaseImpedance", per_length):
        row, column = (int(cell.number(f"PhaseImpedanceData.{key}")) - 1 for key in ("row", "column"))
        if not (0 <= row < count and 0 <= column < count):
            raise Unreadable(f"PerLengthPhaseImpedance {per_length.name[:80]}: it has more conductors than a line that uses it.")
        for key in "rxb":
            found[key][row][column] = found[key][column][row] = cell.number(f"PhaseImpedanceData.{key}", 0.0)
    found["c"] = [[value / (2 * math.pi * HERTZ) * 1e9 for value in row] for row in found["b"]]
    said = {key: " | ".join(" ".join(map(repr, row[: i + 1])) for i, row in enumerate(found[key])) for key in "rxc"}
    return f"rmatrix=({said['r']}) xmatrix=({said['x']}) cmatrix=({said['c']})"


def _sequence(thing: Thing, kind: str) -> str:
    r1, x1, b1 = (thing.number(f"{kind}.{key}", 0.0) for key in ("r", "x", "bch"))
    r0, x0, b0 = (thing.number(f"{kind}.{key}", default) for key, default in (("r0", r1), ("x0", x1), ("b0ch", b1)))
    c1, c0 = (value / (2 * math.pi * HERTZ) * 1e9 for value in (b1, b0))
    return f"r1={r1!r} x1={x1!r} r0={r0!r} x0={x0!r} c1={c1!r} c0={c0!r}"


def _switch(circuit: Circuit, switch: Thing) -> list[str]:
    phases = circuit.phases(switch, "SwitchPhase", "Switch", "SwitchPhase.phaseSide1")
    name = circuit.named(switch)
    made = [f"new line.{name} {circuit.two(switch, phases)} {CLOSED} {circuit.rating(switch)}"]
    return [*made, f"open line.{name} 1"] if switch.values.get("Switch.open", "false").lower() == "true" else made


def _consumer(circuit: Circuit, consumer: Thing) -> list[str]:
    of_phase = circuit.of_phases(consumer, "EnergyConsumerPhase", "EnergyConsumer", "EnergyConsumerPhase.phase")
    whole = complex(consumer.number("EnergyConsumer.p", 0.0), consumer.number("EnergyConsumer.q", 0.0))
    given = {
        n: complex(each.number("EnergyConsumerPhase.p", 0.0), each.number("EnergyConsumerPhase.q", 0.0)) for n, each in of_phase.items()
    }
    delta = consumer.last("EnergyConsumer.phaseConnection") == "D"
    bus, name = circuit.buses(consumer)[0], circuit.named(consumer, point=True)
    volts = circuit.model.at(consumer, "ConductingEquipment.BaseVoltage").number("BaseVoltage.nominalVoltage")
    said = f"{_response(circuit.model, consumer)} {RANGE} status=variable"
    powers = list(given.values())
    if not powers or all(abs(power - powers[0]) <= 1e-3 * abs(powers[0]) for power in powers):
        return [
            f"new load.{name} {_shunt(bus, sorted(given) or [1, 2, 3], delta, volts)} {_power(sum(powers) if powers else whole)} {said}"
        ]
    one_by_one = given.items()
    return [f"new load.{name}_{'abc'[n - 1]} {_shunt(bus, [n], delta, volts)} {_power(power)} {said}" for n, power in one_by_one]


def _shunt(bus: str, phases: list[int], delta: bool, volts: float) -> str:
    """Bus, phases, connection and nominal kV (line to line, but for one phase to ground) of a load or generator."""
    kv = volts / 1e3 if delta or len(phases) > 1 else volts / 1e3 / math.sqrt(3)
    return f"bus1={points_of(bus, phases, delta)} phases={len(phases)} conn={'delta' if delta else 'wye'} kv={kv!r}"


def _power(power: complex) -> str:
    return f"kw={power.real / 1e3!r} kvar={power.imag / 1e3!r}"


def _response(model: Model, consumer: Thing) -> str:
    """OpenDSS's load model of a LoadResponseCharacteristic; constant power where there is none."""
    if "EnergyConsumer.LoadResponse" not in consumer.values:
        return "model=1"
    response = model.at(consumer, "EnergyConsumer.LoadResponse")
    said = "LoadResponseCharacteristic."
    if response.values.get(f"{said}exponentModel", "").lower() == "true":
        p, q = (response.number(f"{said}{part}VoltageExponent") for part in "pq")
        return f"model=4 cvrwatts={p!r} cvrvars={q!r}"
    parts = [[response.number(f"{said}{part}Constant{kind}", 0.0) for kind in RESPONSES] for part in "pq"]
    shares = [[value / (sum(row) or 1.0) for value in row] for row in parts]
    whole = tuple(next((kind for kind, share in zip(RESPONSES, row, strict=True) if share > 0.999), "") for row in shares)
    if whole in MODELS:
        return f"model={MODELS[whole]}"
    return f"model=8 zipv=({' '.join(repr(value) for row in shares for value in row)} 0)"


def _inverter(circuit: Circuit, unit: Thing) -> list[str]:
    key = "PowerElectronicsConnection"
    given = circuit.of_phases(unit, f"{key}Phase", key, f"{key}Phase.phase")
    power = complex(unit.number(f"{key}.p", 0.0), unit.number(f"{key}.q", 0.0))
    at = _shunt(circuit.buses(unit)[0], sorted(given) or [1, 2, 3], False, unit.number(f"{key}.ratedU"))
    if len(given) == 1 and re.fullmatch(r"[ABC]", next(iter(given.values())).last(f"{key}Phase.phase")) is None:
        raise Unreadable(f"{key} {unit.name[:80]}: one leg of a split-phase service cannot be read.")
    return [f"new generator.{circuit.named(unit, point=True)} {at} model=1 {_power(power)} {RANGE}"]


WRITERS = {
    "PowerTransformer": cim_transformers.write,
    "ACLineSegment": _line,
    **dict.fromkeys(sorted(SWITCHES), _switch),
    "LinearShuntCompensator": cim_capacitors.write,
    "EnergyConsumer": _consumer,
    "PowerElectronicsConnection": _inverter,
}
