"""Margins of forecasts: the pinball loss of the blend with the quantiles of its own errors, and of LightGBM where that is installed
(issue: forecasts). It is no dependency: on the data that ship, its margins are the worse ones."""

import importlib.util

import numpy as np
import pytest

from moc.demo import meters
from operations.forecasts.engine import blend
from tests.scale.figures import verdict

pytestmark = pytest.mark.scale
QUANTILES, TESTED, LAGS = (0.1, 0.9), 25, (1, 2, 3, 7, 14)
TREES = {"objective": "quantile", "verbosity": -1, "num_leaves": 7, "min_data_in_leaf": 20, "learning_rate": 0.05, "num_threads": 1}


def transformers() -> dict[str, np.ndarray]:
    """(days, 24) kWh of each home that ships, of both, and of as many as a transformer has, scaled and disturbed from a seed."""
    homes, rng = [meters._home(name) for name in meters.SAMPLES], np.random.default_rng(1)
    found = dict(zip(meters.SAMPLES, homes, strict=True)) | {"both": sum(homes)}
    for count in (8, 20):
        sizes = zip(rng.integers(2, size=count), rng.uniform(0.6, 1.6, count))
        drawn = [homes[n] * size * rng.normal(1, 0.12, homes[n].shape) for n, size in sizes]
        found[f"{count} meters"] = sum(drawn)
    return found


def loss(actual: np.ndarray, forecast: np.ndarray, quantile: float) -> float:
    """The pinball loss, in percent of the mean."""
    error = actual - forecast
    return 100 * float(np.nanmean(np.maximum(quantile * error, (quantile - 1) * error)) / np.nanmean(np.abs(actual)))


def by_blend(days: np.ndarray, day: int) -> dict[float, np.ndarray]:
    """As forecasts are published: the blend, and the quantiles of its errors in the days before."""
    errors = [days[each] - blend.day_ahead(days[None, each - blend.HISTORY : each])[0] for each in range(blend.HISTORY, day)]
    ahead = blend.day_ahead(days[None, day - blend.HISTORY : day])[0]
    return {quantile: ahead + np.nanquantile(errors, quantile) for quantile in QUANTILES}


def features(days: np.ndarray, day: int) -> np.ndarray:
    weeks = blend.mean(np.stack([days[day - 7 * n] for n in range(1, 5)]), 0)
    ahead = blend.day_ahead(days[None, day - blend.HISTORY : day])[0]
    clock = np.arange(days.shape[1])
    columns = [days[day - lag] for lag in LAGS]
    return np.stack([*columns, weeks, blend.mean(days[day - 3 : day], 0), ahead, clock, np.full(len(clock), day % 7)], 1)


def by_trees(days: np.ndarray, day: int) -> dict[float, np.ndarray]:
    """LightGBM's quantiles, trained on all days before, anew each day."""
    import lightgbm

    rows = np.vstack([features(days, each) for each in range(blend.HISTORY, day)])
    actual = days[blend.HISTORY : day].ravel()
    known = ~np.isnan(actual)
    found = {}
    for quantile in QUANTILES:
        trained = lightgbm.train(TREES | {"alpha": quantile}, lightgbm.Dataset(rows[known], actual[known]), 80)
        found[quantile] = trained.predict(features(days, day))
    return found


def test_margins():
    """O4: P10 and P90 of transformers, day ahead, over the last 25 days."""
    methods = {"blend": by_blend} | ({"LightGBM": by_trees} if importlib.util.find_spec("lightgbm") else {})
    sums: dict[str, list[float]] = {name: [] for name in methods}
    print("\n\npinball loss of P10 + P90, % of the mean")
    for label, days in transformers().items():
        tested, said = range(len(days) - TESTED, len(days)), []
        for name, method in methods.items():
            forecasts = [method(days, day) for day in tested]
            actual = days[list(tested)]
            each = [loss(actual, np.stack([row[quantile] for row in forecasts]), quantile) for quantile in QUANTILES]
            low, high = (np.stack([row[quantile] for row in forecasts]) for quantile in QUANTILES)
            covered = 100 * ((actual >= low) & (actual <= high)).mean()
            sums[name].append(sum(each))
            said.append(f"{name} {each[0]:.2f} + {each[1]:.2f} (covers {covered:.0f} %)")
        print(f"  {label}: " + ", ".join(said))
    means = {name: float(np.mean(values)) for name, values in sums.items()}
    print(verdict("pinball loss of the blend's margins, % of the mean", means["blend"], ceiling=3.0))
    if "LightGBM" in means:
        print(verdict("the blend's against LightGBM's", means["blend"] / means["LightGBM"], ceiling=1.0))
    assert means["blend"] <= 3.0
