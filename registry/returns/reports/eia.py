"""Form EIA-861's schedules on distributed resources, in the order of EIA's columns (files of 2018).

A return is of a year and a state: what was permitted to operate by the year's last day, and not taken out by then. Capacity in MW AC.
What a registry of DERs cannot know (energy sold back, costs, savings) is left empty, as EIA writes what was not reported.
"""

from collections import defaultdict
from datetime import date
from decimal import Decimal

from django.db.models import Case, CharField, Count, Exists, OuterRef, Q, QuerySet, Sum, Value, When
from django.db.models.functions import Coalesce, Concat

from moc.access import policy
from moc.reports.datasets import DECIMAL, INTEGER, PERMISSION, Head, Result, recorded
from moc.units import mw_from_kw
from registry.ders.choices import CustomerSector, DerType, storing
from registry.ders.models import Der
from registry.jurisdictions.models import RetailProgram
from registry.participants.models import UtilityProfile

SECTORS = tuple(CustomerSector.values)
SECTOR_HEADS = (*CustomerSector.labels, "Total")
NET_METERING, VIRTUAL_PROGRAM = "net_metering", "virtual_net_metering"  # codes of retail programs that every utility may use
PV, VIRTUAL, WIND, OTHER, STORAGE, DIRECT = "pv", "virtual", "wind", "other", "storage", "direct"
NO_GENERATION = (DerType.ELECTRIC_VEHICLE, DerType.EVSE, DerType.DEMAND_RESPONSE, DerType.THERMAL_STORAGE, DerType.ENERGY_EFFICIENCY)
# EIA's technologies of the non-net-metering schedule, in its order, by ours
TECHNOLOGIES = {
    "Photovoltaic": (DerType.PHOTOVOLTAIC, DerType.PHOTOVOLTAIC_STORAGE),
    "Storage": (),
    "Wind": (DerType.WIND,),
    "Hydroelectric": (DerType.HYDRO,),
    "Fuel Cells": (DerType.FUEL_CELL,),
    "Internal Combustion": (DerType.RECIPROCATING_ENGINE,),
    "Combustion Turbine": (),
    "Steam": (),
    "Other": (),  # what is none of these
}
Cells = dict[int, dict[tuple[str, str], tuple[int, Decimal]]]


def operating(user, asked: dict) -> QuerySet:
    """DERs of a state that operated at the end of a year, of those that the user may export; or as recorded at a day."""
    last = date(asked["year"], 12, 31)
    rows = policy.scope(recorded(Der, asked), user, PERMISSION)
    rows = rows.filter(county__state=asked["state"], permission_to_operate_on__lte=last)
    gone = Q(decommissioned_on__lte=last) | Q(status=Der.Status.DECOMMISSIONED, decommissioned_on=None)
    return rows.exclude(gone)


def is_net_metered() -> Q:
    """In net metering: by its interconnection, or by a retail program of that kind."""
    codes = {
        NET_METERING,
        VIRTUAL_PROGRAM,
        *RetailProgram.objects.approved().filter(kind=RetailProgram.Kind.NET_METERING).values_list("code", flat=True),
    }
    return Q(interconnection_kind=NET_METERING) | Q(retail_programs__overlap=sorted(codes))


def batteries() -> list[str]:
    """Storage that stands for itself, the law's further technologies too."""
    return [code for code in storing() if code not in {*NO_GENERATION, DerType.PHOTOVOLTAIC_STORAGE}]


def beside_net_metered(asked: dict) -> Q:
    """Storage in no other retail program at a service point with net-metered photovoltaics: EIA counts it beside those."""
    solar = recorded(Der, asked).filter(
        is_net_metered(), service_point=OuterRef("service_point"), der_type__in=TECHNOLOGIES["Photovoltaic"]
    )
    return Q(der_type__in=batteries()) & (Q(retail_programs=[]) | is_net_metered()) & Exists(solar)


def cells(rows: QuerySet[Der], sort: Case, power: str = "nameplate_ac_kw") -> Cells:
    """utility → (sort, sector) → (customers, MW): one statement. A customer is a service point."""
    cut = rows.order_by().values("edc_id", "customer_sector", sort=sort)
    counted = cut.annotate(customers=Count("service_point_id", distinct=True), kw=Coalesce(Sum(power), Decimal()))
    found: Cells = defaultdict(dict)
    for edc, sector, kind, customers, kw in counted.values_list("edc_id", "customer_sector", "sort", "customers", "kw"):
        found[edc][kind, sector] = (customers, mw_from_kw(kw))
    return found


def _sort(**conditions: Q) -> Case:
    whens = [When(condition, then=Value(name)) for name, condition in conditions.items()]
    return Case(*whens, default=Value(OTHER), output_field=CharField())


def _utilities(edcs) -> list[tuple[int, int, str, str]]:
    """(organisation, EIA id, name, balancing authority) of utilities, by EIA id."""
    profiles = UtilityProfile.objects.filter(edc__in=edcs).order_by("eia_id")
    return list(profiles.values_list("edc_id", "eia_id", "edc__legal_name", "balancing_authority"))


def _across(of: dict, kind: str, place: int) -> list:
    """The cells of a kind by sector and in total; `place` 0: customers, 1: MW."""
    values = [of.get((kind, sector), (0, Decimal()))[place] for sector in SECTORS]
    return [*values, sum(values)]


def _heads(band: str, kind: str, names=SECTOR_HEADS) -> list[Head]:
    return [Head(f"{band} {name}", kind) for name in names]


def net_metering(user, asked: dict) -> Result:
    """The net metering schedule."""
    year, state = asked["year"], asked["state"]
    metered, solar = is_net_metered(), Q(der_type__in=TECHNOLOGIES["Photovoltaic"])
    standing = operating(user, asked)
    sorts = _sort(virtual=solar & Q(retail_programs__contains=[VIRTUAL_PROGRAM]), pv=solar, wind=Q(der_type="wind"))
    found = cells(standing.filter(metered).exclude(der_type__in=[*NO_GENERATION, *batteries()]), sorts)
    stored = cells(standing.filter(beside_net_metered(asked)), _sort(storage=Q(pk__gt=0)))
    mixed = standing.filter(metered, der_type=DerType.PHOTOVOLTAIC_STORAGE)
    inside = cells(mixed, _sort(storage=Q(pk__gt=0)), "max_discharge_kw")
    heads = [Head("Year", INTEGER), Head("State"), Head("Utility Number", INTEGER), Head("Utility Name"), Head("BA Code"), Head("Type")]
    for band, named in (("Photovoltaic", True), ("Wind", False), ("Other", False), ("All Technologies", False)):
        heads += [*_heads(f"{band} Capacity MW", DECIMAL), *_heads(f"{band} Customers", INTEGER)]
        if named:
            heads += [*_heads("Photovoltaic Storage Capacity MW", DECIMAL), *_heads("Photovoltaic Storage Customers", INTEGER)]
            heads += [*_heads("Photovoltaic Virtual Capacity MW", DECIMAL), *_heads("Photovoltaic Virtual Customers", INTEGER)]
        heads += _heads(f"{band} Energy Sold Back MWh", DECIMAL)
    nothing = [None] * len(SECTOR_HEADS)
    rows = []
    for edc, eia_id, name, authority in _utilities({*found, *stored}):
        of = found.get(edc, {})
        storage = [_added(stored.get(edc, {}), inside.get(edc, {}), place) for place in (1, 0)]
        line = [year, state, eia_id, name, authority, "AC"]
        line += [
            *_across(of, PV, 1),
            *_across(of, PV, 0),
            *storage[0],
            *storage[1],
            *_across(of, VIRTUAL, 1),
            *_across(of, VIRTUAL, 0),
            *nothing,
        ]
        for kind in (WIND, OTHER):
            line += [*_across(of, kind, 1), *_across(of, kind, 0), *nothing]
        for place in (1, 0):
            line += [sum(each) for each in zip(*(_across(of, kind, place) for kind in (PV, VIRTUAL, WIND, OTHER)))]
        rows.append([*line, *nothing])
    return Result(heads, rows, ("All Technologies do not include photovoltaic storage, as in EIA's file.",))


def _added(one: dict, other: dict, place: int) -> list:
    return [sum(each) for each in zip(_across(one, STORAGE, place), _across(other, STORAGE, place))]


def non_net_metering(user, asked: dict) -> Result:
    """The schedule of distributed capacity that is not net-metered."""
    year, state = asked["year"], asked["state"]
    rows = operating(user, asked).exclude(der_type__in=NO_GENERATION).exclude(is_net_metered()).exclude(beside_net_metered(asked))
    sorts = {name: Q(der_type__in=types) for name, types in (TECHNOLOGIES | {"Storage": batteries()}).items() if types}
    kinds = Case(
        *[When(condition, then=Value(name)) for name, condition in sorts.items()], default=Value("Other"), output_field=CharField()
    )
    found = _by_connection(rows, kinds)
    sectors = (*CustomerSector.labels, "Direct Connected", "Total")
    heads = [Head("Year", INTEGER), Head("State"), Head("Utility Number", INTEGER), Head("Utility Name"), Head("BA Code")]
    heads += [Head("Number of Generators", INTEGER), *(Head(name, DECIMAL) for name in ("Total Capacity", "Capacity Back-up Only"))]
    heads += [Head("Capacity Utility Owned", DECIMAL), Head("Type")]
    for name in (*TECHNOLOGIES, "Total"):
        heads += [Head(f"{name} {sector}", DECIMAL) for sector in sectors]
    lines = []
    for edc, eia_id, utility, authority in _utilities(found):
        of = found[edc]
        bands = [_band(of, name) for name in TECHNOLOGIES]
        total = [sum(each) for each in zip(*bands)]
        count = sum(number for number, _ in of.values())
        line = [year, state, eia_id, utility, authority, count, total[-1], None, None, "AC", *(value for band in bands for value in band)]
        lines.append([*line, *total])
    return Result(heads, lines)


def _by_connection(rows: QuerySet[Der], kinds: Case) -> Cells:
    """utility → (technology, sector or direct) → (generators, MW)."""
    place = Case(When(connection_kind="ftm", then=Value(DIRECT)), default="customer_sector", output_field=CharField())
    cut = (
        rows.order_by()
        .values("edc_id", kind=kinds, place=place)
        .annotate(number=Count("pk"), kw=Coalesce(Sum("nameplate_ac_kw"), Decimal()))
    )
    found: Cells = defaultdict(dict)
    for edc, kind, where, number, kw in cut.values_list("edc_id", "kind", "place", "number", "kw"):
        found[edc][kind, where] = (number, mw_from_kw(kw))
    return found


def _band(of: dict, name: str) -> list[Decimal]:
    values = [of.get((name, sector), (0, Decimal()))[1] for sector in (*SECTORS, DIRECT)]
    return [*values, sum(values)]


def demand_response(user, asked: dict) -> Result:
    """The demand response schedule: customers enrolled, and what they could shed; savings and costs are the utility's to add."""
    year, state = asked["year"], asked["state"]
    enrolled = operating(user, asked).filter(der_type=DerType.DEMAND_RESPONSE)
    found = cells(enrolled, _sort(demand=Q(pk__gt=0)))
    heaters = dict(
        enrolled.filter(der_subtype__icontains="water_heater")
        .order_by()
        .values("edc_id")
        .annotate(n=Count("pk"))
        .values_list("edc_id", "n")
    )
    heads = [Head("Data Year", INTEGER), Head("Utility Number", INTEGER), Head("Utility Name"), Head("State"), Head("BA Code")]
    heads += [*_heads("Number of Customers Enrolled", INTEGER), *_heads("Energy Savings (MWh)", DECIMAL)]
    heads += [*_heads("Potential Peak Demand Savings (MW)", DECIMAL), *_heads("Actual Peak Demand Savings (MW)", DECIMAL)]
    heads += [*_heads("Customer Incentives (Thousand Dollars)", DECIMAL), *_heads("All Other Costs (Thousand Dollars)", DECIMAL)]
    heads.append(Head("Grid Connected Water Heater", INTEGER))
    nothing, lines = [None] * len(SECTOR_HEADS), []
    for edc, eia_id, name, authority in _utilities(found):
        of = found[edc]
        line = [year, eia_id, name, state, authority, *_across(of, "demand", 0), *nothing, *_across(of, "demand", 1), *nothing * 3]
        lines.append([*line, heaters.get(edc, 0)])
    return Result(heads, lines)


def advanced_metering(user, asked: dict) -> Result:
    """The advanced metering schedule, of the meters at customers with DERs: the registry knows no others."""
    year, state = asked["year"], asked["state"]
    rows = operating(user, asked)
    metered = rows.exclude(meter_id="").filter(meter_reader="host_utility")
    interval = Q(meter_revenue_grade=True, meter_interval_min__lte=60)
    meters = metered.order_by().values("edc_id", "customer_sector", kind=_sort(ami=interval))
    found: Cells = defaultdict(dict)
    distinct = Count(Concat("edc_id", Value(" "), "meter_id", output_field=CharField()), distinct=True)
    for edc, sector, kind, number in meters.annotate(number=distinct).values_list("edc_id", "customer_sector", "kind", "number"):
        found[edc][kind, sector] = (number, Decimal())
    controlled = cells(rows.filter(der_type=DerType.DEMAND_RESPONSE), _sort(demand=Q(pk__gt=0)))
    heads = [Head("Data Year", INTEGER), Head("Utility Number", INTEGER), Head("Utility Name"), Head("Short Form"), Head("State")]
    heads.append(Head("BA Code"))
    bands = ("Number AMR", "Number AMI", "Number Home Area Network", "Number Non AMR/AMI Meters", "Total Numbers of Meters")
    heads += [head for band in bands for head in _heads(band, INTEGER)]
    heads += [*_heads("Energy Served - AMI (MWh)", DECIMAL), *_heads("Customers with Daily Digital Access", INTEGER)]
    heads += _heads("Customers with Direct Load Control", INTEGER)
    nothing, lines = [None] * len(SECTOR_HEADS), []
    for edc, eia_id, name, authority in _utilities({*found, *controlled}):
        ami, non = _across(found.get(edc, {}), "ami", 0), _across(found.get(edc, {}), OTHER, 0)
        total = [sum(each) for each in zip(ami, non)]
        line = [year, eia_id, name, "", state, authority, *nothing, *ami, *nothing, *non, *total, *nothing, *nothing]
        lines.append([*line, *_across(controlled.get(edc, {}), "demand", 0)])
    return Result(heads, lines, ("Meters at customers with DERs only; automated meter reading is not told apart.",))
