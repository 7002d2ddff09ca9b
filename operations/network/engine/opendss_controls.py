"""Controls of an OpenDSS circuit as they are simulated here, and those that are held: what they move stays where it settled."""

import numpy as np

from operations.network.engine.feeder import AVERAGE, CAPACITOR, GROUND, LEAST, MOST, REGULATOR

CAPACITOR_MODES = {0: "current", 1: "voltage", 2: "kvar", 3: "time", 4: "pf"}
CLOCKS = {"time": "Its clock is not simulated.", "pf": "Control by power factor is not simulated."}
OF_PHASES = {"avg": AVERAGE, "max": MOST, "min": LEAST}
STEERING = {"invcontrol", "expcontrol", "storagecontroller"}
STEERED = "What it steers keeps the power at which it settled."
FAR = 1.08  # of nominal voltage: a limit above plays no part where envelopes keep voltage
Held = list[tuple[str, str]]


def regulators(dss, place: dict[str, int], element: dict[str, int], nodes: tuple, widths: tuple) -> tuple[np.ndarray, Held]:
    """Regulator controls with the transformer windings they watch and move, and those that are held."""
    rows, held, moved = [], [], set()
    for name in dss.RegControls.AllNames():
        dss.Circuit.SetActiveElement(f"regcontrol.{name}")
        if not dss.CktElement.Enabled():
            continue
        dss.RegControls.Name(name)
        number = element.get(f"transformer.{dss.RegControls.Transformer().lower()}")
        winding = dss.RegControls.TapWinding() or dss.RegControls.Winding()
        why = "Its transformer is of a class whose taps do not move here." if number is None else _why_held(dss)
        if not why and (number, winding) in moved:
            why = "Another control moves the same winding."
        if why:
            held.append((f"regcontrol.{name.lower()}", why))
        else:
            moved.add((number, winding))
            rows.append(_regulator(dss, name, number, nodes[number], widths[number], place))
    return np.array(rows, dtype=REGULATOR), held


def _why_held(dss) -> str:
    """Why the active regulator control is not simulated; empty where it is."""
    control, value = dss.RegControls, dss.Properties.Value
    phase, bus = value("PTphase").lower(), control.MonitoredBus()
    name = control.Name()
    dss.Transformers.Name(control.Transformer())
    dss.Transformers.Wdg(control.Winding())
    volts, connections = _volts(dss), set()
    for winding in range(1, dss.Transformers.NumWindings() + 1):
        dss.Transformers.Wdg(winding)
        connections.add(bool(dss.Transformers.IsDelta()))
    dss.Circuit.SetActiveElement(f"regcontrol.{name}")
    reasons = (
        (control.IsReversible(), "It turns round with the flow of power, which is not simulated."),
        (
            0 < control.VoltageLimit() * control.PTRatio() < FAR * volts,
            "It has a limit of its own voltage, which is not simulated.",
        ),
        (float(value("LDC_Z") or 0) > 0, "Its line drop compensation by magnitude is not simulated."),
        (phase in ("max", "min"), "It watches the highest or lowest phase, which is not simulated."),
        (
            bool(bus) and float(value("RemotePTRatio")) != control.PTRatio(),
            "The bus that it watches has a ratio of its own.",
        ),
        (len(connections) > 1 and not bus and _watches_delta(dss), "It watches a delta winding of a delta-wye transformer."),
    )
    return next((why for holds, why in reasons if holds), "")


def _volts(dss) -> float:
    """Nominal volts across a coil of the active winding."""
    wye = dss.CktElement.NumPhases() > 1 and not dss.Transformers.IsDelta()
    return dss.Transformers.kV() * 1e3 / (np.sqrt(3) if wye else 1)


def _watches_delta(dss) -> bool:
    dss.Transformers.Name(dss.RegControls.Transformer())
    dss.Transformers.Wdg(dss.RegControls.Winding())
    return bool(dss.Transformers.IsDelta())


def _regulator(dss, name: str, number: int, nodes: np.ndarray, width: int, place: dict[str, int]) -> tuple:
    control = dss.RegControls
    winding, moved, bus = control.Winding(), control.TapWinding() or control.Winding(), control.MonitoredBus().lower()
    dss.Circuit.SetActiveElement(f"regcontrol.{name}")
    digits = dss.Properties.Value("PTphase")
    phase = int(digits) - 1 if digits.isdigit() else 0
    dss.Transformers.Name(control.Transformer())
    dss.Transformers.Wdg(winding)
    first, phases, delta = (winding - 1) * width, 1 if width == 2 else width - 1, dss.Transformers.IsDelta()
    volts = _volts(dss)
    sense = nodes[first + phase], nodes[first + (phase + 1) % phases if delta and phases > 1 else winding * width - 1]
    r, x = control.ForwardR(), control.ForwardX()
    if bus:
        where, _, given = bus.partition(".")
        wanted = (given.split(".") if given else ["1", "2", "3"])[phase]
        sense, r, x = (place[f"{where}.{wanted}"], GROUND), 0.0, 0.0
    dss.Transformers.Wdg(moved)
    low, high = dss.Transformers.MinTap(), dss.Transformers.MaxTap()
    return (
        (name.lower(), number, winding, moved, *sense, control.PTRatio(), control.CTPrimary(), r, x)
        + (control.ForwardVreg(), control.ForwardBand(), control.Delay(), volts)
        + (dss.Transformers.Tap(), low, high, (high - low) / dss.Transformers.NumTaps())
    )


def capacitors(dss, element: dict[str, int]) -> tuple[np.ndarray, Held]:
    """Capacitor controls, and those that are held; a bank moves as a whole."""
    rows, held = [], []
    for name in dss.CapControls.AllNames():
        dss.Circuit.SetActiveElement(f"capcontrol.{name}")
        if not dss.CktElement.Enabled():
            continue
        dss.CapControls.Name(name)
        control, mode = dss.CapControls, CAPACITOR_MODES.get(int(dss.CapControls.Mode()), "time")
        number = element.get(f"capacitor.{control.Capacitor().lower()}")
        watched = element.get(control.MonitoredObj().lower())
        if number is None or watched is None:
            held.append((f"capcontrol.{name.lower()}", "Its capacitor, or what it watches, is not among the elements."))
            continue
        if mode in CLOCKS:
            held.append((f"capcontrol.{name.lower()}", CLOCKS[mode]))
        dss.Capacitors.Name(control.Capacitor())
        dss.Circuit.SetActiveElement(f"capcontrol.{name}")
        phase = dss.Properties.Value("CTPhase" if mode == "current" else "PTPhase").lower()
        rows.append(
            (name.lower(), number, watched, control.MonitoredTerm(), OF_PHASES.get(phase) or int(phase) - 1, mode, control.PTRatio())
            + (control.CTRatio(), control.ONSetting(), control.OFFSetting(), bool(control.UseVoltOverride()), control.Vmin())
            + (control.Vmax(), control.Delay(), control.DelayOff(), any(dss.Capacitors.States()))
        )
    return np.array(rows, dtype=CAPACITOR), held


def steering(dss) -> Held:
    """Controls of inverters and storage."""
    found = []
    for full in dss.Circuit.AllElementNames():
        if full.split(".", 1)[0].lower() in STEERING:
            dss.Circuit.SetActiveElement(full)
            found += [(full.lower(), STEERED)] if dss.CktElement.Enabled() else []
    return found
