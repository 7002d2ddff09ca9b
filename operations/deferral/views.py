"""The dashboard of transformer alarms, one alarm with its moves, and its benefit report."""

import numpy as np
from django.conf import settings
from django.db.models import Count, Sum
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.html import format_html

from moc import charts
from moc.portal import Detail, List, Sort, Transition
from moc.portal.views import One
from operations.deferral import reports, services
from operations.deferral.filters import AlarmFilterSet
from operations.deferral.forms import InputsForm
from operations.deferral.models import TransformerAlarm
from operations.deferral.tables import ALARM_TABLE
from registry.ders.models import Der

ENVELOPES = (("Envelopes", "operations:envelopes"),)
ALARMS = (*ENVELOPES, ("Transformer alarms", "operations:transformer_alarms"))


class Alarms(List):
    """Transformers that are forecast above their rating, newest first, with how many there are of each kind."""

    model = TransformerAlarm
    title = "Transformer alarms"
    lead = (
        "Service transformers that forecasts of today and tomorrow take above their rating, by the P90 of load where a forecast's errors "
        "are known. Charging is curtailed first, by envelopes."
    )
    noun = "alarms"
    parents = ENVELOPES
    template_name = "operations/deferral/alarms.html"
    table = ALARM_TABLE
    filterset_class = AlarmFilterSet
    sorts = (Sort("-id", ("-id",)), Sort("id", ("id",)))

    def get_context_data(self, **kwargs) -> dict:
        rows = self.selected().order_by().values("status").annotate(alarms=Count("pk"), over=Sum("over_kwh"), off=Sum("covered_kw"))
        labels = dict(TransformerAlarm.Status.choices)
        sums = [row | {"label": labels[row["status"]]} for row in rows.order_by("status")]
        return super().get_context_data(**{"sums": sums} | kwargs)


class AlarmDetail(Detail):
    """One alarm: what is forecast, as a chart and a table, whose charging is curtailed, and the moves."""

    model = TransformerAlarm
    template_name = "operations/deferral/alarm.html"
    parents = ALARMS
    related = ("transformer", "feeder", "edc", "run__feeder", "forecast__feeder")
    transition_url = "operations:transformer_alarm_transition"

    def actions(self) -> list[tuple[str, str, bool]]:
        return [("Benefit report", reverse("operations:transformer_benefit", args=[self.object.uuid]), False)]

    @cached_property
    def day(self) -> tuple:
        """The intervals of the forecast, and the transformer's load in them."""
        return reports.day_of(self.object)

    def facts(self) -> list:
        one = self.object
        run = one.run and reverse("operations:envelope_run", args=[one.run.uuid])
        run = run and format_html('<a href="{}">{}</a>, {}', run, one.run, one.run.get_status_display().lower())
        forecast = format_html('<a href="{}">{}</a>', reverse("operations:forecast", args=[one.forecast.pk]), one.forecast)
        off = reports.off(one)
        ordered = "ordered, but no published set of envelopes with it is in force over its hours" if one.run else "nothing was ordered"
        rows = [
            ("Feeder", one.feeder, None, ""),
            ("Rating", one.rated_kva, "kVA", ""),
            ("Forecast", forecast, None, ""),
            *reports.peaks_of(one, self.day[1]),
            ("Above the rating", one.over_kwh, "kWh", ""),
            ("From", one.starts_at, None, ""),
            ("To", one.ends_at, None, ""),
            ("Can be taken off the peak", off.possible_kw, "kW", "by curtailing charging, as far as these DERs charge at that time"),
            ("Is taken off the peak", off.done_kw, "kW", "" if off.done_kw else ordered),
            ("Charging is curtailed", one.is_curtailed, None, "by a published set of envelopes in force over its hours"),
            ("Envelopes with it", run, None, ""),
            ("Utility", one.edc, None, ""),
        ]
        return [("Alarm", rows)]

    def get_context_data(self, **kwargs) -> dict:
        ders = Der.objects.visible_to(self.request.user).in_bulk([part[0] for part in self.object.parts])
        parts = [(ders[der], kw, left) for der, kw, left in self.object.parts if der in ders]
        times, load = self.day
        high = {} if load.high is None else {"P90 of the forecast": np.round(load.high, 2).tolist()}
        rating = [float(self.object.rated_kva)] * len(times)
        lines = {"forecast": np.round(load.likeliest, 2).tolist()} | high | {"rating": rating}
        facts = {"identity": "alarm", "title": "Load of the transformer", "unit": "kW", "zone": settings.TIME_ZONE}
        return super().get_context_data(**{"parts": parts, "series": charts.time_series(times, lines, **facts)} | kwargs)


class AlarmTransition(Transition):
    """Curtail charging, or deactivate."""

    model = TransformerAlarm
    detail_url = "operations:transformer_alarm"

    def move(self, actor, obj: TransformerAlarm, name: str, reason: str) -> None:
        services.MOVES[name](actor=actor, alarm=obj, reason=reason)


class BenefitReport(One):
    """What deferring the transformer's replacement is worth, with formulas and inputs."""

    model = TransformerAlarm
    template_name = "operations/deferral/benefit.html"
    parents = ALARMS
    related = ("transformer", "forecast")
    lead = "What it would be worth to take the overload away, with the formulas and inputs that say so."

    def get_title(self) -> str:
        return f"Benefit: {self.object}"

    def get_context_data(self, **kwargs) -> dict:
        given = {field: self.request.GET.get(field, getattr(reports.Inputs, field)) for field in InputsForm.base_fields}
        form = InputsForm(given)
        found = reports.benefit(self.object, reports.Inputs(**form.cleaned_data)) if form.is_valid() else None
        one = self.object
        peaks = [row[:3] for row in reports.peaks_of(one, reports.day_of(one)[1])]
        measured = [("Rating", one.rated_kva, "kVA"), *peaks, ("Energy above the rating", one.over_kwh, "kWh")]
        if found:
            measured += [
                ("Charging that can be curtailed", found.curtailable_kw, "kW"),
                ("Can be taken off the peak", found.covered_kw, "kW"),
                ("Is taken off by envelopes in force", found.done_kw, "kW"),
            ]
        shown = {"object": one, "form": form, "benefit": found, "formulas": reports.FORMULAS, "measured": measured}
        return super().get_context_data(**shown | kwargs)
