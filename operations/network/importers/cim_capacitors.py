"""Capacitor banks of a CIM document and the controls that switch them, as OpenDSS's objects.

A RegulatingControl names its bank, or the bank its control; it says its target and deadband in volts, vars or amperes at the terminal that
it watches. A bank is switched on below its band of voltage, and above its band of reactive power or current; by time or power factor it is
not switched here, as in OpenDSS's models: it stays as it is."""

from operations.network.importers.cim_circuit import SWITCHES, Circuit, number_of, points_of
from operations.network.importers.cim_objects import Thing, Unreadable

MODES = {"voltage": ("voltage", 1.0), "reactivePower": ("kvar", 1e3), "currentFlow": ("current", 1.0)}
STAYS = {"timeScheduled", "powerFactor", "temperature", "admittance", "activePower", "fixed", "userDefined"}
DELAY_S = 15.0  # OpenDSS's, where the document says none


def write(circuit: Circuit, bank: Thing) -> list[str]:
    """A bank, with all its sections or none."""
    phases = circuit.phases(bank, "LinearShuntCompensatorPhase", "ShuntCompensator", "ShuntCompensatorPhase.phase", "ShuntCompensatorPhase")
    volts, sections = bank.number("ShuntCompensator.nomU"), bank.number("ShuntCompensator.sections", 1)
    kvar = bank.number("LinearShuntCompensator.bPerSection") * volts**2 * max(sections, 1) / 1e3
    delta = bank.last("ShuntCompensator.phaseConnection") == "D"
    at = f"bus1={points_of(circuit.buses(bank)[0], phases, delta)} phases={len(phases)} conn={'delta' if delta else 'wye'}"
    return [f"new capacitor.{circuit.named(bank)} {at} kv={volts / 1e3!r} kvar={kvar!r} states=[{int(sections > 0)}]"]


def controls(circuit: Circuit) -> list[str]:
    """The controls of all banks; after every other element, for they watch them by name."""
    lines, model = [], circuit.model
    for control in model.classes["RegulatingControl"]:
        banks = model.of("RegulatingCondEq.RegulatingControl", control)
        named = model.things.get(control.values.get("RegulatingControl.RegulatingCondEq", ""))
        for bank in {each.id: each for each in [*banks, *([named] if named else [])]}.values():
            if bank.kind == "LinearShuntCompensator" and control.values.get("RegulatingControl.enabled", "true").lower() == "true":
                lines += _control(circuit, control, bank)
    return lines


def _control(circuit: Circuit, control: Thing, bank: Thing) -> list[str]:
    mode = control.last("RegulatingControl.mode")
    if mode in STAYS:
        return []
    if mode not in MODES:
        raise Unreadable(f"RegulatingControl {control.name[:80]}: mode {mode[:20] or 'unknown'} cannot be read.")
    kind, unit = MODES[mode]
    middle, band = (control.number(f"RegulatingControl.{name}") / unit for name in ("targetValue", "targetDeadband"))
    half = abs(band) / 2 if kind == "voltage" else -abs(band) / 2
    element, number, phase = _watched(circuit, control, circuit.model.at(control, "RegulatingControl.Terminal"))
    delay = bank.number("ShuntCompensator.aVRDelay", 0.0) or DELAY_S
    made = f"new capcontrol.{circuit.named(control)} capacitor={circuit.names[bank.id]} element={element} terminal={number} type={kind}"
    moves = f"onsetting={middle - half!r} offsetting={middle + half!r} delay={delay!r} delayoff={delay!r}"
    return [f"{made} {moves} ptratio=1 ctratio=1 ptphase={phase} ctphase={phase}"]


def _watched(circuit: Circuit, control: Thing, terminal: Thing) -> tuple[str, int, int]:
    """The element at a terminal by its OpenDSS name, which of its terminals it is, and the conductor of the phase that is watched."""
    thing = circuit.model.at(terminal, "Terminal.ConductingEquipment")
    if thing.kind == "ACLineSegment":
        kind, phases = "line", circuit.phases(thing, "ACLineSegmentPhase", "ACLineSegment", "ACLineSegmentPhase.phase")
    elif thing.kind in SWITCHES:
        kind, phases = "line", circuit.phases(thing, "SwitchPhase", "Switch", "SwitchPhase.phaseSide1")
    elif thing.kind == "PowerTransformer" and thing.id in circuit.names:
        kind, phases = "transformer", [1, 2, 3]
    else:
        raise Unreadable(f"RegulatingControl {control.name[:80]}: a control that watches a {thing.kind[:40]} cannot be read.")
    phase = number_of(control.last("RegulatingControl.monitoredPhase") or "A", control)
    if phase not in phases:
        raise Unreadable(f"RegulatingControl {control.name[:80]}: it watches a phase that its terminal does not have.")
    return f"{kind}.{circuit.names[thing.id]}", circuit.terminals(thing).index(terminal) + 1, phases.index(phase) + 1
