"""The demonstration state: published totals met exactly, records plausible, unique and the same every time."""

import hashlib
import json
from collections import Counter
from datetime import date
from decimal import Decimal
from itertools import islice, pairwise
from math import inf

import pytest

from moc.demo import newjersey, parties
from moc.demo.generate import GROWTH, filings, rows
from moc.demo.grid import grid, service_points
from moc.demo.sites import apportion, sites
from registry.ders import choices
from registry.ders.dictionary import FIELDS

# Of every value of every row: it changes only when the generator is meant to change.
DIGEST = "0ba06faa87479cf91f6a1beb115b1219b3ed6abef7f3f7eb2c888eee595a7007"
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
CODES = {
    "der_type": choices.DerType,
    "inverter_certification": choices.InverterCertification,
    "normal_category": choices.NormalCategory,
    "abnormal_category": choices.AbnormalCategory,
    "control_modes": choices.ControlMode,
    "envelope_modes": choices.EnvelopeMode,
    "islanding": choices.Islanding,
    "comms_protocol": choices.CommsProtocol,
    "meter_location": choices.MeterLocation,
    "meter_reader": choices.MeterReader,
    "connection_kind": choices.ConnectionKind,
    "customer_sector": choices.CustomerSector,
    "interconnection_kind": choices.InterconnectionKind,
}
NUMBER_SUFFIXES = (
    "_kw",
    "_kva",
    "_kvar",
    "_kwh",
    "_v",
    "_a",
    "_percent",
    "_s",
    "_min",
    "_kw_per_min",
)
TECHNOLOGIES = {
    "photovoltaic": "photovoltaic",
    "wind": "wind",
    "other_generation": "other",
    "storage": "photovoltaic_storage",
}


@pytest.fixture(scope="module")
def filed() -> list[tuple[str, dict]]:
    return list(filings())


@pytest.fixture(scope="module")
def filed_rows(filed) -> list[dict]:
    return [row for _, row in filed]


@pytest.fixture(scope="module")
def points() -> dict[str, dict]:
    return {point["usage_point_id"]: point for point in service_points()}


def illustrative(row: dict) -> bool:
    return row["external_id"].startswith("ILL-")


def test_the_published_totals_are_what_the_issue_names():
    photovoltaic = [total for total in newjersey.totals() if total.technology == "photovoltaic"]
    by_utility = Counter()
    for total in photovoltaic:
        by_utility[total.utility_id_eia] += total.customers
    assert by_utility == {
        963: 29753,
        2650: 28,
        9726: 32803,
        11476: 50,
        15477: 40455,
        16213: 638,
        19856: 588,
        40299: 53,
    }
    assert sum(by_utility.values()) == 104_368
    assert sum(total.capacity_kw for total in photovoltaic) == 1_665_094


def test_rows_sum_to_the_published_customers_and_capacity(filed_rows):
    customers, capacity_kw = Counter(), Counter()
    for row in filed_rows:
        if not illustrative(row):
            key = (
                int(row["utility_id_eia"]),
                row["customer_sector"],
                TECHNOLOGIES[row["der_type"]],
            )
            customers[key] += 1
            capacity_kw[key] += Decimal(row["nameplate_ac_kw"])
    keys = {(total.utility_id_eia, total.customer_sector, total.technology): total for total in newjersey.totals()}
    assert customers == {key: total.customers for key, total in keys.items()}
    assert capacity_kw == {key: total.capacity_kw for key, total in keys.items()}


def test_customers_follow_population_within_each_territory():
    for utility in newjersey.utilities():
        populations = [newjersey.counties()[fips].population for fips in utility.county_fips]
        lived_in = Counter(site.place.county_fips for site in sites(utility) if site.customer[:2] == ("residential", "photovoltaic"))
        customers = sum(lived_in.values())
        assert [lived_in[fips] for fips in utility.county_fips] == apportion(customers, populations)


def test_the_same_every_time(filed_rows):
    assert list(rows(aggregator="PALISADE")) == [row for row in filed_rows if row["external_id"].removeprefix("ILL-").startswith("PAL-")]
    assert hashlib.sha256("\n".join("|".join(row.values()) for row in filed_rows).encode()).hexdigest() == DIGEST
    assert filed_rows[:1000] != list(islice(rows(seed=1), 1000))


def test_counts(filed, filed_rows):
    assert Counter(row["der_type"] for row in filed_rows if illustrative(row)) == {
        "storage": 2431,
        "evse": 2428,
        "demand_response": 1200,
    }
    assert len(filed_rows) == 104_368 + 45 + 2 + 33 + 6_059
    per_aggregator = Counter(aggregator for aggregator, _ in filed)
    assert set(per_aggregator) == {party.code for party in parties.AGGREGATORS}
    assert min(per_aggregator.values()) > 10_000


@pytest.mark.parametrize("column", ["external_id", "serial_no", "consent_reference"])
def test_unique(filed_rows, column):
    assert len({row[column] for row in filed_rows}) == len(filed_rows)


def test_one_aggregator_and_one_device_of_a_kind_per_service_point(filed):
    aggregators = {}
    kinds = Counter()
    for aggregator, row in filed:
        assert aggregators.setdefault(row["usage_point_id"], aggregator) == aggregator
        kinds[row["usage_point_id"], row["der_type"]] += 1
    assert max(kinds.values()) == 1


def test_required_columns_are_filled(filed_rows):
    assert not [row["external_id"] for row in filed_rows if not all(row.get(column) for column in REQUIRED)]


def test_every_column_is_a_filing_column(filed_rows):
    assert {column for row in filed_rows for column in row} <= set(FIELDS)


def test_codes_are_legal(filed_rows):
    for column, kind in CODES.items():
        used = {code for value in {row.get(column) or "" for row in filed_rows} for code in value.split(";") if code}
        assert used and used <= set(kind.values), column
    assert {row["meter_revenue_grade"] for row in filed_rows} == {"true", "false"}


def test_numbers_are_plausible(filed_rows):
    for row in filed_rows:
        numbers = {column: Decimal(value) for column, value in row.items() if value and column.endswith(NUMBER_SUFFIXES)}
        assert min(numbers.values()) >= 0
        assert numbers["nameplate_ac_kw"] > 0
        assert numbers["approved_export_kw"] <= numbers["nameplate_ac_kw"] <= numbers.get("rated_kva", inf)
        if "rated_inject_kvar" in numbers:
            assert numbers["rated_inject_kvar"] <= numbers["rated_kva"]
        if "min_voltage_v" in numbers:
            assert numbers["min_voltage_v"] < numbers["nominal_voltage_v"] < numbers["max_voltage_v"]
        if row["der_type"] == "storage":
            assert numbers["min_stored_energy_kwh"] < numbers["usable_energy_kwh"] < numbers["energy_capacity_kwh"]
        if row["der_type"] == "photovoltaic":
            assert 1 < numbers["nameplate_dc_kw"] / numbers["nameplate_ac_kw"] <= 1.31
        if numbers["approved_export_kw"] > 0:
            assert row["interconnection_agreement_no"]
        for column in ("protection_settings", "temporal_limits"):
            assert column not in row or json.loads(row[column])


def test_dates_are_in_order_and_in_their_years(filed_rows):
    for row in filed_rows:
        in_order = [
            date.fromisoformat(row[column])
            for column in (
                "interconnection_agreement_on",
                "commissioned_on",
                "permission_to_operate_on",
            )
            if column in row
        ]
        assert all(earlier < later for earlier, later in pairwise(in_order))
        assert in_order[-1].year in (range(2019, 2025) if illustrative(row) else GROWTH)


def test_categories_match_the_vintage(filed_rows):
    for row in filed_rows:
        if row.get("normal_category", "not_specified") != "not_specified":
            assert row["permission_to_operate_on"] >= "2018-06-01"
            assert row["inverter_certification"] in ("ul1741sa", "ul1741sb")
        if row.get("inverter_certification") == "ul1741sb":
            assert row["permission_to_operate_on"] >= "2023-01-01"


def test_rows_agree_with_their_service_points(filed_rows, points):
    assert len(points) == 104_368 + 45 + 2
    for row in filed_rows:
        point = points[row["usage_point_id"]]
        assert row["utility_id_eia"] == str(point["utility_id_eia"])
        assert row["county_fips"] == point["county_fips"]
        assert row["premise_address"] == point["address"]
        assert int(row["phases_installed"]) <= point["phases_available"]
        assert abs(float(row["latitude"]) - point["latitude"]) < 1e-5
    territories = {utility.utility_id_eia: set(utility.county_fips) for utility in newjersey.utilities()}
    assert all(point["county_fips"] in territories[point["utility_id_eia"]] for point in points.values())
    assert len({point["address"] for point in points.values()}) == len(points)
    assert all(38.9 < point["latitude"] < 41.4 and -75.6 < point["longitude"] < -73.9 for point in points.values())


def test_the_grid_holds_together(points):
    found = grid()
    interfaces, substations, feeders, transformers = (
        {element.code: element for element in elements}
        for elements in (
            found.interfaces,
            found.substations,
            found.feeders,
            found.transformers,
        )
    )
    assert len(interfaces) == len(found.interfaces) == sum(len(utility.county_fips) for utility in newjersey.utilities())
    assert (len(substations), len(feeders), len(transformers)) == tuple(
        len(elements) for elements in (found.substations, found.feeders, found.transformers)
    )
    assert {element.interface for element in found.substations} == set(interfaces)
    assert {element.substation for element in found.feeders} == set(substations)
    assert {element.feeder for element in found.transformers} == set(feeders)
    assert Counter(point["transformer"] for point in points.values()) == {
        code: transformer.service_points for code, transformer in transformers.items()
    }
    for point in points.values():
        transformer = transformers[point["transformer"]]
        assert transformer.feeder == point["feeder"]
        assert transformer.utility_id_eia == point["utility_id_eia"]
        assert feeders[point["feeder"]].substation == point["substation"]
    assert max(feeder.service_points for feeder in found.feeders) <= 1_000
    assert all(feeder.generation_kw < feeder.rated_kva for feeder in found.feeders)
    assert {transformer.service_points for transformer in found.transformers} <= set(range(1, 11))


def test_parties_and_oversight():
    everyone = parties.parties()
    assert len({party.slug for party in everyone}) == len(everyone) == 1 + 2 + 5 + 8 + 4
    overseers = {}
    for overseer, utility in parties.oversight():
        overseers.setdefault(utility, set()).add(overseer)
    assert overseers == {
        "ACE": {"NJBPU", "PJM"},
        "BUTLER": {"BUTLERGOV", "PJM"},
        "JCPL": {"NJBPU", "PJM"},
        "MADISON": {"MADISONGOV", "PJM"},
        "PSEG": {"NJBPU", "PJM"},
        "RECO": {"NJBPU", "NYISO"},
        "VINELAND": {"VINELANDGOV", "PJM"},
        "SUSSEX": {"SUSSEXCOOP", "PJM"},
    }


def test_apportion_is_exact_and_in_proportion():
    assert apportion(10, [1, 1, 1]) == [4, 3, 3]
    assert apportion(100, [70, 20, 10], minimum=5) == [65, 22, 13]
    assert apportion(0, [3, 4]) == [0, 0]
