"""The numbers by which a DER's conduct is judged: rule set rows of the day of its readings, by its utility's market and regulator. N13."""

from datetime import date, datetime

from django.utils import timezone

from operations.reliability.reports import Bounds, BoundsOf
from registry.prequalification.rules.numbers import Numbers

PREFIX = "reliability_"


def of_a_look() -> BoundsOf:
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
    values = numbers.of_utility([PREFIX + name for name in Bounds.__dataclass_fields__], edc)
    return Bounds(**{key.removeprefix(PREFIX): None if value is None else float(value) for key, value in values.items()})
