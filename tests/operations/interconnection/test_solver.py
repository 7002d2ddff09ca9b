"""The year of a resource on IEEE 13, with OpenDSS as referee: O4. Firm and flexible limits, settings of IEEE 1547, windows and back."""

from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from operations.envelopes.solver import windows as reading
from operations.envelopes.solver.case import Machine
from operations.envelopes.solver.problem import EXPORT, IMPORT, Policy, Request
from operations.interconnection.solver import study, windows, year
from operations.interconnection.solver.settings import Inverter
from operations.interconnection.solver.steered import Steered
from operations.network.engine import opendss
from registry.ders import inverters
from tests.factories.years import SHIPPED
from tests.operations.referee import Referee

CIRCUIT = Path(__file__).parents[1] / "references" / "ieee13-pv.dss"
OFF = tuple(f"batchedit {kind}..* enabled=no" for kind in ("pvsystem", "storage", "generator"))
POLICY, RATED = Policy("group", v_min=0.95, v_max=1.08), 4e6
SETTINGS = ({}, {"volt_var": inverters.VOLT_VAR}, {"power_factor": -0.95})


@pytest.fixture(scope="module")
def feeder():
    return opendss.read(CIRCUIT, commands=OFF).at_constant_power()


@pytest.fixture(scope="module")
def machine(feeder):
    """With a resource of three phases beside load 671."""
    point = feeder.points.tolist().index("load.671")
    return Machine(feeder.with_resources({"resource.new": feeder.legs_like(point)}))


def rest(machine, direction: int) -> np.ndarray:
    low, high = year.typical(np.full(24, 0.8), SHIPPED)
    return machine.feeder.leg_va(machine.feeder.point_va[:, None] * (low if direction == EXPORT else high))


def inverter(settings: dict) -> Inverter:
    return Inverter(settings, np.array([RATED]), np.array([1.1 * RATED]))


def studied(machine, settings: dict, direction: int = EXPORT) -> study.Direction:
    return study.limits(machine, rest(machine, direction), len(machine.feeder.points) - 1, RATED, direction, POLICY, inverter(settings))


def case_of(machine, settings: dict) -> Steered:
    most = np.full((1, year.COLUMNS), RATED)
    request = Request(machine.feeder, rest(machine, EXPORT), np.array([len(machine.feeder.points) - 1]), np.zeros_like(most), most)
    return Steered(machine, request, POLICY, EXPORT, inverter(settings))


class Judge:
    """OpenDSS with the resource as a load of its own: how far the worst voltage or current is beyond its limit."""

    def __init__(self, feeder, case: Steered):
        self.case, self.referee, self.legs = case, Referee(CIRCUIT, feeder), len(feeder.leg_from)
        for command in (*OFF, "new load.new bus1=671.1.2.3 conn=delta kv=4.16 kw=0 kvar=0 model=1 vminpu=0.01 vmaxpu=9 vlowpu=0.001"):
            self.referee.dss.Text.Command(command)

    def over(self, watts: np.ndarray, column: int) -> float:
        case = self.case
        q = case.reactive(watts[None])[0, column]
        p = case.injected(watts[None])[0, column]
        self.referee.dss.Text.Command(f"edit load.new kw={-p / 1e3:.6f} kvar={-q / 1e3:.6f}")
        volts, loading = self.referee.solve(case.rest[: self.legs, column])
        high, low = case.v_high[: self.legs, column], case.v_low[: self.legs, column]
        return max(float(np.maximum(volts - high, low - volts).max()), float((loading - case.all_i_high[:, column]).max()))


@pytest.mark.parametrize("settings", SETTINGS, ids=lambda each: "-".join(each) or "none")
def test_the_referee_finds_no_violation_at_the_limits_and_one_above_the_firm_limit(feeder, machine, settings):
    found = studied(machine, settings)
    assert found.checked.all() and found.bound.any()
    judge = Judge(feeder, case_of(machine, settings))
    outcome = study.judged(found, np.ones(year.COLUMNS), np.ones((1, year.COLUMNS)), 5)
    assert 0 < outcome.firm_w < outcome.flexible_w <= RATED and outcome.curtailed_percent <= 5
    at_flexible = np.minimum(found.limit, outcome.flexible_w)
    worst = int(found.limit.argmin())
    for column in {worst, *range(0, year.COLUMNS, 37)}:
        assert judge.over(at_flexible, column) <= 2e-4
        assert judge.over(np.full(year.COLUMNS, outcome.firm_w), column) <= 2e-4
    assert judge.over(np.full(year.COLUMNS, outcome.firm_w * 1.03), worst) > 2e-4


def test_settings_make_room_where_voltage_binds(machine):
    plain, steered, absorbing = (studied(machine, settings).limit for settings in SETTINGS)
    assert steered.min() > plain.min() and absorbing.min() > plain.min()
    half = Inverter({"max_w": 50}, np.array([RATED]), np.array([RATED]))
    assert half.most_w == [RATED / 2]


def test_an_import_is_limited_by_ratings_or_low_voltage(machine):
    found = studied(machine, {}, IMPORT)
    assert found.bound.any() and set(found.kind[found.bound]) <= {"voltage", "thermal"} and all(found.element[found.bound])


def test_volt_watt_holds_the_inverter_back_and_reactive_power_comes_first():
    curve = Inverter({"volt_watt": [[1.06, 1.0], [1.1, 0.2]]}, np.array([100.0]), np.array([100.0]))
    p, q = curve.answer(np.full((1, 3), 100.0), np.array([[1.0, 1.08, 1.2]]))
    assert p.round(6).tolist() == [[100, 60, 20]] and not q.any()
    p, q = Inverter({"volt_var": inverters.VOLT_VAR}, np.array([100.0]), np.array([100.0])).answer(
        np.full((1, 1), 100.0), np.array([[1.08]])
    )
    assert q[0, 0] == pytest.approx(-44) and p[0, 0] == pytest.approx(np.sqrt(100**2 - 44**2))


def test_curtailment_is_what_the_weather_gives_above_the_limit():
    """100 kW of sun, a limit of 50 kW in June at noon only: clear and fair days lose there, dull ones nothing."""
    limit = np.full(year.COLUMNS, 100e3)
    limit[year.column(6, 12)] = 50e3
    names = np.full(year.COLUMNS, "", object)
    found = study.Direction(100e3, limit, names, names, limit > 0, 0)
    most, outputs = year.availability("photovoltaic", SHIPPED), year.outputs("photovoltaic", SHIPPED)
    outcome = study.judged(found, most, outputs, 5)
    noon = outputs[:, year.column(6, 12)] * 100
    assert outcome.firm_w == 50e3 and outcome.flexible_w == 100e3
    assert outcome.curtailed_kwh.sum() == pytest.approx(30 * np.maximum(noon - 50, 0).mean(), rel=1e-6)
    assert np.flatnonzero(outcome.curtailed_kwh).tolist() == [5]
    assert study.judged(found, most, outputs, 0).flexible_w == pytest.approx(50e3, rel=0.01)


@pytest.mark.parametrize("accepted", [0.05, 1, 5, 20])
def test_what_is_proposed_is_never_below_the_firm_limit_and_costs_what_is_said(accepted):
    """O4: limits of a year with noise, proposed as windows and read back: within firm, flexible and what the network leaves; and the
    curtailment is theirs."""
    most, outputs = year.availability("photovoltaic", SHIPPED), year.outputs("photovoltaic", SHIPPED)
    limit = np.random.default_rng(7).uniform(6466.27e3, 9e3 * 1e3, year.COLUMNS)
    limit[most < 0.2] = 3e6
    names = np.full(year.COLUMNS, "", object)
    outcome = study.judged(study.Direction(8e6, limit, names, names, limit > 0, 0), most, outputs, accepted)
    firm, flexible = outcome.firm_w / 1e3, outcome.flexible_w / 1e3
    assert 6466.2 <= firm <= flexible <= 8000 and outcome.curtailed_percent <= accepted
    said = windows.windows_of(np.round(outcome.limit_w / 1e3, 3), flexible, None, 0)
    hours = [datetime(2027, month, 15, hour) for month in range(1, 13) for hour in range(24)]
    held = np.minimum(reading.limits_at(said, hours, 60)[0], flexible)
    assert held.min() >= firm - 1e-6 and (np.minimum(held, most * 8000) <= limit / 1e3 + 8000 * study.LITTLE).all()
    cut = np.maximum(np.minimum(outputs * 8000, flexible) - held, 0).mean(0) * year.days_of_columns()
    assert outcome.curtailed_kwh.sum() == pytest.approx(cut.sum(), rel=1e-6)


def test_windows_say_the_hours_and_are_read_back_as_the_same_limits():
    limit = np.full(year.COLUMNS, 100.0)
    for month in (6, 7):
        limit[year.column(month, 11) : year.column(month, 14)] = 43
    said = windows.windows_of(windows.rounded(limit, 100.0), 100.0, None, 0)
    assert said == [{"rrule": "FREQ=YEARLY;BYMONTH=6,7", "starts": "11:00", "ends": "14:00", "export_kw": 40.0}]
    hours = [datetime(2027, month, 15, hour) for month in range(1, 13) for hour in range(24)]
    export, import_ = reading.limits_at(said, hours, 60)
    assert np.array_equal(np.minimum(export, 100), np.where(limit < 100, 40.0, 100.0)) and np.isinf(import_).all()


@pytest.mark.parametrize(
    "window, hit, missed",
    [
        ({"starts": "22:00", "ends": "02:00"}, ("2027-06-01T23:00", "2027-06-02T01:30"), ("2027-06-01T02:00", "2027-06-01T21:30")),
        (
            {"rrule": "FREQ=WEEKLY;BYDAY=TU", "starts": "10:15", "ends": "11:00"},
            ("2027-06-01T10:00",),
            ("2027-06-02T10:00", "2027-06-01T11:00"),
        ),
        ({"rrule": "FREQ=WEEKLY;BYDAY=TU", "starts": "23:00", "ends": "01:00"}, ("2027-06-02T00:30",), ("2027-06-01T00:30",)),
        ({"rrule": "FREQ=YEARLY;INTERVAL=2"}, ("2027-06-01T10:00",), ()),  # a rule that says more holds every day
    ],
)
def test_a_window_holds_in_every_interval_that_it_touches(window, hit, missed):
    moments = [datetime.fromisoformat(text) for text in (*hit, *missed)]
    export, import_ = reading.limits_at([window | {"export_kw": 3, "import_kw": "x"}], moments, 30)
    assert export.tolist() == [3.0] * len(hit) + [np.inf] * len(missed) and np.isinf(import_).all()


@pytest.mark.parametrize(
    "said, field",
    [
        ({"volt_var": [[0.9, 0.4]]}, "volt_var"),
        ({"volt_var": [[1.0, 0.4], [0.9, 0.0]]}, "volt_var"),
        ({"volt_watt": [[1.0, 0.2], [1.1, 1.0]]}, "volt_watt"),
        ({"volt_watt": [[1.0, "x"], [1.1, 0.0]]}, "volt_watt"),
        ({"power_factor": 0.5}, "power_factor"),
        ({"power_factor": 0.9, "volt_var": inverters.VOLT_VAR}, "power_factor"),
        ({"max_w": 101}, "max_w"),
        ({"frequency": 1}, "frequency"),
    ],
)
def test_settings_that_no_inverter_takes_are_named(said, field):
    with pytest.raises(inverters.WrongSettings) as wrong:
        inverters.checked(said)
    assert wrong.value.field == field and wrong.value.sentence
