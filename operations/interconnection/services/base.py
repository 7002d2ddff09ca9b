"""The year of a feeder: how its loads go through it, and what all its DERs do at the most and at the least in each hour."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from django.conf import settings
from django.utils import timezone

from moc.errors import UserError
from operations.envelopes.services.base import TYPICAL_DAY
from operations.envelopes.services.devices import RANGE, WINDOWS, range_of, windows_of
from operations.envelopes.services.life import policy_for
from operations.envelopes.solver import windows
from operations.envelopes.solver.problem import EXPORT, Policy
from operations.forecasts.engine import blend
from operations.forecasts.models import MeterDay
from operations.interconnection.solver import year
from operations.network.engine.feeder import FeederModel
from operations.network.models import NetworkPoint, NetworkVersion
from registry.ders.models import Der
from registry.prequalification.rules.numbers import Numbers

METERS, FEWEST_DAYS, QUANTILES = 100, 3, (0.1, 0.9)
ASSUMED = ("study_months_percent", "study_spread_percent", "study_weather_percent", "study_latitude_deg")
REMEDY = "Have it added in the admin under Rule sets (or by load_rulesets), in force today; then have it computed again."
SAMPLE_YEAR = 2027  # whose fifteenths stand for the months when limits by time are laid on them


@dataclass(frozen=True, eq=False)
class Year:
    """Loads relative to the model's, low and high, by month and hour (288,); how many meters tell them, of which months."""

    low: np.ndarray
    high: np.ndarray
    meters: int
    months: list[int]

    def as_json(self) -> dict:
        return {"meters": self.meters, "months": self.months}


def assumed(edc: int) -> year.Assumed:
    """What rule set rows of today say of a year that nobody measured, by the utility's market and regulator.

    Raises UserError (STUDY-RULES) naming the rows that are missing, or that say no number."""
    try:
        values = Numbers.on(timezone.localdate()).of_utility(ASSUMED, edc)
    except LookupError as missing:
        raise UserError(f"{missing.args[0].split('. ')[0]}.", REMEDY, "STUDY-RULES") from missing
    if none := [key for key, value in values.items() if value is None]:
        raise UserError(f"The rule set rows of {', '.join(none)} say no number; a study needs one.", REMEDY, "STUDY-RULES")
    months, spread, weather, latitude = (np.array(values[key], float) for key in ASSUMED)
    return year.Assumed(months / 100, float(spread) / 100, weather / 100, float(latitude))


def year_of(version: NetworkVersion) -> Year:
    """A month that meters know takes their deciles of each hour (of points without DERs, as the latest data say); another the model's
    typical day, times a typical month."""
    low, high = year.typical(TYPICAL_DAY, assumed(version.edc_id))
    ratios, meters = _measured(version)
    known = []
    for month, days in sorted(ratios.items()):
        if len(days) >= FEWEST_DAYS:
            span = slice((month - 1) * year.HOURS, month * year.HOURS)
            low[span], high[span] = np.quantile(days, QUANTILES, axis=0)
            known.append(month)
    return Year(low, high, meters if known else 0, known)


def _measured(version: NetworkVersion) -> tuple[dict[int, list[np.ndarray]], int]:
    """By month, each day's load of metered points over that of the model, (24,)."""
    with_ders = Der.objects.filter(edc=version.edc_id, feeder=version.feeder_id).registered().values("service_point")
    points = NetworkPoint.objects.filter(version=version, service_point__isnull=False, load_kw__gt=0).exclude(service_point__in=with_ders)
    days = MeterDay.objects.filter(day__gte=timezone.localdate() - timedelta(days=365))
    points = points.filter(service_point__in=days.filter(service_point__feeder=version.feeder_id).values("service_point"))
    loads = dict(points.order_by("number").values_list("service_point", "load_kw")[:METERS])
    zone, sums = ZoneInfo(settings.TIME_ZONE), {}
    rows = days.filter(service_point__in=list(loads)).standing(timezone.now())
    for point, day, minutes, kwh in rows.values_list("service_point", "day", "minutes", "kwh"):
        hourly = -blend.on_clock(np.array(kwh, float), day, zone, minutes).reshape(year.HOURS, -1).sum(1)
        if not np.isnan(hourly).any():
            total = sums.setdefault(day, [np.zeros(year.HOURS), 0.0])
            total[0] += hourly
            total[1] += loads[point]
    found: dict[int, list[np.ndarray]] = {}
    for day, (kw, model) in sums.items():
        found.setdefault(day.month, []).append(kw / model)
    return found, len(loads)


def injections(version: NetworkVersion, count: int, without: list[int] = ()) -> tuple[np.ndarray, np.ndarray]:
    """What registered DERs inject at the most and at the least behind each of a network's points, (count, 288) watts each: as approved
    and limited, a photovoltaic one at most what the sun gives. without: DERs that are left out."""
    places = dict(NetworkPoint.objects.filter(version=version).exclude(service_point=None).values_list("service_point_id", "number"))
    most, least = np.zeros((count, year.COLUMNS)), np.zeros((count, year.COLUMNS))
    given = assumed(version.edc_id)
    hours = [datetime(SAMPLE_YEAR, month, 15, hour) for month in range(1, 13) for hour in range(year.HOURS)]
    ders = Der.objects.filter(service_point__in=list(places), status__in=(Der.Status.ACTIVE, Der.Status.APPROVED)).exclude(pk__in=without)
    for point, technology, filed, decided, *facts in ders.order_by("pk").values_list("service_point_id", "der_type", *WINDOWS, *RANGE):
        lowest, highest = range_of(*facts)
        up, down = highest * year.availability(technology, given), np.full(year.COLUMNS, lowest)
        if said := windows_of(filed, decided):
            export, import_ = windows.limits_at(said, hours, 60)
            up, down = np.minimum(up, export), np.maximum(down, -import_)
        most[places[point]] += up * 1e3
        least[places[point]] += down * 1e3
    return most, least


def base_va(feeder: FeederModel, shape: np.ndarray, injected_w: np.ndarray) -> np.ndarray:
    """Consumption of the legs (L, 288) with loads by a shape (288,) and injections behind the first points, (n, 288)."""
    power = feeder.point_va[:, None] * shape
    power[: len(injected_w)] -= injected_w
    return feeder.leg_va(power)


def rest_of(feeder: FeederModel, found: Year, most: np.ndarray, least: np.ndarray, direction: int) -> np.ndarray:
    """The rest of the feeder when there is least room in a direction: low load and most injection for an export, the reverse else."""
    return base_va(feeder, found.low, most) if direction == EXPORT else base_va(feeder, found.high, least)


def limits_of(version: NetworkVersion) -> Policy:
    """The voltage band and usable ratings of the feeder's envelope policy, with the same share for all."""
    chosen = policy_for(version.feeder)
    return Policy("group", v_min=float(chosen.v_min_pu), v_max=float(chosen.v_max_pu), loading=chosen.loading_percent / 100)
