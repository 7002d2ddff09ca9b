"""Pages of readiness: DERs, one DER with its last day, and aggregations as the sum of their members."""

from django.conf import settings
from django.urls import reverse
from django.utils.html import format_html

from moc import charts
from moc.portal import Detail, List
from operations.telemetry import reports
from operations.telemetry.filters import StateFilterSet
from operations.telemetry.models import DerState
from operations.telemetry.tables import AGGREGATION_TABLE, STATE_TABLE
from registry.aggregations.models import Aggregation

STATES = (("Readiness", "operations:states"),)
RECENT = 50


class States(List):
    """The DERs within reach of which something was heard, with their readiness."""

    model = DerState
    title = "Readiness"
    lead = "What each DER last told of itself. It counts as not heard of three of its own intervals after its last reading."
    noun = "DERs heard of"
    table = STATE_TABLE
    filterset_class = StateFilterSet

    def actions(self) -> list[tuple[str, str, bool]]:
        return [("Aggregations", reverse("operations:aggregation_states"), False)]


class StateDetail(Detail):
    """One DER: what it last told, and its last day."""

    model = DerState
    key = "pk"
    template_name = "operations/telemetry/state.html"
    parents = STATES
    related = ("der", "edc", "aggregator")

    def get_title(self) -> str:
        return f"State of {self.object.der}"

    def facts(self) -> list:
        state = self.object
        der = format_html('<a href="{}">{}</a>', reverse("registry:der_detail", args=[state.der.uuid]), state.der)
        rows = [
            ("DER", der, None, ""),
            ("Readiness", state.readiness.label, None, f"operating state: {state.get_operating_display().lower()}"),
            ("Power", state.p_kw, "kW", "injection positive"),
            ("Reactive power", state.q_kvar, "kvar", ""),
            ("State of charge", state.soc_percent, "%", ""),
            ("Room up", state.up_kw, "kW", "from the present power"),
            ("Room down", state.down_kw, "kW", "from the present power"),
            ("Measured", state.event_at, None, ""),
            ("Published", state.published_at, None, ""),
            ("Counts as not heard of", state.stale_at, None, "from"),
            ("Source", state.get_source_display(), None, f"quality: {state.get_quality_display().lower()}"),
            ("Utility", state.edc, None, ""),
            ("Aggregator", state.aggregator, None, ""),
        ]
        return [("Latest reading", rows)]

    def get_context_data(self, **kwargs) -> dict:
        day = reports.last_day(self.object)
        facts = {"identity": "day", "title": "The last day", "unit": "kW", "zone": settings.TIME_ZONE}
        lines = {"power": [each.p_kw for each in day]}
        series = charts.time_series([each.event_at for each in day], lines, **facts) if len(day) > 1 else None
        return super().get_context_data(**{"series": series, "recent": day[: -RECENT - 1 : -1]} | kwargs)


class AggregationStates(List):
    """The aggregations within reach, each as the sum of its present members."""

    model = Aggregation
    title = "Readiness of aggregations"
    lead = "The members of today: how many are ready, and what the ready ones inject and could change."
    noun = "aggregations"
    table = AGGREGATION_TABLE
    parents = STATES

    def page_rows(self) -> list[dict]:
        rows = super().page_rows()
        told = reports.of_aggregations([row["pk"] for row in rows])
        return [row | told[row["pk"]] for row in rows]
