"""API: interfaces with their state and limits, monitored lines, and what can be delivered."""

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from moc.access import policy
from moc.access.models import Organization
from moc.rest.conditions import idempotent
from moc.rest.resources import Resource, Versioned
from moc.rest.serializers import Finite, Flat, example, slug_of
from operations.coordination import reports
from operations.coordination.filters import InterfaceFilterSet, LineEventFilterSet, ResultFilterSet
from operations.coordination.models import DeliverabilityRun, InterfaceLimit, InterfaceResult, LineEvent, MonitoredLine
from operations.coordination.services import limits, line_events, ordering
from operations.outages.api import CapacityBody, CapacityEvents
from registry.grid.models import TdInterface

MOST_KW = 1e9


class InterfaceStateSerializer(serializers.Serializer):
    """An interface at this moment. Flow towards transmission is positive; headroom: by how much it may change."""

    flow_kw = serializers.FloatField(allow_null=True)
    measured_at = serializers.DateTimeField(allow_null=True)
    low_kw = serializers.FloatField(allow_null=True)
    high_kw = serializers.FloatField(allow_null=True)
    room_up_kw = serializers.FloatField(allow_null=True)
    room_down_kw = serializers.FloatField(allow_null=True)
    up_kw = serializers.FloatField(help_text="what ready DERs behind it told they can add")
    down_kw = serializers.FloatField()
    envelope_up_kw = serializers.FloatField(allow_null=True, help_text="what envelopes in force leave in all; of one interface only")
    envelope_down_kw = serializers.FloatField(allow_null=True)


class InterfaceSerializer(Flat):
    """A T-D interface with its state."""

    edc = slug_of("edc", "the utility's slug")
    state = InterfaceStateSerializer(source="*")

    class Meta:
        model = TdInterface
        fields = ["id", "code", "name", "edc", "state"]


class InterfaceStates(Resource):
    """T-D interfaces within reach: flow, limits, headroom, and what is behind them."""

    model = TdInterface
    serializer_class = InterfaceSerializer
    filterset_class = InterfaceFilterSet
    keeps_versions = False  # what is told is of this moment
    lookup_field, lookup_value_converter = "pk", "int"
    tag_by_content = True

    def lay(self, rows, keys: list) -> list[dict]:
        found = reports.state_of(keys)
        return [each | {"state": InterfaceStateSerializer(found[each["id"]]).data} for each in super().lay(rows, keys)]

    def content(self, obj: TdInterface) -> dict:
        return super().content(obj) | {"state": InterfaceStateSerializer(reports.state_of([obj.pk], envelopes=True)[obj.pk]).data}


class InterfaceLimitSerializer(Flat):
    """What may flow through an interface, kW."""

    edc = slug_of("edc", "the utility's slug")
    tso = slug_of("tso", "the RTO's slug")
    td_interface = serializers.CharField(source="td_interface.code")

    class Meta:
        model = InterfaceLimit
        fields = ["id", "td_interface", "edc", "tso", "import_kw", "export_kw", "source"]


@example({"edc": "jcpl", "td_interface": "TD-1", "import_kw": 60000, "export_kw": 20000, "source": "Planning study 2026"})
class InterfaceLimitBody(serializers.Serializer):
    """Limits of one interface; they take the place of those that there are."""

    edc = serializers.SlugField()
    td_interface = serializers.CharField(max_length=40)
    import_kw = Finite(min_value=0, max_value=MOST_KW)
    export_kw = Finite(min_value=0, max_value=MOST_KW)
    source = serializers.CharField(max_length=200)


class InterfaceLimits(Versioned):
    """Limits of interfaces. POST sets those of one, by its utility or its RTO."""

    model = InterfaceLimit
    serializer_class = InterfaceLimitSerializer
    lookup_field, lookup_value_converter = "pk", "int"

    @extend_schema(request=InterfaceLimitBody, responses={201: InterfaceLimitSerializer}, summary="Set the limits of an interface")
    @idempotent
    def create(self, request, **kwargs) -> Response:
        if not (policy.allows(request.user, limits.OF_UTILITY) or policy.allows(request.user, limits.OF_RTO)):
            raise policy.NotPermitted("You may not set limits of interfaces.")
        body = InterfaceLimitBody(data=request.data)
        body.is_valid(raise_exception=True)
        said = dict(body.validated_data)
        mine = TdInterface.objects.visible_to(request.user, "view_registry").select_related("edc", "pnode__tso")
        interface = get_object_or_404(mine, edc__slug=said.pop("edc"), code=said.pop("td_interface"))
        return self.answer(limits.set_limit(actor=request.user, interface=interface, **said), status=201)


class MonitoredLineSerializer(Flat):
    """A transmission line that an RTO watches."""

    tso = slug_of("tso", "the RTO's slug")
    factors = serializers.JSONField(help_text="of a kW that an interface (by its id) injects, how many flow through the line")

    class Meta:
        model = MonitoredLine
        fields = ["id", "tso", "code", "flow_kw", "limit_kw", "factors"]


@example({"tso": "pjm", "code": "L-12", "flow_kw": 410000, "limit_kw": 540000, "factors": {"jcpl/TD-1": 0.31}})
class MonitoredLineBody(serializers.Serializer):
    """A line; it takes the place of the one of this code."""

    tso = serializers.SlugField()
    code = serializers.CharField(max_length=40)
    flow_kw = Finite(min_value=-MOST_KW, max_value=MOST_KW)
    limit_kw = Finite(min_value=0, max_value=MOST_KW)
    factors = serializers.DictField(child=Finite(min_value=-1, max_value=1), help_text="by utility and interface code")


class MonitoredLines(Versioned):
    """Transmission lines with their transfer factors. POST sets one, by its RTO."""

    model = MonitoredLine
    serializer_class = MonitoredLineSerializer
    lookup_field, lookup_value_converter = "pk", "int"

    @extend_schema(request=MonitoredLineBody, responses={201: MonitoredLineSerializer}, summary="Set a monitored line")
    @idempotent
    def create(self, request, **kwargs) -> Response:
        policy.require(request.user, limits.OF_RTO)
        body = MonitoredLineBody(data=request.data)
        body.is_valid(raise_exception=True)
        said = dict(body.validated_data)
        return self.answer(limits.set_line(actor=request.user, tso=_market(request, said.pop("tso")), **said), status=201)


def _market(request, slug: str) -> Organization:
    mine = Organization.objects.filter(pk__in=policy.reach(request.user, limits.OF_RTO), kind="tso")
    return get_object_or_404(mine, slug=slug)


class LineEventSerializer(Flat):
    """An outage or derate of a transmission line."""

    id = serializers.UUIDField(source="uuid")
    tso = slug_of("tso", "the RTO's slug")
    line = serializers.CharField(source="line.code")

    class Meta:
        model = LineEvent
        fields = "id tso line kind status capacity_percent starts_at expected_until restored_at reason reported_at".split()


@example({"tso": "pjm", "line": "L-12", "kind": "derate", "capacity_percent": 60, "starts_at": "2027-06-01T12:00:00Z", "reason": "Heat"})
class LineEventBody(CapacityBody):
    """An event of one of your lines."""

    tso = serializers.SlugField()
    line = serializers.CharField(max_length=40)
    kind = serializers.ChoiceField(choices=LineEvent.Kind.choices)


class LineEvents(CapacityEvents):
    """Events of transmission lines. POST tells one, by the line's RTO; what is behind it is found by the line's factors."""

    model, course = LineEvent, line_events.LINES
    serializer_class = LineEventSerializer
    filterset_class = LineEventFilterSet

    @extend_schema(request=LineEventBody, responses={201: LineEventSerializer}, summary="Tell an event of a line")
    @idempotent
    def create(self, request, **kwargs) -> Response:
        policy.require(request.user, limits.OF_RTO)
        body = LineEventBody(data=request.data)
        body.is_valid(raise_exception=True)
        said = dict(body.validated_data)
        lines = line_events.lines_of(request.user).select_related("tso")
        line = get_object_or_404(lines, tso__slug=said.pop("tso"), code=said.pop("line"))
        return self.answer(line_events.report(actor=request.user, event=LineEvent(line=line, **said)), status=201)


class DeliverabilityRunSerializer(Flat):
    """A computation of what can be delivered."""

    id = serializers.UUIDField(source="uuid")
    tso = slug_of("tso", "the RTO's slug")
    lines = serializers.JSONField(help_text="that bind: [code, direction, kW left, value of one more kW]")

    class Meta:
        model = DeliverabilityRun
        fields = ["id", "tso", "at", "status", "lines", "seconds", "created_at"]


@example({"tso": "pjm", "at": "2027-06-01T16:00:00Z"})
class DeliverabilityOrderBody(serializers.Serializer):
    """A moment that published envelopes cover."""

    tso = serializers.SlugField()
    at = serializers.DateTimeField()


class DeliverabilityRuns(Versioned):
    """Deliverability runs. POST orders one."""

    model = DeliverabilityRun
    serializer_class = DeliverabilityRunSerializer

    @extend_schema(
        request=DeliverabilityOrderBody, responses={202: DeliverabilityRunSerializer}, summary="Have it computed what can be delivered"
    )
    @idempotent
    def create(self, request, **kwargs) -> Response:
        policy.require(request.user, limits.OF_RTO)
        body = DeliverabilityOrderBody(data=request.data)
        body.is_valid(raise_exception=True)
        market = _market(request, body.validated_data["tso"])
        return self.answer(ordering.order(actor=request.user, tso=market, at=body.validated_data["at"]), status=202)


class InterfaceResultSerializer(Flat):
    """What can be delivered through one interface, kW."""

    run = serializers.UUIDField(source="run.uuid")
    edc = slug_of("edc", "the utility's slug")
    tso = slug_of("tso", "the RTO's slug")
    td_interface = serializers.CharField(source="td_interface.code")
    feeders = serializers.JSONField(help_text="[code, direction, capable, assigned, verified] of each")

    class Meta:
        model = InterfaceResult
        fields = (
            "id run td_interface edc tso at flow_kw low_kw high_kw capable_up_kw capable_down_kw deliverable_up_kw deliverable_down_kw "
            "derate_up_kw derate_down_kw value_up value_down feeders"
        ).split()


class InterfaceResults(Resource):
    """What runs found for the interfaces within reach."""

    model = InterfaceResult
    serializer_class = InterfaceResultSerializer
    filterset_class = ResultFilterSet
    lookup_field, lookup_value_converter = "pk", "int"
