"""Which transformers a forecast overloads, whose charging takes that away, and what deferring a replacement is worth."""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from operations.deferral.models import TransformerAlarm
from operations.forecasts.engine import blocks
from operations.forecasts.models import Forecast
from registry.ders.choices import DerType
from registry.ders.models import Der
from registry.grid.models import Transformer

VEHICLES = (DerType.ELECTRIC_VEHICLE, DerType.EVSE)


def overloaded(forecast: Forecast) -> list[dict]:
    """The facts of an alarm for each rated transformer whose forecast import goes above its rating (kW against kVA, unity power factor)."""
    kw = imports(forecast)
    rated = Transformer.objects.filter(pk__in=forecast.transformers, rated_kva__gt=0).in_bulk()
    found = []
    for key, load in zip(forecast.transformers, kw, strict=True):
        rating = float(rated[key].rated_kva) if key in rated else np.inf
        over = np.flatnonzero(load > rating)
        if len(over):
            step = timedelta(minutes=forecast.minutes)
            found.append(
                {
                    "transformer": rated[key],
                    "rated_kva": rated[key].rated_kva,
                    "peak_kw": round(float(load.max()), 2),
                    "over_kwh": round(float((load[over] - rating).sum()) * forecast.minutes / 60, 2),
                    "starts_at": forecast.starts_at + step * int(over[0]),
                    "ends_at": forecast.starts_at + step * int(over[-1] + 1),
                }
            )
    return found


def imports(forecast: Forecast) -> np.ndarray:
    """(transformers, intervals) kW that the forecast's transformers draw."""
    if not forecast.transformers:
        return np.zeros((0, len(forecast.feeder_kw)))
    return -blocks.unpack(bytes(forecast.transformers_block), len(forecast.transformers), len(forecast.feeder_kw), forecast.unit)


def day_of(alarm: TransformerAlarm) -> tuple[list[datetime], list[float]]:
    """Beginnings of the intervals of the alarm's forecast, and kW that its transformer draws in each."""
    forecast = alarm.forecast
    load = imports(forecast)[forecast.transformers.index(alarm.transformer_id)]
    return [forecast.starts_at + timedelta(minutes=forecast.minutes) * n for n in range(len(load))], np.round(load, 2).tolist()


def relief(alarm: TransformerAlarm) -> tuple[list[list], float]:
    """[DER id, charging kW, kW left of it] that take the overload away, EVs first and each kind alike; and the kW that they take away."""
    ders = Der.objects.filter(status=Der.Status.ACTIVE, service_point__transformer=alarm.transformer_id).order_by("pk")
    kinds: dict[bool, list] = {True: [], False: []}
    for pk, kind, import_, charge in ders.values_list("pk", "der_type", "approved_import_kw", "max_charge_kw"):
        kw = float(next((value for value in (import_, charge) if value is not None), 0))
        if kw > 0:
            kinds[kind in VEHICLES].append((pk, kw))
    parts, left = [], alarm.over_kw
    for vehicles in (True, False):
        total = sum(kw for _, kw in kinds[vehicles])
        share = min(1.0, left / total) if total else 0.0
        if share > 0:
            parts += [[pk, round(kw, 2), round(kw * (1 - share), 2)] for pk, kw in kinds[vehicles]]
            left = max(0.0, left - total)
    return parts, round(alarm.over_kw - left, 2)


@dataclass(frozen=True)
class Inputs:
    """What the benefit is computed from: the replacement's cost (USD), the peak's growth and the cost of capital (% a year)."""

    cost_usd: float = 12_000.0
    growth_percent: float = 2.0
    discount_percent: float = 7.0


@dataclass(frozen=True)
class Benefit:
    """years: until the peak grows to the rating even where all the charging is curtailed; shifted_kwh on the day; avoided_usd today.
    Of what: curtailable_kw, all of that charging, and covered_kw of it, what is taken off the day's peak."""

    years: float
    shifted_kwh: float
    avoided_usd: float
    curtailable_kw: float
    covered_kw: float


FORMULAS = (
    (
        "Years deferred",
        "ln(rating ÷ (peak − charging that can be curtailed)) ÷ ln(1 + growth)",
        "until the peak outgrows the rating even without that charging; none where today's stays above it; at most 40",
    ),
    ("Energy shifted", "energy above the rating × taken off ÷ (peak − rating)", "at most all of it"),
    ("Cost avoided", "cost × (1 − (1 + cost of capital)^−years)", "the replacement's cost today less its value when it is paid later"),
)
MOST_YEARS = 40.0


def benefit(alarm: TransformerAlarm, inputs: Inputs) -> Benefit:
    """What taking the overload away is worth, or would be where nothing was curtailed yet, by FORMULAS."""
    parts, covered = (alarm.parts, alarm.covered_kw) if alarm.parts else relief(alarm)
    curtailable = sum(kw for _, kw, _ in parts)
    rating, left = float(alarm.rated_kva), max(alarm.peak_kw - curtailable, 1e-6)
    growth, discount = inputs.growth_percent / 100, inputs.discount_percent / 100
    years = 0.0
    if covered > 0 and left <= rating + 1e-6:
        years = min(MOST_YEARS, max(0.0, math.log(rating / left)) / math.log(1 + growth)) if growth > 0 else MOST_YEARS
    share = min(1.0, covered / alarm.over_kw) if alarm.over_kw > 0 else 0.0
    avoided = inputs.cost_usd * (1 - (1 + discount) ** -years)
    return Benefit(round(years, 2), round(alarm.over_kwh * share, 2), round(avoided, 2), round(curtailable, 2), round(covered, 2))
