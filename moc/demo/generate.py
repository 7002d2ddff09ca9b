"""The rows that the aggregators file: one per device, columns named as in the filing template, empty columns left out.

Photovoltaic, wind and other rows, and the storage rows whose external_id does not start with ILL-, add up exactly to EIA-861's
net-metering customers and capacity by utility, sector and technology. ILL- rows are illustrative and in no published total.
"""

import json
from collections.abc import Iterator
from datetime import date, timedelta
from random import Random

from moc.demo import devices, newjersey
from moc.demo.devices import Row, kilo
from moc.demo.parties import aggregator_of
from moc.demo.sites import SEED, Site, sites

# Roughly how New Jersey's net-metered systems grew: the share of today's systems that were permitted in each year.
GROWTH = {
    2008: 25,
    2009: 15,
    2010: 35,
    2011: 60,
    2012: 70,
    2013: 70,
    2014: 80,
    2015: 130,
    2016: 190,
    2017: 190,
    2018: 170,
}
_BATTERY_YEARS = {2016: 1, 2017: 2, 2018: 4}
_ILLUSTRATIVE_YEARS = {2019: 1, 2020: 2, 2021: 3, 2022: 4, 2023: 5, 2024: 5}

# EIA's technology as filed: type, tag of its ids, what describes it.
_PUBLISHED = {
    "photovoltaic": ("photovoltaic", "PV", devices.photovoltaic),
    "wind": ("wind", "WT", devices.wind),
    "other": ("other_generation", "OG", devices.other_generation),
}


def filings(seed: int = SEED) -> Iterator[tuple[str, Row]]:
    """Every filing row with the code of the aggregator that files it, utility by utility; the same for the same seed."""
    for utility in newjersey.utilities():
        rng = Random(f"{seed}/{utility.utility_id_eia}/filings")
        illustrative = Random(f"{seed}/{utility.utility_id_eia}/illustrative")
        for site in sites(utility, seed):
            aggregator = aggregator_of(site.number, site.customer.customer_sector)
            for row in (
                *_published(site, aggregator, rng),
                *_illustrative(site, aggregator, illustrative),
            ):
                yield aggregator, row


def rows(seed: int = SEED, aggregator: str | None = None) -> Iterator[Row]:
    """The filing rows of one aggregator (by code), or of all."""
    return (row for filer, row in filings(seed) if aggregator in (None, filer))


def _published(site: Site, aggregator: str, rng: Random) -> Iterator[Row]:
    """The customer's generator, and its battery where EIA counts one beside it."""
    customer = site.customer
    der_type, tag, describe = _PUBLISHED[customer.technology]
    dates = _dates(_BATTERY_YEARS if customer.battery_w else GROWTH, rng)
    operating_on = dates[2]
    yield {
        **_common(site, aggregator, der_type, tag, customer.capacity_w, operating_on, rng),
        "nameplate_ac_kw": kilo(customer.capacity_w),
        **describe(customer.capacity_w, site.phases, site.voltage_v, operating_on, rng),
        **_net_metered(site, customer.capacity_w, rng),
        **_agreement(tag, site, dates),
    }
    if customer.battery_w:
        yield {
            **_common(site, aggregator, "storage", "BS", customer.battery_w, operating_on, rng),
            **devices.storage(customer.battery_w, site.phases, site.voltage_v, operating_on, rng),
            **_not_exporting(customer.battery_w),
            **_agreement("BS", site, dates),
        }


def _illustrative(site: Site, aggregator: str, rng: Random) -> Iterator[Row]:
    """Now and then a battery, a charger or an interruptible load: about 6,000 in the state, in no published total."""
    home = site.phases == 1
    if site.number % 43 == 7 and not site.customer.battery_w:
        dates = _dates(_ILLUSTRATIVE_YEARS, rng)
        watts = rng.choice((5_000, 7_600, 10_000, 11_500)) if home else rng.choice((30_000, 60_000, 125_000, 250_000))
        yield {
            **_marked(site, aggregator, "storage", "BS", watts, dates[2], rng),
            **devices.storage(watts, site.phases, site.voltage_v, dates[2], rng),
            **(_exporting(watts) if rng.random() < 0.5 else _not_exporting(watts)),
            **_agreement("BS", site, dates),
        }
    for der_type, tag, share, describe in (
        ("evse", "EV", site.number % 43 == 21, devices.evse),
        ("demand_response", "DR", site.number % 87 == 30, devices.demand_response),
    ):
        if share:
            dates = _dates(_ILLUSTRATIVE_YEARS, rng)
            facts = describe(site.phases, site.voltage_v, rng)
            yield {
                **_marked(
                    site,
                    aggregator,
                    der_type,
                    tag,
                    float(facts["nameplate_ac_kw"]) * 1000,
                    dates[2],
                    rng,
                ),
                **facts,
                "commissioned_on": dates[1].isoformat(),
                "permission_to_operate_on": dates[2].isoformat(),
                "interconnection_kind": "none",
                "approved_export_kw": "0.000",
            }


def _dates(years: dict[int, int], rng: Random) -> tuple[date, date, date]:
    """Agreement, commissioning and permission to operate, in this order; the last in one of the years."""
    (year,) = rng.choices(list(years), list(years.values()))
    operating_on = date(year, 1, 1) + timedelta(days=rng.randrange(365))
    commissioned_on = operating_on - timedelta(days=rng.randrange(3, 45))
    return (
        commissioned_on - timedelta(days=rng.randrange(20, 120)),
        commissioned_on,
        operating_on,
    )


def _common(
    site: Site,
    aggregator: str,
    der_type: str,
    tag: str,
    watts: float,
    operating_on: date,
    rng: Random,
) -> Row:
    """What every row says: identity, place, meter, consent and owner."""
    customer, unit = site.customer, f"{site.utility_id_eia}-{site.number:07d}"
    return {
        "external_id": f"{aggregator[:3]}-{tag}-{unit}",
        "der_type": der_type,
        **devices.label(der_type, watts, operating_on, f"{unit}{tag}", rng),
        "phases_installed": str(site.phases),
        "connection_kind": "btm",
        "customer_sector": customer.customer_sector,
        "meter_id": f"M-{unit}",
        "meter_location": "rdp" if site.phases == 1 else "poi",
        "meter_interval_min": "60" if site.phases == 1 else "15",
        "meter_revenue_grade": "true",
        "meter_reader": "host_utility",
        "consent_reference": f"CONSENT-{tag}-{unit}",
        "utility_id_eia": str(site.utility_id_eia),
        "usage_point_id": site.usage_point_id,
        "premise_address": site.address,
        "zip_code": site.place.zip_code,
        "county_fips": site.place.county_fips,
        "latitude": f"{site.latitude:.5f}",
        "longitude": f"{site.longitude:.5f}",
        "transmission_node": site.pnode,
        **_owner(site),
    }


def _marked(
    site: Site,
    aggregator: str,
    der_type: str,
    tag: str,
    watts: float,
    operating_on: date,
    rng: Random,
) -> Row:
    """The common columns of an illustrative row, metered by the aggregator below the customer's meter."""
    row = _common(site, aggregator, der_type, tag, watts, operating_on, rng)
    return row | {
        "external_id": f"ILL-{row['external_id']}",
        "retail_programs": "illustrative",
        "meter_id": f"{row['meter_id']}-{tag}",
        "meter_location": "submeter",
        "meter_interval_min": "5",
        "meter_revenue_grade": "false",
        "meter_reader": "aggregator",
    }


def _owner(site: Site) -> Row:
    """An invented person or firm, with an address at example.org and a telephone number reserved for fiction."""
    number = site.number
    if site.phases == 1:
        given, surname = (
            newjersey.invented_names("given"),
            newjersey.invented_names("surname"),
        )
        name = f"{given[number % len(given)]} {surname[number // len(given) % len(surname)]}"
    else:
        firms = newjersey.invented_names("business")
        name = f"{firms[number % len(firms)]} {site.place.name}"
    return {
        "edc_account_no": f"{site.utility_id_eia:05d}{number:07d}",
        "owner_name": name,
        "owner_email": f"customer-{site.utility_id_eia}-{number}@example.org",
        "owner_phone": f"+1-201-555-01{number % 100:02d}",
    }


def _agreement(tag: str, site: Site, dates: tuple[date, date, date]) -> Row:
    agreed_on, commissioned_on, operating_on = dates
    return {
        "interconnection_agreement_no": f"IA-{agreed_on.year}-{site.utility_id_eia}-{site.number:07d}-{tag}",
        "interconnection_agreement_on": agreed_on.isoformat(),
        "commissioned_on": commissioned_on.isoformat(),
        "permission_to_operate_on": operating_on.isoformat(),
    }


def _net_metered(site: Site, watts: int, rng: Random) -> Row:
    """Net metering at full export; one larger system in thirty exports less, half of those in spring alone."""
    program = {
        "retail_programs": "net_metering",
        "interconnection_capacity_kw": kilo(watts),
    }
    if site.phases == 1 or rng.random() > 1 / 30:
        return {
            "interconnection_kind": "net_metering",
            "approved_export_kw": kilo(watts),
            **program,
        }
    limit = kilo(watts // 2)
    if rng.random() < 0.5:
        return {
            "interconnection_kind": "export_limited",
            "approved_export_kw": limit,
            **program,
        }
    spring = {
        "rrule": "FREQ=DAILY;BYMONTH=3,4,5",
        "starts": "10:00",
        "ends": "15:00",
        "export_kw": float(limit),
        "import_kw": None,
    }
    return {
        "interconnection_kind": "export_limited",
        "approved_export_kw": kilo(watts),
        "temporal_limits": json.dumps([spring]),
        **program,
    }


def _exporting(watts: int) -> Row:
    return {
        "interconnection_kind": "parallel",
        "interconnection_capacity_kw": kilo(watts),
        "approved_export_kw": kilo(watts),
    }


def _not_exporting(watts: int) -> Row:
    return {
        "interconnection_kind": "non_export",
        "interconnection_capacity_kw": kilo(watts),
        "approved_export_kw": "0.000",
    }
