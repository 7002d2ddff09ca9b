"""Columns of forecasts."""

from django.urls import reverse

from moc.portal import Column, Table
from operations.forecasts.models import Forecast

FORECAST_TABLE = Table(
    caption="Forecasts",
    url=lambda row: reverse("operations:forecast", args=[row["pk"]]),
    needs=("pk",),
    empty_title="Nothing was forecast",
    columns=(
        Column("feeder__code", "Feeder", kind="code"),
        Column("day", "Day"),
        Column("kind", "Kind", choices=Forecast.Kind),
        Column("published_at", "Published"),
        Column("known_until", "Meter data until"),
        Column("meters", "Meters", numeric=True, value=lambda row: len(row["points"]), needs=("points",)),
        Column("peak_kw", "Largest import (kW)", numeric=True, value=lambda row: round(-min(row["feeder_kw"]), 1), needs=("feeder_kw",)),
        Column("edc__name", "Utility"),
    ),
)
