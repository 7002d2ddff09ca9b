"""The technical facts of generated DERs: filing columns of the device alone, in the vintage of its permission to operate.

Makers and models are invented. Every function returns file columns as text and takes watts; `rng` decides the plausible rest.
"""

import json
from datetime import date
from math import sqrt
from random import Random

Row = dict[str, str]

# der_type: maker, prefix of its serial numbers, series.
_MAKERS = {
    "photovoltaic": (
        ("Aurelune Power", "AL", "Dayline"),
        ("Brightmere Electric", "BM", "Helio"),
        ("Calder & Finch Solar", "CF", "Terrace"),
    ),
    "wind": (("Galeswift Turbines", "GS", "Skylark"),),
    "other_generation": (("Mossgate Biogas", "MG", "Digest"),),
    "storage": (
        ("Oakhaven Storage", "OH", "Larder"),
        ("Lumenfold Energy", "LF", "Fold"),
    ),
    "evse": (("Plugmeadow", "PM", "Post"), ("Voltwren", "VW", "Perch")),
    "demand_response": (("Thermolark Controls", "TL", "Switch"),),
}
_MODEL_KW = (
    3,
    3.8,
    5,
    6,
    7.6,
    10,
    11.4,
    15,
    20,
    25,
    36,
    50,
    75,
    100,
    125,
    250,
    500,
    1000,
)

_TRIPS = ("lv_trip", "hv_trip", "lf_trip", "hf_trip")
_GRID_SUPPORT = (
    "max_w",
    "fixed_pf",
    "volt_var",
    "freq_watt",
    "volt_watt",
    "dyn_react_curr",
)
# Certification: apparent over active power, reactive share of it, power factor, normal and abnormal category, control modes.
# The categories came with IEEE 1547-2018; Supplement A tested grid support before it, Supplement B tests the whole.
_CAPABILITIES = {
    "none": (1.0, 0.0, "1.000", "not_specified", "not_specified", _TRIPS),
    "ul1741": (1.0, 0.0, "1.000", "not_specified", "not_specified", _TRIPS),
    "ul1741sa": (1.05, 0.44, "0.850", "b", "ii", (*_GRID_SUPPORT, *_TRIPS)),
    "ul1741sb": (
        1.1,
        0.44,
        "0.850",
        "b",
        "iii",
        (*_GRID_SUPPORT, "fixed_w", "fixed_var", "watt_var", "scheduled", *_TRIPS),
    ),
}
_SUPPLEMENT_A_FROM, _SUPPLEMENT_B_FROM = date(2018, 6, 1), date(2023, 1, 1)


def kilo(value: float) -> str:
    """A quantity in thousands, to its thousandth: watts as kW."""
    return f"{value / 1000:.3f}"


def certification(operating_on: date, rng: Random) -> str:
    """What an inverter of that date was certified to."""
    if operating_on >= _SUPPLEMENT_B_FROM:
        return "ul1741sb"
    if operating_on >= _SUPPLEMENT_A_FROM and (operating_on.year > 2018 or rng.random() < 0.3):
        return "ul1741sa"
    return "ul1741"


def photovoltaic(watts: int, phases: int, voltage_v: int, operating_on: date, rng: Random) -> Row:
    """A photovoltaic system whose modules exceed its inverter by 5 to 30 %; large ones report and are protected."""
    return {
        "der_subtype": "ground_mount" if watts >= 1_000_000 else "rooftop",
        "nameplate_dc_kw": kilo(int(watts * rng.uniform(1.05, 1.30)) // 10 * 10),
        "approved_import_kw": "0.000",
        **_inverter(watts, phases, voltage_v, certification(operating_on, rng)),
        **(_supervised(watts) if watts >= 1_000_000 else {}),
        **(_protected(voltage_v) if watts >= 200_000 else {}),
    }


def wind(watts: int, phases: int, voltage_v: int, operating_on: date, rng: Random) -> Row:
    """A small wind turbine behind an inverter."""
    certified = "none" if rng.random() < 0.3 else certification(operating_on, rng)
    return {
        "der_subtype": "small_wind",
        "approved_import_kw": "0.000",
        **_inverter(watts, phases, voltage_v, certified),
    }


def other_generation(watts: int, phases: int, voltage_v: int, operating_on: date, rng: Random) -> Row:
    """EIA's "other" net-metered technology, taken as a biogas generator with a rotating machine."""
    rated_va = int(watts / 0.8)
    kvar = kilo(int(watts * 0.48))
    return {
        "der_subtype": "biogas",
        "approved_import_kw": "0.000",
        "rated_kva": kilo(rated_va),
        "rated_inject_kvar": kvar,
        "rated_absorb_kvar": kvar,
        "power_factor_over_excited": "0.900",
        "power_factor_under_excited": "0.900",
        "inverter_certification": "none",
        "normal_category": "not_specified",
        "abnormal_category": "not_specified",
        "control_modes": ";".join(_TRIPS),
        "response_time_s": str(rng.randint(120, 300)),
        "min_run_min": "60",
        **_terminal(rated_va, phases, voltage_v),
    }


def storage(watts: int, phases: int, voltage_v: int, operating_on: date, rng: Random) -> Row:
    """A battery of two to three hours, which leaves a twentieth of its energy unused."""
    watt_hours = int(watts * rng.choice((2.0, 2.5, 2.7, 3.0))) // 100 * 100
    certified = certification(operating_on, rng)
    limits = certified == "ul1741sb"
    return {
        "der_subtype": "li_ion",
        "max_charge_kw": kilo(watts),
        "max_discharge_kw": kilo(watts),
        "energy_capacity_kwh": kilo(watt_hours),
        "usable_energy_kwh": kilo(int(watt_hours * 0.95)),
        "min_stored_energy_kwh": kilo(int(watt_hours * 0.05)),
        "round_trip_efficiency_percent": f"{rng.uniform(86, 91):.1f}",
        "approved_import_kw": kilo(watts),
        "response_time_s": "2",
        "islanding": "int_isl" if rng.random() < 0.5 else "none",
        "envelope_modes": "op_mod_imp_lim_w;op_mod_exp_lim_w;op_mod_storage_target_w" if limits else "",
        "comms_protocol": "ieee_2030_5" if limits else "sunspec_modbus",
        "comms_latency_s": "5.000" if limits else "1.000",
        "telemetry_interval_s": "300",
        "telemetry_points": "active_power;reactive_power;voltage;stored_energy",
        **_inverter(watts, phases, voltage_v, certified),
    }


def evse(phases: int, voltage_v: int, rng: Random) -> Row:
    """A charger that only draws: level 2 at homes, level 2 or fast elsewhere."""
    watts = rng.choice((7_200, 7_680, 9_600, 11_520) if phases == 1 else (7_200, 11_520, 19_200, 50_000, 150_000))
    return {
        "der_subtype": "dc_fast" if watts >= 50_000 else "level_2",
        "nameplate_ac_kw": kilo(watts),
        "rated_kva": kilo(watts),
        "max_charge_kw": kilo(watts),
        "approved_import_kw": kilo(watts),
        "response_time_s": "30",
        "envelope_modes": "op_mod_load_lim_w",
        "comms_protocol": "openadr_3",
        "comms_latency_s": "30.000",
        "telemetry_interval_s": "300",
        "telemetry_points": "active_power",
        **_terminal(watts, phases, voltage_v),
    }


def demand_response(phases: int, voltage_v: int, rng: Random) -> Row:
    """A load that can be interrupted: air conditioning at homes, process or building load elsewhere. Nameplate is what it can shed."""
    watts = rng.randrange(800, 3_000, 10) if phases == 1 else rng.randrange(10_000, 250_000, 100)
    return {
        "der_subtype": "air_conditioner" if phases == 1 else "building_load",
        "nameplate_ac_kw": kilo(watts),
        "approved_import_kw": kilo(watts),
        "response_time_s": "600",
        "min_run_min": "30",
        "max_run_min": "240",
        "comms_protocol": "openadr_3",
        "comms_latency_s": "60.000",
        "nominal_voltage_v": str(voltage_v),
    }


def label(der_type: str, watts: float, operating_on: date, unit: str, rng: Random) -> Row:
    """Maker, model, firmware and serial number; `unit` is unique in the state for its type, and so is the serial number."""
    makers = _MAKERS[der_type]
    maker, prefix, series = makers[int(rng.random() * len(makers))]
    return {
        "manufacturer": maker,
        "model": f"{series} {_model_size(watts / 1000)}",
        "serial_no": f"{prefix}{operating_on.year % 100:02d}-{unit}",
        "firmware": f"{operating_on.year - 2006}.{operating_on.month}",
    }


def _model_size(kw: float) -> str:
    """The smallest model that holds the power, or several of the largest."""
    if kw > _MODEL_KW[-1]:
        return f"{_MODEL_KW[-1]} x{-int(-kw // _MODEL_KW[-1])}"
    return f"{next(size for size in _MODEL_KW if size >= kw):g}"


def _inverter(watts: int, phases: int, voltage_v: int, certified: str) -> Row:
    factor, reactive, power_factor, normal, abnormal, modes = _CAPABILITIES[certified]
    rated_va = int(watts * factor) // 10 * 10
    kvar = kilo(int(rated_va * reactive))
    return {
        "nameplate_ac_kw": kilo(watts),
        "rated_kva": kilo(rated_va),
        "rated_inject_kvar": kvar,
        "rated_absorb_kvar": kvar,
        "power_factor_over_excited": power_factor,
        "power_factor_under_excited": power_factor,
        "inverter_certification": certified,
        "normal_category": normal,
        "abnormal_category": abnormal,
        "control_modes": ";".join(modes),
        **_terminal(rated_va, phases, voltage_v),
    }


def _terminal(rated_va: int, phases: int, voltage_v: int) -> Row:
    """Voltages within which it runs (0.88 to 1.10 of nominal) and its current."""
    return {
        "nominal_voltage_v": str(voltage_v),
        "min_voltage_v": f"{voltage_v * 0.88:.1f}",
        "max_voltage_v": f"{voltage_v * 1.1:.1f}",
        "max_current_a": f"{rated_va / voltage_v / (sqrt(3) if phases == 3 else 1):.1f}",
    }


def _supervised(watts: int) -> Row:
    """What plants of 1 MW and more report to the utility."""
    ramp = kilo(watts // 10)
    return {
        "ramp_up_kw_per_min": ramp,
        "ramp_down_kw_per_min": ramp,
        "comms_protocol": "dnp3",
        "comms_latency_s": "2.000",
        "telemetry_interval_s": "4",
        "telemetry_points": "active_power;reactive_power;voltage;breaker",
    }


def _protected(voltage_v: int) -> Row:
    settings = {
        "underFrequencyProtection": 59.5,
        "underFrequencyProtectionDelay": 2,
        "overFrequencyProtection": 60.5,
        "overFrequencyProtectionDelay": 2,
        "underVoltageProtection": round(voltage_v * 0.88, 1),
        "underVoltageProtectionDelay": 2,
        "overVoltageProtection": round(voltage_v * 1.1, 1),
        "overVoltageProtectionDelay": 1,
    }
    return {"protection_settings": json.dumps(settings)}
