"""Quantities: exact decimals, half to even, never negative where a magnitude is meant."""

from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from moc.units import MagnitudeField, QuantityField, counted, kw, kwh, mw_from_kw

watts = st.integers(-(10**12), 10**12).map(lambda value: Decimal(value).scaleb(-3))


@pytest.mark.parametrize(
    ("given_value", "expected"),
    [("0.0005", "0"), ("0.0015", "0.002"), ("0.0025", "0.002"), ("-0.0015", "-0.002"), (7, "7"), (0.1, "0.1"), ("12.3456", "12.346")],
)
def test_kw_rounds_to_the_watt_half_to_even(given_value, expected):
    assert kw(given_value) == Decimal(expected)


@pytest.mark.parametrize(
    ("things", "one"),
    [
        ("DERs", "1 DER"),
        ("studies", "1 study"),
        ("policies", "1 policy"),
        ("switches", "1 switch"),
        ("addresses", "1 address"),
        ("subjects heard of", "1 subject heard of"),
        ("DERs with an envelope", "1 DER with an envelope"),
        ("new findings", "1 new finding"),
    ],
)
def test_one_thing_is_named_in_the_singular(things, one):
    assert counted(1, things) == one and counted(1200, things) == f"1,200 {things}"


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "seven", ""])
def test_what_is_no_number_is_no_power(value):
    with pytest.raises(ValueError, match="kW"):
        kw(value)


@given(watts)
def test_a_power_in_whole_watts_stays_as_it_is(value):
    assert kw(value) == value


@given(watts)
def test_mw_are_exact(value):
    assert mw_from_kw(value) * 1000 == value


@given(st.lists(watts, max_size=50))
def test_sums_of_powers_are_exact_in_any_order(values):
    assert sum(values) == sum(reversed(values)) == kw(sum(values))


@given(watts, st.integers(1, 12))
def test_energy_of_the_parts_adds_up_to_the_energy_of_the_hour(power, parts):
    seconds = 3600 // parts
    assert abs(kwh(power, seconds) * parts - kwh(power, seconds * parts)) <= Decimal("0.0005") * (parts + 1)


def test_energy_of_an_hour_is_the_power():
    assert kwh(Decimal("4.2"), 3600) == Decimal("4.2")
    assert kwh(Decimal("4.2"), 300) == Decimal("0.35")


def test_fields_keep_three_decimals_and_magnitudes_are_not_negative():
    assert (QuantityField().max_digits, QuantityField().decimal_places) == (14, 3)
    assert MagnitudeField().clean("1.250", None) == Decimal("1.25")
    for refused in ("-0.001", "NaN", "1.2345"):
        with pytest.raises(ValidationError):
            MagnitudeField().clean(refused, None)
    assert QuantityField().clean("-3", None) == Decimal(-3)
