"""Pages of outages of DERs, grid events, and the operational log."""

from django.core.exceptions import ValidationError
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html

from moc.access import policy
from moc.portal import Create, Detail, List, Sort, Transition, Update
from moc.portal.shell import url_of
from operations.outages import forms, reports
from operations.outages.filters import BY_TIME, EventFilterSet, LogFilterSet, OutageFilterSet
from operations.outages.models import CapacityEvent, DerOutage, GridEvent, LogEntry
from operations.outages.queries import OPEN
from operations.outages.services import decoding, ders, events
from operations.outages.services.course import Course, teller
from operations.outages.tables import DER_TABLE, EVENT_TABLE, LOG_EXPORT, LOG_TABLE, OUTAGE_TABLE

NEWEST = (Sort("-id", ("-id",)), Sort("id", ("id",)))
OUTAGES = (("Outages", "operations:outages"),)
EVENTS = (*OUTAGES, ("Grid events", "operations:grid_events"))


def overdue(one: DerOutage | CapacityEvent) -> str:
    """Of what goes on beyond the moment at which it was expected back."""
    late = one.status == "active" and one.expected_until is not None and one.expected_until < timezone.now()
    return "overdue: nobody has said that it is back" if late else ""


class Outages(List):
    """Outages and derates of the DERs within reach, newest first."""

    model = DerOutage
    title = "Outages"
    lead = "DERs that deliver nothing, or less, now or at a time to come."
    noun = "outages"
    table = OUTAGE_TABLE
    filterset_class = OutageFilterSet
    sorts = NEWEST

    def actions(self) -> list[tuple[str, str, bool]]:
        other = [("Responses", reverse("operations:outage_responses"), False)]
        other += [("Grid events", reverse("operations:grid_events"), False), ("Operational log", reverse("operations:log"), False)]
        if not policy.reach(self.request.user, ders.PERMISSION):
            return other
        own = [("Tell an outage", reverse("operations:outage_new"), True), ("By file", reverse("operations:outage_file"), False)]
        return [*own, *other]


class NewOutage(Create):
    """One outage, by form."""

    title = "Tell an outage"
    lead = "The utility is told at once, and the operational log keeps it."
    permission = ders.PERMISSION
    parents = OUTAGES
    form_class = forms.OutageForm
    submit_label = "Tell it"

    def get_form_kwargs(self) -> dict:
        return {"user": self.request.user}

    def perform(self, form) -> DerOutage:
        outcome = ders.report(actor=self.request.user, rows=[form.told()])
        if outcome.refused:
            raise ValidationError({each.rule.column: each.sentence for each in outcome.refused})
        return outcome.taken[0]

    def done_url(self, result: DerOutage) -> str:
        return reverse("operations:outage", args=[result.uuid])


class OutageFile(Create):
    """Outages by file, all or none."""

    title = "Outages by file"
    permission = ders.PERMISSION
    parents = OUTAGES
    form_class = forms.OutageFileForm
    submit_label = "Tell them"

    def perform(self, form) -> None:
        upload = form.cleaned_data["file"]
        if upload.size > decoding.MOST_BYTES:
            raise ValidationError({"file": f"A file has at most {decoding.MOST_BYTES // 2**20} MB."})
        outcome = ders.report(actor=self.request.user, rows=decoding.rows_of(upload.read()))
        if outcome.refused:
            raise ValidationError({"file": ["None of the rows was taken. Mend these, then send all again.", *ders.told_of(outcome)]})

    def done_url(self, result: None) -> str:
        return reverse("operations:outages")


class OutageDetail(Detail):
    """One outage with its moves."""

    model = DerOutage
    parents = OUTAGES
    related = ("der", "aggregator", "edc")
    transition_url = "operations:outage_transition"

    def facts(self) -> list:
        one = self.object
        rows = [
            ("DER", format_html('<a href="{}">{}</a>', reverse("registry:der_detail", args=[one.der.uuid]), one.der), None, ""),
            ("Cause", one.get_cause_display(), None, ""),
            ("Still available", one.available_kw, "kW", ""),
            ("From", one.starts_at, None, ""),
            ("Expected back at", one.expected_until, None, overdue(one)),
            ("Back at", one.ended_at, None, ""),
            ("Reason", one.reason, None, ""),
            ("Notification", one.notified, None, "as the aggregator says"),
            ("Aggregator", one.aggregator, None, ""),
            ("Utility", one.edc, None, ""),
        ]
        return [(one.get_kind_display(), rows)]

    def actions(self) -> list[tuple[str, str, bool]]:
        answers = f"{reverse('operations:outage_responses')}?outage={self.object.uuid}"
        shown = [("Answers chosen", answers, False)]
        if self.object.status not in OPEN or not policy.allows(self.request.user, ders.PERMISSION, self.object.aggregator):
            return shown
        return [("Answer it", reverse("operations:outage_answer", args=[self.object.uuid]), True), *shown]

    def transitions(self) -> list[dict]:
        return super().transitions() if policy.allows(self.request.user, ders.PERMISSION, self.object.aggregator) else []


class OutageTransition(Transition):
    """The DER is back, or the outage does not come."""

    model = DerOutage
    detail_url = "operations:outage"

    def move(self, actor, obj: DerOutage, name: str, reason: str) -> None:
        ders.move(actor=actor, outage=obj, name=name, reason=reason)


class OfKind:
    """A page of the events of a kind, whose course knows the addresses."""

    course: Course
    transition_url = property(lambda self: f"{self.course.page}_transition")
    detail_url = property(lambda self: self.course.page)

    def done_url(self, result: CapacityEvent) -> str:
        return reverse(self.course.page, args=[result.uuid])


class EventList(OfKind, List):
    """The events of a kind within reach, newest first."""

    noun = "events"
    sorts = NEWEST

    def branches(self) -> list:
        """Few rows, and paths through what they touch: one query with the whole scope."""
        if self.moment:
            return super().branches()
        return [Q(pk__in=self.model.objects.visible_to(self.request.user, self.permission).order_by().values("pk"))]

    def actions(self) -> list[tuple[str, str, bool]]:
        may = self.course.may_tell(self.request.user)
        return [("Tell an event", reverse(f"{self.course.page}_new"), True)] if may else []


class TellEvent(OfKind, Create):
    """An event of a kind, by form."""

    submit_label = "Tell it"

    def allowed(self) -> bool:
        return self.course.may_tell(self.request.user)

    def get_form_kwargs(self) -> dict:
        return {"user": self.request.user}

    def perform(self, form) -> CapacityEvent:
        return self.course.report(actor=self.request.user, event=form.event())


class OneEvent(OfKind, Detail):
    """One event of a kind: its times, and its moves."""

    def facts(self) -> list:
        one = self.object
        rows = [
            ("Where", one.place, None, ""),
            ("Capacity left", one.capacity_percent or None, "%", "of a derate"),
            ("From", one.starts_at, None, ""),
            ("Expected back at", one.expected_until, None, overdue(one)),
            ("Restored", one.restored_at, None, ""),
            ("Reason", one.reason, None, ""),
            ("Told by", teller(one)[1], None, ""),
        ]
        return [(one.get_kind_display(), rows)]

    def actions(self) -> list[tuple[str, str, bool]]:
        may = self.object.status in OPEN and policy.allows(self.request.user, *teller(self.object))
        return [("Other times", reverse(f"{self.course.page}_times", args=[self.object.uuid]), False)] if may else []

    def mover(self, permission: str) -> tuple:
        return teller(self.object)


class EventTimes(OfKind, Update):
    """Other times of one event of a kind."""

    title = "Other times of an event"
    form_class = forms.TimesForm
    submit_label = "Give these times"

    def allowed(self) -> bool:
        return policy.allows(self.request.user, *teller(self.object))

    def get_form_kwargs(self) -> dict:
        return {"event": self.object}

    def perform(self, form) -> CapacityEvent:
        self.course.reschedule(actor=self.request.user, event=self.object, **form.cleaned_data)
        return self.object


class EventTransition(OfKind, Transition):
    """Restored, or it does not come."""

    def move(self, actor, obj: CapacityEvent, name: str, reason: str) -> None:
        self.course.move(actor=actor, event=obj, name=name, reason=reason)


class Events(EventList):
    """Grid events within reach, newest first."""

    model, course = GridEvent, events.GRID
    title = "Grid events"
    lead = "Outages, switching and derates of the grid, and the DERs that are behind them."
    table = EVENT_TABLE
    filterset_class = EventFilterSet
    parents = OUTAGES


class NewEvent(TellEvent):
    """An event at one place of the grid."""

    course = events.GRID
    title = "Tell a grid event"
    lead = "What is behind the place is found in your records and networks; whom it concerns is told at once."
    parents = EVENTS
    form_class = forms.EventForm


class EventDetail(OneEvent):
    """One event: where, what is behind it, and its moves."""

    model, course = GridEvent, events.GRID
    template_name = "operations/outages/event.html"
    parents = EVENTS
    related = ("edc", "tso", "feeder", "transformer__feeder", "td_interface")

    def facts(self) -> list:
        one = self.object
        behind = [
            ("Service points", one.point_count, None, ""),
            ("DERs", one.der_count, None, "when it was told"),
            ("Aggregations with these DERs", one.aggregation_count, None, ""),
            ("Their nameplate", one.kw, "kW", ""),
            ("Utility", one.edc, None, ""),
        ]
        return [*super().facts(), ("Behind it", behind)]

    def actions(self) -> list[tuple[str, str, bool]]:
        feeder = self.object.feeder or (self.object.transformer and self.object.transformer.feeder)
        shown = [("Envelopes of this feeder", url_of("operations:envelopes", feeder=feeder.code), False)] if feeder else []
        return [*super().actions(), *shown]

    def get_context_data(self, **kwargs) -> dict:
        one, user = self.object, self.request.user
        shown = {"touched": reports.by_aggregator(one, user)}
        tables = {"ders": (DER_TABLE, reports.touched_by(one, user)), "log": (LOG_TABLE, reports.done_about(one, user))}
        shown |= {name: table.bind(rows.values(*table.lookups)) for name, (table, rows) in tables.items()}
        return super().get_context_data(**shown | kwargs)


class GridEventTimes(EventTimes):
    """Other times of a grid event."""

    model, course = GridEvent, events.GRID
    lead = "What envelopes its former times touched, and those that the new ones touch, are computed anew; whom it concerns is told."
    parents = EVENTS


class GridEventTransition(EventTransition):
    """Of a grid event."""

    model, course = GridEvent, events.GRID


class Log(List):
    """What was done that changes what can be delivered, by when it was done, newest first."""

    model = LogEntry
    title = "Operational log"
    lead = "Only added to, and sealed as history is."
    noun = "acts"
    table = LOG_TABLE
    filterset_class = LogFilterSet
    sorts = BY_TIME
    parents = OUTAGES
    exports = (("CSV", "operations:log_csv"),)
    export_columns = LOG_EXPORT
    exports_in_order = True
    export_name = "operational-log"
