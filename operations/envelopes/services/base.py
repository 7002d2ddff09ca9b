"""The base case of envelopes: what everybody consumes beside the active DERs, by the forecasts that a run was ordered from. Exports are
held against the P10 of load and imports against its P90, never against what is likeliest.

A metered point without active DERs takes its own forecast, and its part of its transformer's margin. All others take the model's load,
in the shape in which these points' forecast follows their load in the model, with the feeder's margin in proportion. A day without a
forecast whose errors are known takes the model's typical day, which has no margins."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
from django.db.models import BooleanField, Exists, Func, OuterRef
from django.utils import timezone

from operations.envelopes.models import EnvelopeRun
from operations.forecasts.engine import blocks
from operations.forecasts.models import Forecast
from operations.network.models import NetworkPoint
from registry.ders.models import Der
from registry.grid.models import ServicePoint

if TYPE_CHECKING:  # pages ask which forecasts stand, and need no solver in their memory
    from operations.network.engine.feeder import FeederModel

# a customer's typical day by hour, part of the model's load
TYPICAL_DAY = np.array(
    [0.42, 0.38, 0.36, 0.35, 0.36, 0.4, 0.5, 0.58, 0.56, 0.54, 0.54, 0.56]
    + [0.58, 0.58, 0.6, 0.64, 0.72, 0.86, 0.97, 1.0, 0.96, 0.86, 0.7, 0.54]
)
FEWEST, LEAST_PART = 10, 0.25  # meters, or part of the model's load: as many tell how all others' loads go
INSTANT = timedelta(microseconds=1)
HOLD = {"base": np.mean, "least": np.min, "most": np.max}  # what counts of a forecast's intervals within one of the run


@dataclass(frozen=True, eq=False)
class Told:
    """What a forecast says, each as base, least and most: load (m, t) kW of its metered points without active DERs, whose places among the
    feeder's points are `places` (m,), −1 where it is without supply; and all others' load relative to the model's, (t,), or nothing."""

    places: np.ndarray
    load_kw: dict[str, np.ndarray]
    shape: dict[str, np.ndarray]


def standing(feeders: Iterable[int], since: datetime, until: datetime, at: datetime | None = None) -> dict[int, dict[date, int]]:
    """By feeder and local day of a window the forecast that is the latest at a moment (now), where its errors are known and it is of any
    point of the network without active DERs."""
    days = timezone.localdate(since), timezone.localdate(until - INSTANT)
    with_ders = Der.objects.filter(service_point=OuterRef("service_point"), feeder=OuterRef("version__feeder"), status=Der.Status.ACTIVE)
    metered = Func("service_point", OuterRef("points"), arg_joiner=" = ANY(", template="(%(expressions)s))", output_field=BooleanField())
    tells = NetworkPoint.objects.filter(metered, version__feeder=OuterRef("feeder"), version__status="current")
    rows = Forecast.objects.filter(feeder__in=feeders, day__range=days).seen(at or timezone.now())
    rows = rows.annotate(tells=Exists(tells.exclude(Exists(with_ders))))
    found: dict[int, dict[date, int]] = {}
    for feeder, day, pk, errors, is_told in rows.values_list("feeder", "day", "pk", "low_error_kw", "tells"):
        if errors and is_told:
            found.setdefault(feeder, {})[day] = pk
    return found


def of(run: EnvelopeRun, feeder: FeederModel) -> dict[str, np.ndarray]:
    """Consumption of the feeder's points (p, T), VA: base, and least and most where a forecast tells them."""
    starts = [run.starts_at + timedelta(minutes=run.step_minutes) * n for n in range(run.intervals)]
    local = [timezone.localtime(moment) for moment in starts]
    hours = np.array([moment.hour + moment.minute / 60 for moment in local])
    typical = feeder.point_va[:, None] * np.interp(hours, np.arange(25), np.append(TYPICAL_DAY, TYPICAL_DAY[0]))
    found = {"base": typical}
    for forecast in Forecast.objects.filter(pk__in=run.forecasts).order_by("pk") if run.forecasts else ():
        columns = [n for n, moment in enumerate(local) if moment.date() == forecast.day]
        if columns:
            found = {name: found.get(name, typical).copy() for name in HOLD}
            _lay(feeder, _told(run, feeder, forecast), _spans(run, forecast, [starts[n] for n in columns]), columns, found)
    return found


def _spans(run: EnvelopeRun, forecast: Forecast, starts: list[datetime]) -> list[slice]:
    """The intervals of a forecast that each interval of a run touches."""
    each, step = timedelta(minutes=forecast.minutes), timedelta(minutes=run.step_minutes)
    return [slice((moment - forecast.starts_at) // each, -((forecast.starts_at - moment - step) // each)) for moment in starts]


def _lay(feeder: FeederModel, told: Told, spans: list[slice], columns: list[int], found: dict[str, np.ndarray]) -> None:
    """Put what a forecast says into the columns of a run. Reactive power comes with load, at each point as in the model."""
    model, on = feeder.point_va, told.places >= 0
    places = told.places[on]
    lagging = np.divide(model.imag, model.real, out=np.zeros(len(model)), where=model.real > 0)[places, None]
    for name, how in HOLD.items():
        held = lambda values, how=how: np.stack([how(values[..., span], axis=-1) for span in spans], axis=-1)  # noqa: E731
        if told.shape:
            part = held(told.shape[name])
            found[name][:, columns] = model.real[:, None] * part + 1j * model.imag[:, None] * np.maximum(part, 0)
        watts = 1e3 * held(told.load_kw[name])[on]
        found[name][np.ix_(places, columns)] = watts + 1j * lagging * np.maximum(watts, 0)


def _told(run: EnvelopeRun, feeder: FeederModel, forecast: Forecast) -> Told:
    kw = -blocks.unpack(bytes(forecast.meters_block), len(forecast.points), len(forecast.feeder_kw), forecast.unit)
    with_ders = Der.objects.filter(feeder=run.feeder_id, service_point__in=forecast.points, status=Der.Status.ACTIVE)
    points = NetworkPoint.objects.filter(version=run.network_id, service_point__in=forecast.points)
    named = points.exclude(service_point__in=with_ders.values("service_point")).order_by("number")
    known = list(named.values_list("name", "service_point", "load_kw"))
    row_of, place_of = _places(forecast.points), _places(name[:120] for name in feeder.points.tolist())
    rows = np.array([row_of[point] for _, point, _ in known], int)
    model_kw = np.array([load for *_, load in known], float)
    size = np.abs(kw).mean(1)
    relative = (np.array([forecast.low_kw[0], forecast.high_kw[0]]) - forecast.feeder_kw[0]) / (size.sum() or 1.0)
    errors = _errors(forecast, size, relative)
    load = _estimates(kw[rows], *errors[rows].T[..., None])
    return Told(np.array([place_of.get(name, -1) for name, *_ in known], int), load, _shape(run, kw[rows], model_kw, relative))


def _places(keys: Iterable) -> dict:
    return {key: n for n, key in enumerate(keys)}


def _errors(forecast: Forecast, size: np.ndarray, relative: np.ndarray) -> np.ndarray:
    """The low and high error (m, 2), kW, of each meter by its size (m,): its part of its transformer's, else the feeder's in proportion."""
    under = dict(ServicePoint.objects.filter(pk__in=forecast.points).values_list("pk", "transformer"))
    of = np.array([under.get(point) or 0 for point in forecast.points])
    found = size[:, None] * relative
    for transformer, low, high in zip(forecast.transformers, forecast.low_error_kw, forecast.high_error_kw, strict=True):
        total = size[of == transformer].sum()
        if low is not None and total > 0:
            found[of == transformer] = size[of == transformer, None] / total * [low, high]
    return found


def _shape(run: EnvelopeRun, kw: np.ndarray, model_kw: np.ndarray, relative: np.ndarray) -> dict[str, np.ndarray]:
    """Load relative to the model's as meters (m, t) with loads (m,) in the model tell it; nothing where these are too few."""
    modelled = model_kw > 0
    every = NetworkPoint.objects.filter(version=run.network_id, load_kw__gt=0).values_list("load_kw", flat=True)
    if not modelled.any() or (modelled.sum() < FEWEST and model_kw[modelled].sum() < LEAST_PART * sum(every)):
        return {}
    part = kw[modelled].sum(0) / model_kw[modelled].sum()
    return _estimates(part, *(relative * np.abs(part).mean()))


def _estimates(load: np.ndarray, low: np.ndarray, high: np.ndarray) -> dict[str, np.ndarray]:
    """Base, least and most of a load that came by errors from low to high less than forecast. No margin makes an injection of a load."""
    held = {"least": load - high, "most": load - low}
    return {"base": load} | {name: np.where(load >= 0, np.maximum(value, 0), value) for name, value in held.items()}
