"""The demonstration's grid, upstream before downstream; what is there already stays."""

import csv
from collections.abc import Callable, Iterable
from io import StringIO
from itertools import islice
from operator import itemgetter

from moc.access.models import Organization
from moc.bulk import copy_in
from moc.demo import newjersey
from moc.demo.grid import Grid, grid, service_points
from moc.demo.parties import SYSTEM_OPERATORS, UTILITIES
from moc.history import acting
from registry.grid.models import County, Feeder, Pnode, ServicePoint, ServiceTerritory, Substation, TdInterface, Transformer

REASON = "system: load_demo"
BATCH = 5_000
AS_TOLD = ("usage_point_id", "zip_code", "address", "latitude", "longitude", "phases_available", "nominal_voltage_v")
COLUMNS, TOLD = ("edc_id", "transformer_id", "feeder_id", "county_id", *AS_TOLD), itemgetter("county_fips", *AS_TOLD)
STARTS_AT, SHARE = 0.08, 0.22  # of the progress bar


def _edcs(organizations: dict[str, Organization]) -> dict[int, Organization]:
    return {party.utility_id_eia: organizations[party.code] for party in UTILITIES}


def elements(organizations: dict[str, Organization]) -> int:
    """Counties, territories, pricing nodes and every element down to the transformers; how many service points hang on them.

    Runs inside acting().
    """
    edcs, state = _edcs(organizations), grid()
    counties = newjersey.counties()
    _insert(County, (County(fips=fips, name=county.name, state="NJ", population=county.population) for fips, county in counties.items()))
    served = ((edcs[utility.utility_id_eia], fips) for utility in newjersey.utilities() for fips in utility.county_fips)
    _insert(ServiceTerritory, (ServiceTerritory(edc=edc, county_id=fips) for edc, fips in served))
    markets = {party.balancing_authority_code: organizations[party.code] for party in SYSTEM_OPERATORS}
    interfaces = _interfaces(state, edcs, markets)
    substations = _substations(state, edcs, interfaces)
    feeders = _feeders(state, edcs, substations)
    _insert(
        Transformer,
        (
            Transformer(edc=edcs[item.utility_id_eia], code=item.code, feeder=feeders[item.feeder], rated_kva=item.rated_kva)
            for item in state.transformers
        ),
    )
    return sum(item.service_points for item in state.transformers)


def _insert(model, rows: Iterable) -> None:
    model.objects.bulk_create(rows, ignore_conflicts=True, batch_size=BATCH)


def _by_code(model, edcs: dict[int, Organization], rows: Iterable) -> dict[str, object]:
    """Insert what is not there yet; codes are unique in the demonstration state."""
    _insert(model, rows)
    return {row.code: row for row in model.objects.filter(edc__in=edcs.values())}


def _interfaces(state: Grid, edcs: dict[int, Organization], markets: dict[str, Organization]) -> dict[str, TdInterface]:
    _insert(Pnode, (Pnode(tso=markets[item.balancing_authority_code], name=item.pnode) for item in state.interfaces))
    pnodes = {(pnode.tso_id, pnode.name): pnode for pnode in Pnode.objects.all()}
    return _by_code(
        TdInterface,
        edcs,
        (
            TdInterface(
                edc=edcs[item.utility_id_eia],
                code=item.code,
                name=f"{newjersey.counties()[item.county_fips].name} interface",
                pnode=pnodes[markets[item.balancing_authority_code].pk, item.pnode],
            )
            for item in state.interfaces
        ),
    )


def _substations(state: Grid, edcs: dict[int, Organization], interfaces: dict[str, TdInterface]) -> dict[str, Substation]:
    return _by_code(
        Substation,
        edcs,
        (
            Substation(
                edc=edcs[item.utility_id_eia],
                code=item.code,
                name=f"Substation {item.code}",
                td_interface=interfaces[item.interface],
                latitude=round(item.latitude, 5),
                longitude=round(item.longitude, 5),
            )
            for item in state.substations
        ),
    )


def _feeders(state: Grid, edcs: dict[int, Organization], substations: dict[str, Substation]) -> dict[str, Feeder]:
    return _by_code(
        Feeder,
        edcs,
        (
            Feeder(
                edc=edcs[item.utility_id_eia], code=item.code, substation=substations[item.substation], nominal_kv=item.nominal_voltage_kv
            )
            for item in state.feeders
        ),
    )


def points(organizations: dict[str, Organization], total: int, report: Callable[[str, float], None]) -> None:
    """The `total` service points, a batch a transaction and always in the same order: it goes on after those that are there."""
    edcs = _edcs(organizations)
    done = ServicePoint.objects.filter(edc__in=edcs.values()).count()
    if done == total:
        return
    transformers = {code: keys for code, *keys in Transformer.objects.filter(edc__in=edcs.values()).values_list("code", "pk", "feeder_id")}
    found = islice(service_points(), done, None)
    while batch := list(islice(found, BATCH)):
        lines = StringIO()
        csv.writer(lines).writerows((edcs[each["utility_id_eia"]].pk, *transformers[each["transformer"]], *TOLD(each)) for each in batch)
        with acting(None, REASON):
            copy_in(ServicePoint._meta.db_table, COLUMNS, [lines.getvalue().encode()])
        done += len(batch)
        report("Service points", STARTS_AT + SHARE * done / total)
