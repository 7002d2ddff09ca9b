"""Where the demonstration state's customers are: the published totals spread over counties, towns, feeders and transformers.

A customer counted by EIA-861 is one site with one service point. Per utility, sector and technology the sites' watts add up to the
published kW exactly. The grid they hang on is invented; counties, and roughly the towns, are real.
"""

from collections.abc import Iterator, Sequence
from math import cos, pi, radians, sin, sqrt
from random import Random
from typing import NamedTuple

from moc.demo import newjersey
from moc.demo.newjersey import Place, Total, Utility
from moc.demo.parties import UTILITIES

SEED = 861_2018
SITES_PER_FEEDER = 500
FEEDERS_PER_SUBSTATION = 3
HOMES_PER_TRANSFORMER = (5, 10)
KM_PER_DEGREE = 111.2
# Sizes are drawn in steps of 10 W, which divide the published kW.
STEP_W = 10
# Sigma of the lognormal sizes: homes are alike, shops and schools are not.
_SPREAD_OF_SIZES = {"residential": 0.4, "commercial": 0.9, "industrial": 0.6}
_STREET_KINDS = (
    "Street",
    "Avenue",
    "Lane",
    "Road",
    "Court",
    "Drive",
    "Place",
    "Terrace",
)
_STREETS = tuple(f"{name} {kind}" for kind in _STREET_KINDS for name in newjersey.invented_names("street"))
_CODES = {party.utility_id_eia: party.code for party in UTILITIES}


class Customer(NamedTuple):
    """A net-metering customer before it has a place; `battery_w` is the storage EIA counts beside photovoltaics, else 0."""

    customer_sector: str
    technology: str
    capacity_w: int
    battery_w: int


class Site(NamedTuple):
    """A customer at its service point. `number` counts from 1 within the utility; codes are unique in the state."""

    number: int
    utility_id_eia: int
    customer: Customer
    place: Place
    address: str
    latitude: float
    longitude: float
    transformer: str
    feeder: str
    substation: str
    interface: str
    pnode: str

    @property
    def usage_point_id(self) -> str:
        return f"UP-{self.utility_id_eia}-{self.number:07d}"

    @property
    def phases(self) -> int:
        return 1 if self.customer.customer_sector == "residential" else 3

    @property
    def voltage_v(self) -> int:
        """Nominal service voltage: 240 V split phase for homes, 208 V or 480 V three-phase for the others."""
        if self.phases == 1:
            return 240
        return 208 if self.customer.capacity_w < 100_000 else 480


def apportion(total: int, weights: Sequence[float], minimum: int = 0) -> list[int]:
    """Whole numbers, each at least `minimum`, in proportion to the weights (largest remainders) and with exactly this total."""
    spread = total - minimum * len(weights)
    factor = spread / sum(weights)
    exact = [weight * factor for weight in weights]
    shares = [int(value) for value in exact]
    by_remainder = sorted(range(len(shares)), key=lambda index: (shares[index] - exact[index], index))
    for index in by_remainder[: spread - sum(shares)]:
        shares[index] += 1
    return [share + minimum for share in shares]


def sites(utility: Utility, seed: int = SEED) -> Iterator[Site]:
    """Every site of a utility, feeder by feeder and transformer by transformer; the same for the same seed."""
    rng = Random(f"{seed}/{utility.utility_id_eia}/sites")
    number = 0
    for county_fips, customers in _by_county(utility, rng).items():
        for site in _county(utility, county_fips, customers, rng):
            number += 1
            yield site._replace(number=number)


def _by_county(utility: Utility, rng: Random) -> dict[str, list[Customer]]:
    """The utility's customers, spread over its counties by population."""
    populations = [newjersey.counties()[fips].population for fips in utility.county_fips]
    found: dict[str, list[Customer]] = {fips: [] for fips in utility.county_fips}
    own = [total for total in newjersey.totals() if total.utility_id_eia == utility.utility_id_eia]
    batteries = {total.customer_sector: total for total in own if total.technology == "photovoltaic_storage"}
    for total in own:
        if total.technology == "photovoltaic_storage":
            continue
        battery = batteries.get(total.customer_sector) if total.technology == "photovoltaic" else None
        battery_sizes = (_sizes(battery, rng) if battery else []) + [0] * (total.customers - (battery.customers if battery else 0))
        rng.shuffle(battery_sizes)
        homes = [fips for fips, share in zip(utility.county_fips, apportion(total.customers, populations)) for _ in range(share)]
        for fips, capacity_w, battery_w in zip(homes, _sizes(total, rng), battery_sizes, strict=True):
            found[fips].append(Customer(total.customer_sector, total.technology, capacity_w, battery_w))
    for customers in found.values():
        rng.shuffle(customers)
    return {fips: customers for fips, customers in found.items() if customers}


def _sizes(total: Total, rng: Random) -> list[int]:
    """Watts of each customer of a total: lognormal, none below a fifth of the mean, in sum the published capacity."""
    spread = _SPREAD_OF_SIZES[total.customer_sector]
    steps = total.capacity_kw * 1000 // STEP_W
    draws = [rng.lognormvariate(0, spread) for _ in range(total.customers)]
    return [STEP_W * size for size in apportion(steps, draws, steps // total.customers // 5)]


def _county(utility: Utility, county_fips: str, customers: list[Customer], rng: Random) -> Iterator[Site]:
    """Lay a county's customers out: towns in turn, transformers around each town, feeders as sectors of them. Numbers are 0 yet."""
    code = f"{_CODES[utility.utility_id_eia]}-{county_fips[2:]}"
    pnode = f"{_CODES[utility.utility_id_eia]}_{newjersey.counties()[county_fips].name.removesuffix(' County').upper().replace(' ', '')}_TD"
    towns = newjersey.places(utility.utility_id_eia, county_fips)
    feeder_size = len(customers) / max(1, len(customers) // SITES_PER_FEEDER)
    placed = transformers = 0
    for town, share in zip(towns, apportion(len(customers), [1] * len(towns))):
        groups = _transformer_groups(customers[:share], rng)
        customers = customers[share:]
        for index, group in enumerate(groups):
            transformers += 1
            feeder = int(placed / feeder_size) + 1
            placed += len(group)
            spot = _around(town, index / len(groups), rng)
            for position, customer in enumerate(group):
                yield Site(
                    0,
                    utility.utility_id_eia,
                    customer,
                    town,
                    _address(utility, town, index, position),
                    round(spot[0] + rng.uniform(-0.0005, 0.0005), 5),
                    round(spot[1] + rng.uniform(-0.0005, 0.0005), 5),
                    f"{code}-T{transformers:05d}",
                    f"{code}-F{feeder:03d}",
                    f"{code}-S{(feeder - 1) // FEEDERS_PER_SUBSTATION + 1:02d}",
                    f"{code}-TD",
                    pnode,
                )


def _transformer_groups(customers: list[Customer], rng: Random) -> list[list[Customer]]:
    """Homes share a transformer, five to ten at a time; every other customer has its own. In random order."""
    few, many = HOMES_PER_TRANSFORMER
    groups = [[customer] for customer in customers if customer.customer_sector != "residential"]
    homes = [customer for customer in customers if customer.customer_sector == "residential"]
    while homes:
        share = rng.randint(few, many)
        if len(homes) - share < few:
            share = len(homes) if len(homes) <= many else len(homes) // 2
        groups.append(homes[:share])
        homes = homes[share:]
    rng.shuffle(groups)
    return groups


def _around(town: Place, turn: float, rng: Random) -> tuple[float, float]:
    """A point of the town's disc at this part of a full turn."""
    distance = town.radius_km * sqrt(rng.random()) / KM_PER_DEGREE
    return town.latitude + distance * sin(2 * pi * turn), town.longitude + distance * cos(2 * pi * turn) / cos(radians(town.latitude))


def _address(utility: Utility, town: Place, transformer: int, position: int) -> str:
    """An invented address, unique in the state: blocks of a hundred house numbers, in turn for each utility."""
    block, street = divmod(transformer, len(_STREETS))
    block = block * len(_CODES) + list(_CODES).index(utility.utility_id_eia)
    return f"{100 * block + 4 * position + 3} {_STREETS[street]}, {town.name}, NJ {town.zip_code}"
