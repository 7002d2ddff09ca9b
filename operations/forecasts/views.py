"""Pages of forecasts: what was published, one beside what came with its back-test, and meter data in."""

from django.conf import settings
from django.urls import reverse

from moc import charts
from moc.access import policy
from moc.portal import Create, Detail, List
from operations.forecasts import reports
from operations.forecasts.filters import ForecastFilterSet
from operations.forecasts.forms import MeterDataForm
from operations.forecasts.models import Forecast
from operations.forecasts.services import storing
from operations.forecasts.services.storing import Stored
from operations.forecasts.tables import FORECAST_TABLE
from registry.grid.forms import utilities_of
from registry.grid.models import ServicePoint

LIST = (("Forecasts", "operations:forecasts"),)
SHOWN = 50  # transformers


class Forecasts(List):
    """The forecasts within reach, newest first."""

    model = Forecast
    title = "Forecasts"
    lead = "Net load of every meter of a feeder, summed. Each forecast stands as it was published, whatever came later."
    noun = "forecasts"
    table = FORECAST_TABLE
    filterset_class = ForecastFilterSet

    def actions(self) -> list[tuple[str, str, bool]]:
        return [("Load meter data", reverse("operations:meter_data"), True)] if utilities_of(self.request.user).exists() else []


class ForecastDetail(Detail):
    """One forecast: the feeder's sum with its bounds and what came, its transformers, and how the method did in the weeks before."""

    model = Forecast
    key = "pk"
    template_name = "operations/forecasts/forecast.html"
    parents = LIST
    related = ("feeder", "edc")

    def get_title(self) -> str:
        return f"Forecast of {self.object}"

    def facts(self) -> list:
        forecast = self.object
        rows = [
            ("Feeder", forecast.feeder, None, ""),
            ("Day", forecast.day, None, ""),
            ("Kind", forecast.get_kind_display(), None, ""),
            ("Published", forecast.published_at, None, ""),
            ("Meter data until", forecast.known_until, None, ""),
            ("Meters", len(forecast.points), None, ""),
            ("Method", "0.6 × mean of the last four same weekdays + 0.4 × mean of the last three days", None, "of each meter"),
            ("Utility", forecast.edc, None, ""),
        ]
        return [("Forecast", rows)]

    def get_context_data(self, **kwargs) -> dict:
        forecast, came = self.object, reports.actual_kw(self.object)
        lines = {"forecast": forecast.feeder_kw, "low": forecast.low_kw, "high": forecast.high_kw}
        if any(value is not None for value in came):
            lines["measured"] = came
        days = reports.tested_days(forecast.feeder, forecast.day, forecast.known_until, forecast.published_at)
        shown = {"series": self._chart(lines, "forecast", "The feeder's sum"), "tested": reports.tested(days)}
        shown |= {"transformers": reports.transformers(forecast)[:SHOWN], "transformer_count": len(forecast.transformers)}
        if policy.allows(self.request.user, storing.PERMISSION, forecast.edc):
            shown |= self._meter(forecast)
        return super().get_context_data(**shown | kwargs)

    def _meter(self, forecast: Forecast) -> dict:
        """One meter's forecast, for the utility's own people."""
        wanted = self.request.GET.get("meter", "").strip()
        shown = {"asks_meter": True, "wanted": wanted}
        if wanted:
            point = ServicePoint.objects.filter(edc=forecast.edc, pk__in=forecast.points, usage_point_id=wanted).first()
            shown["meter"] = point and self._chart({"forecast": reports.parts(forecast, "points")[point.pk].tolist()}, "meter", wanted)
        return shown

    def _chart(self, lines: dict, identity: str, title: str) -> dict:
        facts = {"identity": identity, "title": title, "unit": "kW", "zone": settings.TIME_ZONE}
        return charts.time_series(reports.times(self.object), lines, **facts)


class LoadMeterData(Create):
    """A Green Button file of one service point, or a CSV of many."""

    title = "Load meter data"
    lead = "Interval energy of service points. What is there already with the same values is not stored again; corrections stand beside."
    permission = storing.PERMISSION
    parents = LIST
    form_class = MeterDataForm
    submit_label = "Load"

    def allowed(self) -> bool:
        return utilities_of(self.request.user).exists()

    def get_form_kwargs(self) -> dict:
        return {"user": self.request.user}

    def perform(self, form) -> Stored:
        given = form.cleaned_data
        file = given["file"]
        facts = {"edc": given["edc"], "name": file.name, "content": file.read(), "point": given["usage_point_id"]}
        return storing.receive(actor=self.request.user, **facts)

    def done_url(self, result: Stored) -> str:
        return reverse("operations:forecasts")
