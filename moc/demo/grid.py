"""The invented grid under the demonstration state's sites: one T-D interface per utility and county, substations, feeders, transformers."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby

from moc.demo import newjersey
from moc.demo.sites import SEED, Site, sites

_SINGLE_PHASE_KVA = (25.0, 37.5, 50.0, 75.0, 100.0, 167.0, 250.0, 333.0, 500.0)
_THREE_PHASE_KVA = (
    30.0,
    45.0,
    75.0,
    112.5,
    150.0,
    225.0,
    300.0,
    500.0,
    750.0,
    1000.0,
    1500.0,
    2000.0,
    2500.0,
    3750.0,
    5000.0,
    7500.0,
    10000.0,
)
_MARGIN = 1.15
_FEEDER_KVA = 10_000
_DISTRIBUTION_KV, _SUBTRANSMISSION_KV = 13.2, 34.5


@dataclass(frozen=True)
class Interface:
    """A transmission-distribution interface with its pricing node (both invented)."""

    code: str
    pnode: str
    utility_id_eia: int
    balancing_authority_code: str
    county_fips: str


@dataclass(frozen=True)
class Substation:
    code: str
    interface: str
    utility_id_eia: int
    county_fips: str
    latitude: float
    longitude: float


@dataclass(frozen=True)
class Feeder:
    """`service_points` and `generation_kw` are those of the demonstration state."""

    code: str
    substation: str
    utility_id_eia: int
    nominal_voltage_kv: float
    rated_kva: float
    service_points: int
    generation_kw: float


@dataclass(frozen=True)
class Transformer:
    code: str
    feeder: str
    utility_id_eia: int
    phases: int
    rated_kva: float
    secondary_voltage_v: int
    service_points: int
    latitude: float
    longitude: float


@dataclass
class Grid:
    """Every element of the grid, upstream before downstream; elements name what they hang on by its code."""

    interfaces: list[Interface] = field(default_factory=list)
    substations: list[Substation] = field(default_factory=list)
    feeders: list[Feeder] = field(default_factory=list)
    transformers: list[Transformer] = field(default_factory=list)


def grid(seed: int = SEED) -> Grid:
    """The whole grid of the state."""
    found = Grid()
    for utility in newjersey.utilities():
        for code, county in groupby(sites(utility, seed), key=lambda site: site.interface):
            members = list(county)
            first = members[0]
            found.interfaces.append(
                Interface(
                    code,
                    first.pnode,
                    utility.utility_id_eia,
                    utility.balancing_authority_code,
                    first.place.county_fips,
                )
            )
            for _, group in groupby(members, key=lambda site: site.substation):
                found.substations.append(_substation(list(group)))
            for _, group in groupby(members, key=lambda site: site.feeder):
                found.feeders.append(_feeder(list(group)))
            for _, group in groupby(members, key=lambda site: site.transformer):
                found.transformers.append(_transformer(list(group)))
    return found


def service_points(seed: int = SEED) -> Iterator[dict]:
    """One service point per site, by utility and number.

    Keys: usage_point_id, utility_id_eia (int), feeder, transformer and substation codes, county_fips, zip_code, address, latitude,
    longitude (degrees), phases_available (1 or 3), nominal_voltage_v.
    """
    for utility in newjersey.utilities():
        for site in sites(utility, seed):
            yield {
                "usage_point_id": site.usage_point_id,
                "utility_id_eia": site.utility_id_eia,
                "feeder": site.feeder,
                "transformer": site.transformer,
                "substation": site.substation,
                "county_fips": site.place.county_fips,
                "zip_code": site.place.zip_code,
                "address": site.address,
                "latitude": site.latitude,
                "longitude": site.longitude,
                "phases_available": site.phases,
                "nominal_voltage_v": site.voltage_v,
            }


def _substation(members: list[Site]) -> Substation:
    latitude, longitude = _middle(members)
    first = members[0]
    return Substation(
        first.substation,
        first.interface,
        first.utility_id_eia,
        first.place.county_fips,
        latitude,
        longitude,
    )


def _feeder(members: list[Site]) -> Feeder:
    """A 13.2 kV feeder of 10 MVA, or as much more at 34.5 kV as its generation asks for."""
    generation_kw = sum(site.customer.capacity_w for site in members) / 1000
    needed = 1000.0 * -(-generation_kw * _MARGIN // 1000)
    voltage = _DISTRIBUTION_KV if needed <= _FEEDER_KVA else _SUBTRANSMISSION_KV
    first = members[0]
    return Feeder(
        first.feeder,
        first.substation,
        first.utility_id_eia,
        voltage,
        max(float(_FEEDER_KVA), needed),
        len(members),
        generation_kw,
    )


def _transformer(members: list[Site]) -> Transformer:
    """The smallest standard size that carries its generation."""
    first = members[0]
    needed = sum(site.customer.capacity_w for site in members) / 1000 * _MARGIN
    sizes = _SINGLE_PHASE_KVA if first.phases == 1 else _THREE_PHASE_KVA
    rated_kva = next(size for size in sizes if size >= needed)
    latitude, longitude = _middle(members)
    return Transformer(
        first.transformer,
        first.feeder,
        first.utility_id_eia,
        first.phases,
        rated_kva,
        first.voltage_v,
        len(members),
        latitude,
        longitude,
    )


def _middle(members: list[Site]) -> tuple[float, float]:
    return (
        round(sum(site.latitude for site in members) / len(members), 5),
        round(sum(site.longitude for site in members) / len(members), 5),
    )
