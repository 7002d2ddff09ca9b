"""Pages of readiness: DERs, one DER with its last day, and aggregations as the sum of their members."""

from django.conf import settings
from django.urls import reverse
from django.utils.html import format_html

from moc import charts
from moc.access import policy
from moc.access.models import Organization
from moc.portal import Detail, List
from operations.telemetry import reports
from operations.telemetry.filters import CheckFilterSet, StateFilterSet, SubjectStateFilterSet
from operations.telemetry.models import SUBJECTS, DerState, SubjectState, TelemetryCheck
from operations.telemetry.tables import AGGREGATION_TABLE, CHECK_TABLE, STATE_TABLE, SUBJECT_TABLE
from registry.aggregations.models import Aggregation

STATES = (("Readiness", "operations:states"),)
RECENT = 50
MOST_PARTIES = 20  # rows of the sums above a list


def _last_day(day: list) -> dict:
    """A chart of a day's readings, and the newest of them."""
    facts = {"identity": "day", "title": "The last day", "unit": "kW", "zone": settings.TIME_ZONE}
    lines = {"power": [each.p_kw for each in day]}
    series = charts.time_series([each.event_at for each in day], lines, **facts) if len(day) > 1 else None
    return {"series": series, "recent": day[: -RECENT - 1 : -1]}


class LiveList(List):
    """A list that is brought up to date while it is looked at, unless ?live=off; without a script it is a page like any other."""

    template_name = "operations/telemetry/live.html"

    def get_context_data(self, **kwargs) -> dict:
        held = self.request.GET.get("live") == "off"
        return super().get_context_data(**{"held": held, "switch": self.address(live=None if held else "off")} | kwargs)


class States(LiveList):
    """The DERs within reach of which something was heard, with their readiness."""

    model = DerState
    title = "Readiness"
    lead = "What each DER last told of itself. It counts as not heard of some of its own intervals after its last reading."
    noun = "DERs heard of"
    table = STATE_TABLE
    filterset_class = StateFilterSet

    def page_rows(self) -> list[dict]:
        return reports.respecting(super().page_rows())

    def actions(self) -> list[tuple[str, str, bool]]:
        pages = {
            "Aggregations": "aggregation_states",
            "Grid and aggregates": "subject_states",
            "Owed and delivered": "telemetry_checks",
            "Forecasts": "forecasts",
            "T-D interfaces": "interfaces",
            "Feeders": "overviews",
            "Reliability": "reliability_findings",
        }
        grids = (Organization.Kind.EDC, Organization.Kind.TSO)
        if not any(policy.reach_of(self.request.user, self.permission, kind) for kind in grids):  # an aggregator finds nothing there
            del pages["T-D interfaces"], pages["Feeders"]
        return [(label, reverse(f"operations:{name}"), False) for label, name in pages.items()]


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
        state, own = self.object, [self.object.der_id]
        reserve, able = reports.reserves(own).get(state.der_id), reports.left(own).get(state.der_id)
        der = format_html('<a href="{}">{}</a>', reverse("registry:der_detail", args=[state.der.uuid]), state.der)
        rows = [
            ("DER", der, None, ""),
            ("Readiness", state.readiness.label, None, f"operating state: {state.get_operating_display().lower()}"),
            *([("Still available", able, "kW", "by its outage")] if able is not None else []),
            *([("Reserve of the owner", reserve, "%", "below it there is no room up")] if reserve else []),
            ("Power", state.p_kw, "kW", "injection positive"),
            ("Reactive power", state.q_kvar, "kvar", ""),
            ("State of charge", state.soc_percent, "%", ""),
            ("Room up", reports.usable_up_kw(state, reserve, able), "kW", "from the present power"),
            ("Room down", reports.usable_down_kw(state, able), "kW", "from the present power"),
            ("Measured", state.event_at, None, ""),
            ("Published", state.published_at, None, ""),
            ("Counts as not heard of", state.stale_at, None, "from"),
            ("Source", state.get_source_display(), None, f"quality: {state.get_quality_display().lower()}"),
            ("Utility", state.edc, None, ""),
            ("Aggregator", state.aggregator, None, ""),
        ]
        return [("Latest reading", rows)]

    def get_context_data(self, **kwargs) -> dict:
        return super().get_context_data(**_last_day(reports.last_day(self.object)) | kwargs)


class SubjectStates(LiveList):
    """The aggregations, feeders, transformers and T-D interfaces within reach of which something was heard."""

    model = SubjectState
    title = "Grid and aggregates"
    lead = "What was last measured of aggregations, at feeders' heads, of transformers and at T-D interfaces. Injection is positive."
    noun = "subjects heard of"
    table = SUBJECT_TABLE
    filterset_class = SubjectStateFilterSet
    parents = STATES


class SubjectDetail(Detail):
    """One subject: what was last measured of it, and its last day."""

    model = SubjectState
    key = "pk"
    template_name = "operations/telemetry/subject.html"
    parents = (*STATES, ("Grid and aggregates", "operations:subject_states"))
    related = (*SUBJECTS, "edc", "aggregator", "tso")

    def get_title(self) -> str:
        return f"State of {self.object.subject}"

    def facts(self) -> list:
        state = self.object
        rows = [
            ("Power", state.p_kw, "kW", "injection positive"),
            ("Reactive power", state.q_kvar, "kvar", ""),
            ("Voltage", state.voltage_pu, "pu", ""),
            ("Room up", state.up_kw, "kW", "from the present power"),
            ("Room down", state.down_kw, "kW", "from the present power"),
            ("Measured", state.event_at, None, ""),
            ("Published", state.published_at, None, ""),
            ("Counts as not heard of", state.stale_at, None, "from"),
            ("Source", state.get_source_display(), None, f"quality: {state.get_quality_display().lower()}"),
            *((label, party, None, "") for label, party in self.parties() if party),
        ]
        return [("Latest reading", rows)]

    def parties(self) -> list[tuple]:
        return [("Utility", self.object.edc), ("Aggregator", self.object.aggregator), ("RTO", self.object.tso)]

    def get_context_data(self, **kwargs) -> dict:
        return super().get_context_data(**_last_day(reports.last_day_of(self.object)) | kwargs)


class Checks(List):
    """What DERs and aggregations within reach owed and delivered, the newest checks first, with the sums of each party above."""

    model = TelemetryCheck
    title = "Telemetry owed and delivered"
    lead = (
        "Who owes telemetry follows from the services of registered aggregations and the rule sets; counted in intervals, day by day. "
        "An aggregation is compared with the sum of its members."
    )
    noun = "checks"
    template_name = "operations/telemetry/checks.html"
    table = CHECK_TABLE
    filterset_class = CheckFilterSet
    parents = STATES

    def get_context_data(self, **kwargs) -> dict:
        parties = self.selected().by_party()[:MOST_PARTIES]
        return super().get_context_data(**{"parties": parties} | kwargs)


class AggregationStates(LiveList):
    """The aggregations within reach, each as the sum of its present members."""

    model = Aggregation
    keeps_versions = False
    title = "Readiness of aggregations"
    lead = "The members of today: how many are ready, and what the ready ones inject and could change."
    noun = "aggregations"
    table = AGGREGATION_TABLE
    parents = STATES

    def page_rows(self) -> list[dict]:
        rows = super().page_rows()
        told = reports.of_aggregations([row["pk"] for row in rows])
        return [row | told[row["pk"]] for row in rows]
