"""The published figures of the demonstration state, typed. Source, meaning and licence of each file: data/SOURCE.md."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path

YEAR = 2018
DATA = Path(__file__).parent / "data"


@dataclass(frozen=True)
class Utility:
    """A distribution utility with net-metering customers; `annual_mwh` is what it distributed, sold by itself or by others."""

    utility_id_eia: int
    name: str
    balancing_authority_code: str
    nerc_region: str
    annual_mwh: int
    county_fips: tuple[str, ...]


@dataclass(frozen=True)
class County:
    """A county with its estimated population of July 2018."""

    county_fips: str
    name: str
    population: int


@dataclass(frozen=True)
class Total:
    """Net-metering customers and capacity of one utility, sector and technology, as published (capacity to the kW)."""

    utility_id_eia: int
    customer_sector: str
    technology: str
    customers: int
    capacity_kw: int


@dataclass(frozen=True)
class Place:
    """A town with an approximate centre in degrees and radius in km; exclusive to one utility when it names one."""

    county_fips: str
    utility_id_eia: int | None
    name: str
    zip_code: str
    latitude: float
    longitude: float
    radius_km: float


def _read(name: str) -> Iterator[dict[str, str]]:
    with (DATA / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


@cache
def utilities() -> tuple[Utility, ...]:
    """The eight utilities, by EIA id."""
    annual_mwh: dict[str, int] = {}
    for row in _read("sales"):
        annual_mwh[row["utility_id_eia"]] = annual_mwh.get(row["utility_id_eia"], 0) + int(row["sales_mwh"])
    territory: dict[str, list[str]] = {}
    for row in _read("territories"):
        territory.setdefault(row["utility_id_eia"], []).append(row["county_fips"])
    return tuple(
        Utility(
            int(row["utility_id_eia"]),
            row["name"],
            row["balancing_authority_code"],
            row["nerc_region"],
            annual_mwh[row["utility_id_eia"]],
            tuple(territory[row["utility_id_eia"]]),
        )
        for row in _read("utilities")
    )


@cache
def counties() -> dict[str, County]:
    """The 21 counties by FIPS code."""
    return {row["county_fips"]: County(row["county_fips"], row["name"], int(row["population_2018"])) for row in _read("counties")}


@cache
def totals() -> tuple[Total, ...]:
    """Published net-metering totals; technology is photovoltaic, photovoltaic_storage, wind or other."""
    return tuple(
        Total(
            int(row["utility_id_eia"]),
            row["customer_sector"],
            row["technology"],
            int(row["customers"]),
            int(Decimal(row["capacity_mw"]).scaleb(3)),
        )
        for row in _read("net_metering")
    )


@cache
def places(utility_id_eia: int, county_fips: str) -> tuple[Place, ...]:
    """The towns of a county that a utility's generated customers live in: its own where it has any, else the common ones."""
    found = [_place(row) for row in _read("places") if row["county_fips"] == county_fips]
    own = tuple(place for place in found if place.utility_id_eia == utility_id_eia)
    return own or tuple(place for place in found if place.utility_id_eia is None)


@cache
def invented_names(kind: str) -> tuple[str, ...]:
    """Names of nothing and nobody: street, given, surname or business."""
    return tuple(row["name"] for row in _read("names") if row["kind"] == kind)


def _place(row: dict[str, str]) -> Place:
    return Place(
        row["county_fips"],
        int(row["utility_id_eia"]) if row["utility_id_eia"] else None,
        row["place"],
        row["zip_code"],
        float(row["latitude"]),
        float(row["longitude"]),
        float(row["radius_km"]),
    )
