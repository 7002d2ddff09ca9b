"""Numbers of things; electrical quantities and their signs: injection into the grid is positive; limits are non-negative magnitudes."""

from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation

from django.core.validators import MinValueValidator
from django.db import models

MILLI = Decimal("0.001")
SINGULARS = (("ies", "y"), ("sses", "ss"), ("ches", "ch"), ("shes", "sh"), ("xes", "x"), ("s", ""))
AFTER_A_NOUN = frozenset("at behind for heard in of on that to with within without".split())


def counted(number: int, things: str) -> str:
    """A number of things in words; `things` is an English plural: "1 DER", "1,200 DERs"."""
    return f"{number:,} {singular(things) if number == 1 else things}"


def singular(things: str) -> str:
    """One of what an English plural names: "study" for "studies", "subject heard of" for "subjects heard of"."""
    words = things.split(" ")
    last = next((at for at, word in enumerate(words) if at and word in AFTER_A_NOUN), len(words)) - 1
    ending = next((pair for pair in SINGULARS if words[last].endswith(pair[0])), ("", ""))
    words[last] = words[last].removesuffix(ending[0]) + ending[1]
    return " ".join(words)


def kw(value) -> Decimal:
    """A power in kW, to the watt, half to even. Raises ValueError for what is no finite number."""
    try:
        power = Decimal(str(value)).quantize(MILLI, rounding=ROUND_HALF_EVEN)
    except InvalidOperation:
        power = Decimal("NaN")
    if not power.is_finite():
        raise ValueError(f"{value!r} is no power in kW")
    return power


def mw_from_kw(value: Decimal) -> Decimal:
    """MW from kW, exact."""
    return value.scaleb(-3)


def kwh(power_kw: Decimal, seconds: int) -> Decimal:
    """Energy in kWh of a constant power over a time, to the watt-hour."""
    return kw(Decimal(power_kw) * seconds / 3600)


class QuantityField(models.DecimalField):
    """A decimal quantity with three decimals; the unit is the suffix of its name."""

    def __init__(self, *args, **kwargs):
        kwargs.setdefault("max_digits", 14)
        kwargs.setdefault("decimal_places", 3)
        super().__init__(*args, **kwargs)


class MagnitudeField(QuantityField):
    """A quantity that cannot be negative."""

    default_validators = [MinValueValidator(0)]
