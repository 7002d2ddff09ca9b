"""The numbers by which a DER's conduct is judged: rule set rows of the day of its readings, by its utility's market and regulator. N13."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

from django.utils import timezone

from registry.prequalification.rules.numbers import Numbers

PREFIX = "reliability_"


@dataclass(frozen=True)
class Bounds:
    """Each is the rule `reliability_<name>`; None where a row says that there is no such bound."""

    tolerance_percent: float | None
    tolerance_kw: float | None
    in_a_row: float | None
    poor_percent: float | None
    least_pu: float | None
    most_pu: float | None

    def tolerance(self, limit: float) -> float:
        """By how much (kW) a reading may exceed a limit (kW): the larger of share and quantity."""
        return max(self.tolerance_kw or 0.0, (self.tolerance_percent or 0.0) / 100 * abs(limit))

    def completes_a_row(self, readings: int) -> bool:
        """Whether with this many readings in a row beyond a limit it was not followed; true for one of them, so that a row counts once."""
        return self.in_a_row is not None and readings - 1 < max(self.in_a_row, 1) <= readings

    def goes_on(self, pu: float) -> bool:
        """Whether a DER goes on at a voltage."""
        return (self.least_pu is None or self.least_pu <= pu) and (self.most_pu is None or pu <= self.most_pu)


def bounds_of_a_look() -> Callable[[int, datetime], Bounds]:
    """A function (utility's key, moment) → bounds, which reads the law once a day that it is asked of.

    It raises LookupError naming the rules that are missing: no number is guessed."""
    laws: dict[date, Numbers] = {}
    found: dict[tuple[int, date], Bounds] = {}

    def bounds(edc: int, at: datetime) -> Bounds:
        day = timezone.localdate(at)
        if (edc, day) not in found:
            if day not in laws:
                laws[day] = Numbers.on(day)
            found[edc, day] = _read(laws[day], edc)
        return found[edc, day]

    return bounds


def _read(numbers: Numbers, edc: int) -> Bounds:
    law, authorities = numbers.law, numbers.authorities["edc_id"].get(edc, ())
    names = Bounds.__dataclass_fields__
    if missing := [PREFIX + name for name in names if law.row(PREFIX + name, *authorities) is None]:
        raise LookupError(f"No rule set row for {', '.join(missing)} on {law.day}. Run load_rulesets, or add it in the admin.")
    values = {name: law.value(PREFIX + name, *authorities) for name in names}
    return Bounds(**{name: None if value is None else float(value) for name, value in values.items()})
