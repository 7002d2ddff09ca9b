"""Makes the benchmark's filing file: 40 columns, a known share of bad rows in 20 ways, quoted newlines.

It knows nothing of the project's rules: what is wrong with a bad row stands in FAULTS, in plain values. Rows are numbered as in a
spreadsheet by records: the header is row 1, the first record row 2; a quoted newline does not count.

The registry must know `service_point_ids(rows)` beforehand, service point i at utility `UTILITIES[(i - 1) % 8]`; in SQL:
`SELECT 'SP-' || lpad(i::text, 7, '0'), (ARRAY[963, 2650, 9726, 11476, 15477, 16213, 19856, 40299])[(i - 1) % 8 + 1]
FROM generate_series(1, n) AS i`.
"""

import csv
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import date, timedelta
from io import StringIO
from pathlib import Path
from random import Random

UTILITIES = (963, 2650, 9726, 11476, 15477, 16213, 19856, 40299)
# One county of each utility's territory, with a ZIP code and a place in it.
_PLACES = (
    ("34001", "08037", 39.64, -74.80),
    ("34027", "07405", 41.00, -74.34),
    ("34025", "07728", 40.24, -74.27),
    ("34027", "07940", 40.76, -74.42),
    ("34013", "07104", 40.74, -74.19),
    ("34003", "07430", 41.07, -74.17),
    ("34011", "08360", 39.48, -75.03),
    ("34037", "07461", 41.23, -74.62),
)
REQUIRED = (
    "external_id",
    "der_type",
    "nameplate_ac_kw",
    "customer_sector",
    "approved_export_kw",
    "approved_import_kw",
    "consent_reference",
    "utility_id_eia",
    "usage_point_id",
    "premise_address",
    "edc_account_no",
)
COLUMNS = (
    *REQUIRED,
    "manufacturer",
    "model",
    "serial_no",
    "inverter_certification",
    "commissioned_on",
    "permission_to_operate_on",
    "nameplate_dc_kw",
    "rated_kva",
    "rated_inject_kvar",
    "rated_absorb_kvar",
    "max_charge_kw",
    "max_discharge_kw",
    "energy_capacity_kwh",
    "usable_energy_kwh",
    "min_stored_energy_kwh",
    "nominal_voltage_v",
    "power_factor_over_excited",
    "normal_category",
    "abnormal_category",
    "control_modes",
    "phases_installed",
    "connection_kind",
    "interconnection_agreement_no",
    "interconnection_agreement_on",
    "interconnection_kind",
    "county_fips",
    "zip_code",
    "latitude",
    "longitude",
)

# Good rows repeat a pool of prototypes whose KEY is replaced by the record's number. A prototype's place in the pool modulo 8 is its
# utility; of every hundred groups of eight, 80 are photovoltaic, 12 storage, 8 chargers.
KEY = "@"
GROUPS, STORAGE_FROM, CHARGERS_FROM = 100, 80, 92
_NEWLINE_EVERY = 20
_LINES_PER_WRITE = 5_000


@dataclass(frozen=True)
class Fault:
    """One way to be bad: `values` overwrite the row's; `hint` says in words which rule should object and blame `column`.

    A fault without values depends on the row, see _broken. `on` is the type of row that can be bad so.
    """

    kind: str
    column: str
    hint: str
    values: dict[str, str] = field(default_factory=dict)
    on: str = "photovoltaic"


FAULTS = (
    Fault("text_in_number", "nameplate_ac_kw", "not a number", {"nameplate_ac_kw": "seven"}),
    Fault("negative_nameplate", "nameplate_ac_kw", "negative rating", {"nameplate_ac_kw": "-7.600"}),
    Fault("storage_without_energy", "energy_capacity_kwh", "storage needs its kWh", {"energy_capacity_kwh": ""}, "storage"),
    Fault("export_above_nameplate", "approved_export_kw", "export above nameplate", {"approved_export_kw": "99999.000"}),
    Fault("impossible_date", "commissioned_on", "no such day", {"commissioned_on": "2023-02-30"}),
    Fault(
        "commissioned_after_operating",
        "commissioned_on",
        "commissioned after permission to operate",
        {"commissioned_on": "2024-03-01", "permission_to_operate_on": "2024-02-01"},
    ),
    Fault("future_date", "permission_to_operate_on", "date in the future", {"permission_to_operate_on": "2199-01-01"}),
    Fault("unknown_service_point", "usage_point_id", "service point not known", {"usage_point_id": f"XX-{KEY}"}),
    Fault("unknown_utility", "utility_id_eia", "utility not known", {"utility_id_eia": "99999"}),
    Fault("missing_required", "", "a required column is empty (each in turn)"),
    Fault("unknown_choice", "der_type", "not one of the codes", {"der_type": "perpetual_motion"}),
    Fault("power_factor_above_one", "power_factor_over_excited", "power factor above 1", {"power_factor_over_excited": "1.200"}),
    Fault("duplicate_serial", "serial_no", "serial number of an earlier row of the file"),
    Fault("duplicate_external_id", "external_id", "id of an earlier row of the file"),
    Fault("usable_above_capacity", "usable_energy_kwh", "usable energy above capacity", {"usable_energy_kwh": "99999.000"}, "storage"),
    Fault("latitude_out_of_range", "latitude", "latitude above 90", {"latitude": "123.45678"}),
    Fault(
        "minimum_above_capacity",
        "min_stored_energy_kwh",
        "minimum stored energy above capacity",
        {"min_stored_energy_kwh": "99999.000"},
        "storage",
    ),
    Fault("export_without_agreement", "interconnection_agreement_no", "exports without an agreement", {"interconnection_agreement_no": ""}),
    Fault("service_point_of_another_utility", "usage_point_id", "service point belongs to another utility"),
    Fault("too_many_cells", "", "more cells than the header has"),
)


@dataclass
class Expected:
    """What a reader must find: `bad` maps row number to kind; `twins` maps the row of a duplicate to the good row it repeats."""

    path: str
    rows: int
    bad: dict[int, str]
    twins: dict[int, int]

    @property
    def good_rows(self) -> int:
        return self.rows - len(self.bad)

    def by_kind(self) -> Counter:
        return Counter(self.bad.values())

    def save(self, path: Path) -> None:
        path.write_text(json.dumps(asdict(self)))

    @classmethod
    def load(cls, path: Path) -> "Expected":
        found = json.loads(path.read_text())
        bad, twins = ({int(row): value for row, value in found[name].items()} for name in ("bad", "twins"))
        return cls(found["path"], found["rows"], bad, twins)


def service_point_id(record: int) -> str:
    """The service point of the record with this number, counted from 1."""
    return f"SP-{record:07d}"


def service_point_ids(count: int) -> Iterator[tuple[str, int]]:
    """(usage_point_id, utility_id_eia) of the service points that a file of `count` rows needs."""
    return ((service_point_id(record), UTILITIES[(record - 1) % len(UTILITIES)]) for record in range(1, count + 1))


def write_csv(path: Path | str, rows: int = 1_000_000, bad_share: float = 0.05, seed: int = 861) -> Expected:
    """Write the file, streaming, and return what is wrong in it. The first record is always good; the same seed gives the same file."""
    rng = Random(seed)
    prototypes = _prototypes(rng)
    templates = [_line(row.values()) for row in prototypes]
    places = rng.sample(range(2, rows + 1), round(rows * bad_share))
    faults = {record: FAULTS[turn % len(FAULTS)] for turn, record in enumerate(places)}
    expected = Expected(str(path), rows, {record + 1: faults[record].kind for record in sorted(faults)}, {})
    size, lines, twin = len(templates), [_line(COLUMNS)], 1
    with open(path, "w", encoding="utf-8", newline="") as file:
        for record in range(1, rows + 1):
            fault = faults.get(record)
            if fault is None:
                lines.append(templates[(record - 1) % size].replace(KEY, f"{record:07d}"))
                twin = record
            else:
                lines.append(_line(_broken(prototypes, record, fault, twin)))
                if fault.kind.startswith("duplicate_"):
                    expected.twins[record + 1] = twin + 1
            if len(lines) >= _LINES_PER_WRITE:
                file.write("".join(lines))
                lines.clear()
        file.write("".join(lines))
    return expected


def _broken(prototypes: list[dict[str, str]], record: int, fault: Fault, twin: int) -> list[str]:
    """The cells of a bad record: a good row of its utility, broken in this one way."""
    utilities = len(UTILITIES)
    first, groups = (STORAGE_FROM, CHARGERS_FROM - STORAGE_FROM) if fault.on == "storage" else (0, STORAGE_FROM)
    prototype = prototypes[(first + record // utilities % groups) * utilities + (record - 1) % utilities]
    row = {column: value.replace(KEY, f"{record:07d}") for column, value in (prototype | fault.values).items()}
    earlier = {column: value.replace(KEY, f"{twin:07d}") for column, value in prototypes[(twin - 1) % len(prototypes)].items()}
    if fault.kind == "missing_required":
        row[REQUIRED[record % len(REQUIRED)]] = ""
    elif fault.kind == "duplicate_serial":
        row |= {column: earlier[column] for column in ("manufacturer", "model", "serial_no")}
    elif fault.kind == "duplicate_external_id":
        row["external_id"] = earlier["external_id"]
    elif fault.kind == "service_point_of_another_utility":
        row["utility_id_eia"] = str(UTILITIES[record % utilities])
    return [*row.values(), *(["surplus", "cells"] if fault.kind == "too_many_cells" else [])]


def _prototypes(rng: Random) -> list[dict[str, str]]:
    """The pool of good rows, KEY standing for the record's number: GROUPS groups of one row per utility."""
    return [_prototype(group, utility, *place, rng) for group in range(GROUPS) for utility, place in zip(UTILITIES, _PLACES, strict=True)]


def _prototype(group: int, utility: int, county_fips: str, zip_code: str, latitude: float, longitude: float, rng: Random) -> dict[str, str]:
    watts = rng.randrange(3_000, 15_000, 10)
    commissioned_on = date(2012, 1, 1) + timedelta(days=rng.randrange(4_000))
    apartment = f"\nApartment {group}" if group % _NEWLINE_EVERY == 7 else ""
    row = {
        "external_id": f"X-{KEY}",
        "nameplate_ac_kw": _kilo(watts),
        "customer_sector": "residential",
        "consent_reference": f"CONSENT-{KEY}",
        "utility_id_eia": str(utility),
        "usage_point_id": f"SP-{KEY}",
        "premise_address": f"{KEY} Benchmark Road{apartment}, NJ {zip_code}",
        "edc_account_no": f"{utility:05d}{KEY}",
        "model": f"Model {watts // 1000}",
        "serial_no": f"SN-{KEY}",
        "commissioned_on": commissioned_on.isoformat(),
        "permission_to_operate_on": (commissioned_on + timedelta(days=20)).isoformat(),
        "nominal_voltage_v": "240",
        "phases_installed": "1",
        "connection_kind": "btm",
        "interconnection_agreement_on": (commissioned_on - timedelta(days=60)).isoformat(),
        "county_fips": county_fips,
        "zip_code": zip_code,
        "latitude": f"{latitude + rng.uniform(-0.03, 0.03):.5f}",
        "longitude": f"{longitude + rng.uniform(-0.03, 0.03):.5f}",
        **_technology(group, watts),
    }
    return {column: row.get(column, "") for column in COLUMNS}


def _technology(group: int, watts: int) -> dict[str, str]:
    """The columns that differ by technology."""
    power = _kilo(watts)
    if group >= CHARGERS_FROM:
        charger = {"der_type": "evse", "manufacturer": "Bench Chargers", "max_charge_kw": power, "approved_import_kw": power}
        return {**charger, "approved_export_kw": "0.000", "interconnection_agreement_on": "", "interconnection_kind": "none"}
    inverter = {
        "inverter_certification": "ul1741sa",
        "rated_kva": _kilo(watts * 1.1),
        "rated_inject_kvar": _kilo(watts * 0.44),
        "rated_absorb_kvar": _kilo(watts * 0.44),
        "power_factor_over_excited": "0.900",
        "normal_category": "b",
        "abnormal_category": "ii",
        "control_modes": "max_w;volt_var;volt_watt",
        "interconnection_agreement_no": f"IA-{KEY}",
        "approved_export_kw": power,
    }
    if group < STORAGE_FROM:
        modules = {"der_type": "photovoltaic", "manufacturer": "Bench Solar", "nameplate_dc_kw": _kilo(watts * 1.2)}
        return {**inverter, **modules, "approved_import_kw": "0.000", "interconnection_kind": "net_metering"}
    battery = {"der_type": "storage", "manufacturer": "Bench Storage", "max_charge_kw": power, "max_discharge_kw": power}
    energies = {"energy_capacity_kwh": 2.5, "usable_energy_kwh": 2.3, "min_stored_energy_kwh": 0.1}
    hours = {column: _kilo(watts * factor) for column, factor in energies.items()}
    return {**inverter, **battery, **hours, "approved_import_kw": power, "interconnection_kind": "parallel"}


def _kilo(value: float) -> str:
    return f"{value / 1000:.3f}"


def _line(cells) -> str:
    buffer = StringIO()
    csv.writer(buffer, lineterminator="\n").writerow(cells)
    return buffer.getvalue()
