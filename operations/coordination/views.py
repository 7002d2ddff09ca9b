"""Pages of T-D coordination: interfaces live, their history, their limits, and what can be delivered through them."""

import asyncio
import json

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth.mixins import LoginRequiredMixin
from django.core.handlers.asgi import ASGIRequest
from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection
from django.http import StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.views.generic import View

from moc import charts, sight
from moc.access import policy
from moc.portal import Create, Detail, List, Update
from moc.portal.shell import url_of
from moc.units import counted
from operations.computed.views import ComputedDetail
from operations.coordination import reports
from operations.coordination.filters import InterfaceFilterSet, LineEventFilterSet
from operations.coordination.forms import LimitForm, LineEventForm, OrderForm
from operations.coordination.models import DeliverabilityRun, InterfaceLimit, InterfaceResult, LineEvent
from operations.coordination.services import limits, line_events, ordering
from operations.coordination.tables import HISTORY_EXPORT, HISTORY_TABLE, INTERFACE_TABLE, LINE_EVENT_TABLE, RUN_TABLE, SHOWN, TOUCHED_TABLE
from operations.outages.views import EventList, EventTimes, EventTransition, OneEvent, TellEvent
from operations.telemetry.models import SubjectReading, SubjectState
from operations.telemetry.reports import last_day_of
from registry.grid.models import TdInterface

INTERFACES = (("Interfaces", "operations:interfaces"),)
LINES = (*INTERFACES, ("Events of lines", "operations:line_events"))
RUNS = (*INTERFACES, ("Deliverability", "operations:deliverability_runs"))
EVERY_S, MOST = 5, 120  # seconds between two states of a stream, and how many it sends before the browser asks again
WORDS = {"measured_at": "Measured"} | dict(SHOWN) | {"envelope_up_kw": "Envelopes up (kW)", "envelope_down_kw": "Envelopes down (kW)"}


class Interfaces(List):
    """The T-D interfaces within reach, with flow, limits, headroom and what DERs behind them can do."""

    model = TdInterface
    title = "T-D interfaces"
    lead = "Flow towards transmission is positive. DERs up and down: what those that are ready told they can change."
    noun = "interfaces"
    table = INTERFACE_TABLE
    filterset_class = InterfaceFilterSet
    keeps_versions = False  # what is shown is of this moment

    def page_rows(self) -> list[dict]:
        rows = super().page_rows()
        found = reports.state_of([row["pk"] for row in rows])
        return [row | found[row["pk"]] for row in rows]

    def actions(self) -> list[tuple[str, str, bool]]:
        feeders = ("Feeders", reverse("operations:overviews"), False)
        lines = ("Events of lines", reverse("operations:line_events"), False)
        return [("Deliverability", reverse("operations:deliverability_runs"), False), lines, feeders]


class InterfaceDetail(Detail):
    """One interface: its state live, the last day, what is forecast, events, and what was last found deliverable."""

    model = TdInterface
    key = "pk"
    template_name = "operations/coordination/interface.html"
    parents = INTERFACES
    is_dated = False
    related = ("edc", "pnode__tso")

    def actions(self) -> list[tuple[str, str, bool]]:
        shown = [("History", reverse("operations:interface_history", args=[self.object.pk]), False)]
        if limits.may_set(self.request.user, self.object):
            shown.append(("Set its limits", reverse("operations:interface_limit", args=[self.object.pk]), False))
        return shown

    def facts(self) -> list:
        limit = InterfaceLimit.objects.filter(td_interface=self.object).first()
        rows = [
            ("Utility", self.object.edc, None, ""),
            ("RTO", self.object.pnode.tso, None, ""),
            ("Pricing node", self.object.pnode, None, ""),
        ]
        return [("Interface", [*rows, ("Limits", limit and limit.source, None, "whence they are known")])]

    def get_context_data(self, **kwargs) -> dict:
        one, now = self.object, timezone.now()
        state = reports.state_of([one.pk], envelopes=True)[one.pk]
        shown = {
            "live": [(name, label, state[name]) for name, label in WORDS.items()],
            "stream": reverse("operations:interface_stream", args=[one.pk]),
        }
        facts = {"unit": "kW", "zone": settings.TIME_ZONE}
        measured = SubjectState.objects.filter(td_interface=one).first()
        day = last_day_of(measured) if measured else []
        if len(day) > 1:
            lines = {"flow": [each.p_kw for each in day]}
            shown["series"] = charts.time_series([each.event_at for each in day], lines, identity="day", title="The last day", **facts)
        times, ahead, meters = reports.forecast_of(one, now)
        if times:
            title = f"Forecast of {counted(meters, 'meters')} behind it"
            shown["ahead"] = charts.time_series(times, {"forecast": ahead}, identity="ahead", title=title, **facts)
        shown["events"] = reports.events_of(one, self.request.user)
        shown["line_events"] = reports.line_events_of(one, self.request.user)
        results = (
            InterfaceResult.objects.visible_to(self.request.user).filter(td_interface=one).select_related("td_interface").order_by("-pk")
        )
        shown["result"] = results.filter(at__lte=now).first() or results.first()  # of now, sooner than of a moment to come
        return super().get_context_data(**shown | kwargs)


class InterfaceStream(LoginRequiredMixin, View):
    """The state of an interface as server-sent events: at once, then every few seconds while it is looked at."""

    def get(self, request, pk: int) -> StreamingHttpResponse:
        interface = get_object_or_404(TdInterface.objects.visible_to(request.user, "view_registry"), pk=pk)
        state = event_of(interface.pk)
        lasting = isinstance(request, ASGIRequest)
        content = _stream(interface.pk, state, policy.sight_of(request.user)) if lasting else iter([state])
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingHttpResponse(content, content_type="text/event-stream", headers=headers)


def event_of(pk: int) -> bytes:
    """One event: the interface's state as JSON, its time as it is read on the page."""
    data = reports.state_of([pk])[pk]
    data["measured_at"] = data["measured_at"] and f"{timezone.localtime(data['measured_at']):%Y-%m-%d %H:%M:%S %Z}"
    return f"retry: {EVERY_S * 1000}\nevent: state\ndata: {json.dumps(data, cls=DjangoJSONEncoder)}\n\n".encode()


async def _stream(pk: int, state: bytes, seen: sight.Sight):
    """Events as they change, and a comment where nothing did, which keeps the connection."""
    sent = None
    for _ in range(MOST):
        yield state if state != sent else b": unchanged\n\n"
        sent = state
        await asyncio.sleep(EVERY_S)
        state = await sync_to_async(_seen)(pk, seen)


def _seen(pk: int, seen: sight.Sight) -> bytes:
    """The event as a request of the reader would have it."""
    try:
        with sight.seeing(seen):
            return event_of(pk)
    finally:
        connection.close()


class History(List):
    """Every reading of one interface, newest first."""

    model = SubjectReading
    noun = "readings"
    table = HISTORY_TABLE
    parents = INTERFACES
    exports = (("CSV", "operations:interface_history_csv"),)
    export_columns = HISTORY_EXPORT
    export_name = "interface-history"

    @cached_property
    def interface(self) -> TdInterface:
        return get_object_or_404(TdInterface.objects.visible_to(self.request.user, self.permission), pk=self.kwargs["pk"])

    def get_title(self) -> str:
        return f"History of {self.interface}"

    def rows(self):
        return super().rows().filter(**reports.history_of(self.interface))


class SetLimit(Update):
    """What may flow through an interface."""

    model = TdInterface
    key = "pk"
    title = "Limits of an interface"
    parents = INTERFACES
    form_class = LimitForm
    versioned = False

    def allowed(self) -> bool:
        return limits.may_set(self.request.user, self.object)

    def perform(self, form) -> TdInterface:
        limits.set_limit(actor=self.request.user, interface=self.object, **form.cleaned_data)
        return self.object

    def done_url(self, result: TdInterface) -> str:
        return reverse("operations:interface", args=[result.pk])


class Runs(List):
    """The deliverability runs of the RTOs within reach."""

    model = DeliverabilityRun
    title = "Deliverability"
    lead = "How much of the feeders' capability can be delivered at once through interfaces and lines, proven by power flow."
    noun = "runs"
    table = RUN_TABLE
    parents = INTERFACES

    def actions(self) -> list[tuple[str, str, bool]]:
        may = policy.allows(self.request.user, limits.OF_RTO)
        return [("Compute it", reverse("operations:deliverability_new"), True)] if may else []


class NewRun(Create):
    """A moment of which it is computed what can be delivered."""

    title = "Compute what can be delivered"
    permission = limits.OF_RTO
    parents = RUNS
    form_class = OrderForm
    submit_label = "Compute"

    def get_form_kwargs(self) -> dict:
        return {"user": self.request.user}

    def perform(self, form) -> DeliverabilityRun:
        return ordering.order(actor=self.request.user, **form.cleaned_data)

    def done_url(self, result: DeliverabilityRun) -> str:
        return reverse("operations:deliverability_run", args=[result.uuid])


class RunDetail(ComputedDetail):
    """One run: what is deliverable by interface, what binds and what it is worth, and the derates that the power flow made."""

    model = DeliverabilityRun
    template_name = "operations/coordination/run.html"
    parents = RUNS
    related = ("tso", "job")

    def facts(self) -> list:
        run = self.object
        return [("Run", [("RTO", run.tso, None, ""), ("Interval of", run.at, None, ""), ("Computed in", run.seconds, "s", "")])]

    def get_context_data(self, **kwargs) -> dict:
        results = list(self.object.results.select_related("td_interface").order_by("td_interface__name", "td_interface__code"))
        able = [each for each in results if each.feeders]
        shown = {"results": [row for each in able for row in each.rows], "without": len(results) - len(able)}
        return super().get_context_data(**shown | {"parts": [part for each in able for part in each.parts]} | kwargs)


class LineEvents(EventList):
    """The events of lines within reach, newest first."""

    model, course = LineEvent, line_events.LINES
    title = "Events of lines"
    lead = "Outages and derates of transmission lines, as their RTO tells them."
    table = LINE_EVENT_TABLE
    filterset_class = LineEventFilterSet
    parents = INTERFACES


class NewLineEvent(TellEvent):
    """An event of one line."""

    course = line_events.LINES
    title = "Tell an event of a line"
    lead = "The interfaces and DERs behind it are found by the line's transfer factors; whom it concerns is told at once."
    parents = LINES
    form_class = LineEventForm


class LineEventDetail(OneEvent):
    """One event: the line, what is behind it, and its moves."""

    model, course = LineEvent, line_events.LINES
    template_name = "operations/coordination/line_event.html"
    parents = LINES
    related = ("line", "tso")

    def actions(self) -> list[tuple[str, str, bool]]:
        return [*super().actions(), ("Operational log", url_of("operations:log", about=str(self.object)), False)]

    def get_context_data(self, **kwargs) -> dict:
        one, user = self.object, self.request.user
        rows = one.touched.visible_to(user).order_by("td_interface__code", "pk").values(*TOUCHED_TABLE.lookups)
        shown = {"touched": TOUCHED_TABLE.bind(rows), "feeders": reports.feeders_behind(one, user)}
        return super().get_context_data(**shown | kwargs)


class LineEventTimes(EventTimes):
    """Other times of an event of a line."""

    model, course = LineEvent, line_events.LINES
    lead = "What can be delivered is computed anew, now and at the moments to come that were asked for; whom it concerns is told."
    parents = LINES


class LineEventTransition(EventTransition):
    """Of an event of a line."""

    model, course = LineEvent, line_events.LINES
