"""Inverter settings of IEEE 1547-2018 as data.

As JSON: {"volt_var": [[V, Q], …], "volt_watt": [[V, P], …], "power_factor": 0.95, "max_w": 50}: voltages per unit, Q of the rated kVA
(positive: injected), P of the rated kW, a power factor with a minus sign where it absorbs, max_w in % of the rated kW."""

from math import isfinite

# IEEE 1547-2018, tables 8 and 10: default settings of category B
VOLT_VAR = [[0.92, 0.44], [0.98, 0.0], [1.02, 0.0], [1.08, -0.44]]
VOLT_WATT = [[1.06, 1.0], [1.1, 0.2]]
KINDS = ("volt_var", "volt_watt", "power_factor", "max_w")
FEWEST, MOST = 2, 10


class WrongSettings(ValueError):
    """Settings that no inverter takes; `field` names which, `sentence` says why."""

    def __init__(self, field: str, sentence: str):
        self.field, self.sentence = field, sentence
        super().__init__(f"{field}: {sentence}")


def checked(said: dict) -> dict:
    """The settings as they are kept: numbers as floats, nothing that is empty. Raises WrongSettings."""
    if not isinstance(said, dict):
        raise WrongSettings("settings", "Give a JSON object.")
    for name in said:
        if name not in KINDS:
            raise WrongSettings(str(name), f"There is no such setting; {', '.join(KINDS)} are.")
    found = {name: said[name] for name in KINDS if said.get(name) not in (None, "", [])}
    if "power_factor" in found and "volt_var" in found:
        raise WrongSettings("power_factor", "Volt-var and a fixed power factor exclude each other: give one of them.")
    for name, lowest, highest in (("volt_var", -0.6, 0.6), ("volt_watt", 0.0, 1.0)):
        if name in found:
            found[name] = _curve(name, found[name], lowest, highest)
    if "power_factor" in found and not 0.8 <= abs(_number("power_factor", found["power_factor"])) <= 1:
        raise WrongSettings("power_factor", "Give 0.8 to 1, with a minus sign where reactive power is absorbed.")
    if "max_w" in found and not 0 <= _number("max_w", found["max_w"]) <= 100:
        raise WrongSettings("max_w", "Give 0 to 100 % of the rated power.")
    return {name: value if isinstance(value, list) else float(value) for name, value in found.items()}


def _number(name: str, value) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        raise WrongSettings(name, "Give a number.")
    return float(value)


def _curve(name: str, points, lowest: float, highest: float) -> list[list[float]]:
    """The curve's points as floats. Raises WrongSettings naming the point and the rule."""
    if not isinstance(points, list) or not FEWEST <= len(points) <= MOST or any(not isinstance(p, list) or len(p) != 2 for p in points):
        raise WrongSettings(name, f"Give {FEWEST} to {MOST} points [voltage per unit, value].")
    curve = [[_number(name, value) for value in point] for point in points]
    for number, (volt, value) in enumerate(curve, start=1):
        before, above = curve[number - 2] if number > 1 else (0.0, highest)
        if not max(before, 0.7 - 1e-12) < volt <= 1.3:
            said = f" and this is not above {before:g}" if 0.7 <= volt <= 1.3 else ""
            raise WrongSettings(
                name, f"Point {number}, {volt:g} {value:g}: Voltages rise from point to point, from 0.7 to 1.3 per unit{said}."
            )
        if not lowest <= value <= above:
            said = f", and this is above {above:g}" if lowest <= value <= highest else ""
            raise WrongSettings(name, f"Point {number}, {volt:g} {value:g}: Values fall, from {highest:g} to {lowest:g}{said}.")
    return curve


def in_words(said: dict) -> list[str]:
    """Settings as people read them, one sentence's part each."""
    curves = {"volt_var": "volt-var (V, Q of the kVA)", "volt_watt": "volt-watt (V, P of the kW)"}
    shown = [f"{curves[name]}: {'; '.join(f'{v:g}, {value:g}' for v, value in said[name])}" for name in curves if name in said]
    shown += [f"power factor {said['power_factor']:g}"] if "power_factor" in said else []
    return shown + ([f"maximum active power {said['max_w']:g} % of the rated"] if "max_w" in said else [])
