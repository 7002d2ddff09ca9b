"""The iteration of the University of Melbourne's "Ideal OE", proportional: every interval on its own, all active customers go back by
0.5 kW until OpenDSS finds no customer and no element beyond its limits. Values are read one by one by name, as its notebook does; a
loop that reads whole arrays (Referee.solve) is measured beside it."""

import numpy as np

from operations.envelopes.solver.problem import Policy, Request
from operations.network.engine import opendss
from tests.operations import feeders

STEP_KW = 0.5


def limits(request: Request, policy: Policy) -> dict[str, np.ndarray]:
    """Limits in kW, (A, T) each, named as in the published file."""
    dss = opendss.compile_circuit(feeders.master("lv28-melbourne"), feeders.COMMANDS["lv28-melbourne"])
    names = [point.split(".", 1)[1] for point in request.feeder.points]
    intervals, found = request.base_va.shape[1], {}
    for label, caps, sign in (("export", request.high_w, -1), ("import", -request.low_w, 1)):
        kept = np.zeros(caps.shape)
        for t in range(intervals):
            _day(dss, names, request, t)
            kw = caps[0, t] / 1e3
            while not _allowed(dss, [names[i] for i in request.active], sign * kw, names, policy):
                kw -= STEP_KW
            kept[:, t] = kw
        found[f"proportional_{label}"] = kept
    return found


def _day(dss, names: list[str], request: Request, t: int) -> None:
    """Sources and customers of one interval, solved as its time step."""
    for source, volts in zip(dss.Vsources.AllNames(), request.source_volts[:, t], strict=True):
        dss.Vsources.Name(source)
        dss.Vsources.PU(abs(volts) / (dss.Vsources.BasekV() * 1e3))
        dss.Vsources.AngleDeg(float(np.rad2deg(np.angle(volts))))
    for name, va in zip(names, request.base_va[:, t], strict=True):
        dss.Loads.Name(name)
        dss.Loads.kW(va.real / 1e3)
        dss.Loads.kvar(va.imag / 1e3)
    dss.Solution.SolveSnap()


def _allowed(dss, active: list[str], kw: float, names: list[str], policy: Policy) -> bool:
    """Solves with every active customer at kw; whether every customer, line and transformer is within its limits."""
    for name in active:
        dss.Circuit.SetActiveElement(f"load.{name}")
        kvar = dss.CktElement.Powers()[1]
        dss.Text.Command(f"edit load.{name} status=fixed kw={kw} kvar={kvar}")
    dss.Solution.SolveSnap()
    good = True
    for name in names:
        dss.Circuit.SetActiveElement(f"load.{name}")
        good &= policy.v_min <= dss.CktElement.VoltagesMagAng()[0] / 230 <= policy.v_max
    for name in dss.Lines.AllNames():
        dss.Circuit.SetActiveElement(f"line.{name}")
        dss.Lines.Name(name)  # the element that is active no longer moves the line whose rating is read
        amps = [max(dss.CktElement.CurrentsMagAng()[phase], dss.CktElement.CurrentsMagAng()[phase + 6]) for phase in (0, 2, 4)]
        good &= max(amps) <= dss.Lines.NormAmps()
    for name in dss.Transformers.AllNames():
        dss.Circuit.SetActiveElement(f"transformer.{name}")
        dss.Transformers.Wdg(2)
        rated = float(dss.Properties.Value("kVAs").strip("[]").split(",")[0]) / (dss.Transformers.kV() * np.sqrt(3))
        good &= sum(dss.CktElement.CurrentsMagAng()[phase] for phase in (8, 10, 12)) / 3 <= rated
    return bool(good)
