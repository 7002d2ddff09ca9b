"""Which transformers a forecast overloads, whose charging takes that away, and what deferring a replacement is worth.

What counts is the P90 of load, for what is likeliest says too little of a peak; the likeliest where the errors are not known."""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

import numpy as np

from operations.deferral.models import TransformerAlarm
from operations.forecasts import reports as forecasts
from operations.forecasts.models import Forecast
from registry.ders.choices import DerType
from registry.ders.models import Der
from registry.grid.models import Transformer

VEHICLES = (DerType.ELECTRIC_VEHICLE, DerType.EVSE)


class Load(NamedTuple):
    """What a transformer draws in the intervals of a forecast, kW: likeliest, and the P90 where the errors are known."""

    likeliest: np.ndarray
    high: np.ndarray | None

    @property
    def held(self) -> np.ndarray:
        """What its rating is held against."""
        return self.likeliest if self.high is None else self.high


def loads(forecast: Forecast) -> dict[int, Load]:
    """Of each transformer of a forecast what it draws. Hours that were measured stand as they were, with no margin."""
    past, to_come = forecasts.errors_of(forecast), np.array([start >= forecast.known_until for start in forecasts.times(forecast)])
    parts = forecasts.parts(forecast, "transformers")
    return {key: Load(-kw, -kw - past[key][0] * to_come if key in past else None) for key, kw in parts.items()}


def overloaded(forecast: Forecast) -> list[dict]:
    """The facts of an alarm for each rated transformer whose load goes above its rating (kW against kVA, unity power factor)."""
    rated = Transformer.objects.filter(pk__in=forecast.transformers, rated_kva__gt=0).in_bulk()
    found = []
    for key, load in loads(forecast).items():
        rating, kw = float(rated[key].rated_kva) if key in rated else np.inf, load.held
        over = np.flatnonzero(kw > rating)
        if len(over):
            step = timedelta(minutes=forecast.minutes)
            found.append(
                {
                    "transformer": rated[key],
                    "rated_kva": rated[key].rated_kva,
                    "peak_kw": round(float(kw.max()), 2),
                    "over_kwh": round(float((kw[over] - rating).sum()) * forecast.minutes / 60, 2),
                    "starts_at": forecast.starts_at + step * int(over[0]),
                    "ends_at": forecast.starts_at + step * int(over[-1] + 1),
                }
            )
    return found


def day_of(alarm: TransformerAlarm) -> tuple[list[datetime], Load]:
    """Beginnings of the intervals of the alarm's forecast, and what its transformer draws in each."""
    return forecasts.times(alarm.forecast), loads(alarm.forecast)[alarm.transformer_id]


def peaks_of(alarm: TransformerAlarm, load: Load) -> list[tuple]:
    """Rows of facts: the peak that is held against the rating, with what it is of the rating and why this one; and the likeliest."""

    def row(name: str, kw: float, remark: str) -> tuple:
        return name, round(kw, 2), "kW", f"{100 * kw / float(alarm.rated_kva):.1f} % of the rating, at unity power factor; {remark}"

    if load.high is None:
        return [row("Likeliest peak of the forecast", alarm.peak_kw, "held against it, as the errors of its forecasts are not known")]
    held = "held against it: nine of ten intervals stay below it, by the errors of this transformer's forecasts in the weeks before"
    likeliest = row("Likeliest peak of the forecast", float(load.likeliest.max()), "what the forecast itself shows")
    return [row("P90 of the forecast's peak", alarm.peak_kw, held), likeliest]


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


class Off(NamedTuple):
    """What curtailing charging takes off an alarm's peak, kW: curtailable, all of that charging; possible, what of it takes the overload
    away; done, what of that envelopes in force take off now. `parts` as of `relief`."""

    parts: list[list]
    curtailable_kw: float
    possible_kw: float
    done_kw: float


def off(alarm: TransformerAlarm) -> Off:
    """What can be taken off, and what is: as it was ordered, or would be where nothing was."""
    parts, possible = (alarm.parts, alarm.covered_kw) if alarm.parts else relief(alarm)
    done = possible if alarm.is_curtailed else 0.0
    return Off(parts, round(sum(kw for _, kw, _ in parts), 2), round(possible, 2), round(done, 2))


@dataclass(frozen=True)
class Inputs:
    """What the benefit is computed from: the replacement's cost (USD), the peak's growth and the cost of capital (% a year)."""

    cost_usd: float = 12_000.0
    growth_percent: float = 2.0
    discount_percent: float = 7.0


@dataclass(frozen=True)
class Benefit:
    """What is possible, not what was done. years: until the peak grows to the rating even where all the charging is curtailed; shifted_kwh
    on the day; avoided_usd today. Of what: curtailable_kw, all of that charging, and covered_kw of it, what can be taken off the day's
    peak; done_kw, what of that is taken off by envelopes in force."""

    years: float
    shifted_kwh: float
    avoided_usd: float
    curtailable_kw: float
    covered_kw: float
    done_kw: float = 0.0


FORMULAS = (
    (
        "Years deferred",
        "ln(rating ÷ (peak − charging that can be curtailed)) ÷ ln(1 + growth)",
        "until the peak outgrows the rating even without that charging; none where today's stays above it; at most 40",
    ),
    ("Energy shifted", "energy above the rating × what can be taken off ÷ (peak − rating)", "at most all of it"),
    ("Cost avoided", "cost × (1 − (1 + cost of capital)^−years)", "the replacement's cost today less its value when it is paid later"),
)
MOST_YEARS = 40.0


def benefit(alarm: TransformerAlarm, inputs: Inputs) -> Benefit:
    """What taking the overload away is worth, or would be where nothing was curtailed yet, by FORMULAS."""
    _, curtailable, covered, done = off(alarm)
    rating, left = float(alarm.rated_kva), max(alarm.peak_kw - curtailable, 1e-6)
    growth, discount = inputs.growth_percent / 100, inputs.discount_percent / 100
    years = 0.0
    if covered > 0 and left <= rating + 1e-6:
        years = min(MOST_YEARS, max(0.0, math.log(rating / left)) / math.log(1 + growth)) if growth > 0 else MOST_YEARS
    share = min(1.0, covered / alarm.over_kw) if alarm.over_kw > 0 else 0.0
    avoided = inputs.cost_usd * (1 - (1 + discount) ** -years)
    return Benefit(round(years, 2), round(alarm.over_kwh * share, 2), round(avoided, 2), curtailable, covered, done)
