"""API: outages of DERs by the batch, grid events, and the operational log."""

from django.core.exceptions import ValidationError as Refused
from django.db import transaction
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.parsers import JSONParser
from rest_framework.response import Response

from moc.access import policy
from moc.rest.bodies import Csv, file_of
from moc.rest.conditions import idempotent
from moc.rest.resources import NEWEST, Moves, Resource, Versioned
from moc.rest.serializers import ANY_ID, Flat, Reason, example, slug_of
from operations.outages import forms
from operations.outages.filters import BY_TIME, EventFilterSet, LogFilterSet, OutageFilterSet
from operations.outages.models import CapacityEvent, DerOutage, GridEvent, LogEntry
from operations.outages.services import decoding, ders, events
from operations.outages.services.course import Course, teller


class OutageSerializer(Flat):
    """An outage or derate of a DER."""

    id = serializers.UUIDField(source="uuid")
    der = serializers.UUIDField(source="der.uuid")
    aggregator = slug_of("aggregator")
    edc = slug_of("edc", "the utility's slug")

    class Meta:
        model = DerOutage
        fields = (
            "id der aggregator edc kind cause status available_kw starts_at expected_until ended_at reason notified reported_at"
        ).split()


class TimesBody(serializers.Serializer):
    """When something is out, and why then."""

    starts_at = serializers.DateTimeField()
    expected_until = serializers.DateTimeField(required=False, allow_null=True, default=None, help_text="expected return")
    reason = serializers.CharField(max_length=300)


class ToldSerializer(TimesBody):
    """One outage."""

    der = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=DerOutage.Kind.choices)
    cause = serializers.ChoiceField(choices=DerOutage.Cause.choices)
    available_kw = serializers.DecimalField(14, 3, required=False, default=0, min_value=0, help_text="still available in a derate")
    notified = serializers.CharField(max_length=200, required=False, default="", allow_blank=True, help_text="who else was told, and how")


@example(
    {"outages": [{"der": ANY_ID, "kind": "outage", "cause": "forced", "starts_at": "2027-06-01T12:00:00Z", "reason": "Inverter failed"}]}
)
class BatchSerializer(serializers.Serializer):
    """Outages of your DERs: all or none of them, or with `only_good` those that are in order."""

    outages = ToldSerializer(many=True, min_length=1, max_length=decoding.MOST)
    only_good = serializers.BooleanField(required=False, default=False)


class RefusedOutage(serializers.Serializer):
    row = serializers.IntegerField(help_text="counted from 1")
    field = serializers.CharField(allow_blank=True)
    code = serializers.CharField()
    sentence = serializers.CharField()
    remedy = serializers.CharField()


class OutagesTakenSerializer(serializers.Serializer):
    """What became of a batch."""

    taken = serializers.ListField(child=serializers.UUIDField(), help_text="ids of the outages")
    refused = RefusedOutage(many=True)


class Outages(Versioned, Moves):
    """Outages and derates of the DERs within reach. POST tells them by the batch, as JSON or CSV (all rows or none)."""

    model = DerOutage
    serializer_class = OutageSerializer
    filterset_class = OutageFilterSet
    moves = {"end": Reason, "cancel": Reason}

    def get_parsers(self) -> list:
        telling = self.request and self.request.method == "POST" and self.action_map.get("post") == "create"
        return [JSONParser(), Csv()] if telling else [JSONParser()]

    @extend_schema(
        request={"application/json": BatchSerializer, "text/csv": OpenApiTypes.BINARY},
        responses={201: OutagesTakenSerializer},
        summary="Tell outages and derates",
    )
    @idempotent
    def create(self, request, **kwargs) -> Response:
        policy.require(request.user, ders.PERMISSION)
        if request.FILES:
            rows, only_good = decoding.rows_of(file_of(request).read(decoding.MOST_BYTES)), False
        else:
            body = BatchSerializer(data=request.data)
            body.is_valid(raise_exception=True)
            only_good = body.validated_data["only_good"]
            rows = [ders.Told(**each | {"der": str(each["der"])}) for each in body.validated_data["outages"]]
        outcome = ders.report(actor=request.user, rows=rows, only_good=only_good)
        if not only_good:
            ders.require_whole(outcome)
        refused = [
            {"row": each.row, "field": each.rule.column, "code": each.rule.code, "sentence": each.rule.sentence, "remedy": each.remedy}
            for each in outcome.refused
        ]
        return Response({"taken": [each.uuid for each in outcome.taken], "refused": refused}, status=201)

    def perform(self, actor, obj: DerOutage, name: str, **said) -> None:
        ders.move(actor=actor, outage=obj, name=name, **said)


class EventSerializer(Flat):
    """An event on the grid; counts are of what was behind the place when it was told."""

    id = serializers.UUIDField(source="uuid")
    edc = slug_of("edc", "the utility's slug")
    tso = slug_of("tso", "the RTO that told it", allow_null=True)
    feeder = serializers.CharField(source="feeder.code", allow_null=True)
    transformer = serializers.CharField(source="transformer.code", allow_null=True)
    td_interface = serializers.CharField(source="td_interface.code", allow_null=True)

    class Meta:
        model = GridEvent
        fields = (
            "id edc tso kind status td_interface feeder transformer element capacity_percent starts_at expected_until restored_at reason "
            "point_count der_count aggregation_count kw reported_at"
        ).split()


class CapacityBody(TimesBody):
    capacity_percent = serializers.IntegerField(min_value=0, max_value=99, required=False, default=0, help_text="left in a derate")


@example({"kind": "outage", "feeder": "F1", "element": "trunk", "starts_at": "2027-06-01T12:00:00Z", "reason": "A tree fell"})
class EventBody(CapacityBody):
    """An event at one place, by your own codes: an interface, a feeder with or without an element of its network, or a transformer."""

    kind = serializers.ChoiceField(choices=GridEvent.Kind.choices)
    feeder = serializers.CharField(max_length=40, required=False)
    element = serializers.CharField(max_length=120, required=False, default="")
    transformer = serializers.CharField(max_length=40, required=False)
    td_interface = serializers.CharField(max_length=40, required=False)


class CapacityEvents(Versioned, Moves):
    """Events of a kind: moved, and given other times, by those who told them."""

    course: Course
    moves = {"restore": Reason, "cancel": Reason}

    def mover(self, permission: str, obj: CapacityEvent) -> tuple:
        return teller(obj)

    def perform(self, actor, obj: CapacityEvent, name: str, **said) -> None:
        self.course.move(actor=actor, event=obj, name=name, **said)

    @extend_schema(request=TimesBody, summary="Give an event other times; one that goes on keeps its beginning")
    @action(detail=True, methods=["post"])
    @idempotent
    def reschedule(self, request, **kwargs) -> Response:
        event = self.get_object()
        policy.require(request.user, *teller(event))
        body = TimesBody(data=request.data)
        body.is_valid(raise_exception=True)
        with transaction.atomic():
            self.course.reschedule(actor=request.user, event=self.require_match(event), **body.validated_data)
        return self.answer(self.get_object())


class Events(CapacityEvents):
    """Grid events within reach. POST tells one; what is behind its place is found by topology."""

    model, course = GridEvent, events.GRID
    serializer_class = EventSerializer
    filterset_class = EventFilterSet

    @extend_schema(request=EventBody, responses={201: EventSerializer}, summary="Tell a grid event")
    @idempotent
    def create(self, request, **kwargs) -> Response:
        if not events.GRID.may_tell(request.user):
            raise policy.NotPermitted("You may not tell grid events.")
        body = EventBody(data=request.data)
        body.is_valid(raise_exception=True)
        said = dict(body.validated_data)
        try:
            event = GridEvent(**said | forms.places(request.user, said))
        except Refused as refusal:
            raise ValidationError(refusal.message_dict) from refusal
        return self.answer(events.report(actor=request.user, event=event), status=201)


class LogSerializer(Flat):
    """One act that changed what can be delivered."""

    by = serializers.CharField(source="actor.name", allow_null=True)
    edc = slug_of("edc", "the utility's slug")
    tso = slug_of("tso", "the RTO's slug", allow_null=True)
    aggregator = slug_of("aggregator", allow_null=True)
    event = serializers.UUIDField(source="event.uuid", allow_null=True)
    outage = serializers.UUIDField(source="outage.uuid", allow_null=True)
    decision = serializers.UUIDField(source="decision.uuid", allow_null=True)
    before = serializers.JSONField()
    after = serializers.JSONField()

    class Meta:
        model = LogEntry
        fields = ["id", "at", "act", "subject", "reason", "by", "edc", "tso", "aggregator", "event", "outage", "decision"]
        fields += ["before", "after"]


class OperationalLog(Resource):
    """The operational log: only added to, and sealed; by when acts were done, or by `id` as they were written: some are taken in later."""

    model = LogEntry
    serializer_class = LogSerializer
    filterset_class = LogFilterSet
    sorts = (*BY_TIME, *NEWEST)
    lookup_field, lookup_value_converter = "pk", "int"
