"""API: envelopes of DERs by point, aggregation and feeder; runs; receipts."""

from django.core.handlers.asgi import ASGIRequest
from django.http import StreamingHttpResponse
from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.response import Response

from moc.access import policy
from moc.rest.conditions import idempotent
from moc.rest.rendering import Json
from moc.rest.resources import Moves, Resource
from moc.rest.serializers import Flat, Reason, slug_of
from operations.envelopes import reports
from operations.envelopes.filters import PointFilterSet, ReceiptFilterSet, RunFilterSet
from operations.envelopes.models import EnvelopePoint, EnvelopeReceipt, EnvelopeRun
from operations.envelopes.reasons import KINDS
from operations.envelopes.services import life, streaming
from operations.network.api import feeder_of
from registry.ders.models import Der

LEFT = "what is left of it at the least, per unit of a rating or of the nominal voltage"


class Why(serializers.Serializer):
    """A stretch of intervals with one reason."""

    bound = serializers.ChoiceField(choices=["import", "export"])
    since = serializers.DateTimeField()
    until = serializers.DateTimeField()
    why = serializers.CharField()
    kind = serializers.ChoiceField(choices=list(KINDS), help_text="what stops the DER: " + "; ".join(f"{k}: {v}" for k, v in KINDS.items()))
    headroom = serializers.FloatField(source="reason.headroom", default=None, allow_null=True, help_text=LEFT)
    sharing = serializers.IntegerField(
        source="reason.sharing", default=None, allow_null=True, help_text="points that it stops at once at most"
    )


class Fallback(serializers.Serializer):
    """Limits that hold without an envelope, kW."""

    import_kw = serializers.FloatField()
    export_kw = serializers.FloatField()


class Kvar(serializers.Serializer):
    """Reactive power (kvar) that may be injected, one value an interval; negative: absorbed."""

    least = serializers.ListField(child=serializers.FloatField())
    most = serializers.ListField(child=serializers.FloatField())


class LimitsSerializer(serializers.Serializer):
    """A connection point's limits: injection in kW between min_kw and max_kw, one value an interval; import limit = −min_kw."""

    source = serializers.ChoiceField(choices=[reports.PUBLISHED, reports.STATIC], help_text="static: no set is in force")
    starts_at = serializers.DateTimeField()
    step_minutes = serializers.IntegerField()
    min_kw = serializers.ListField(
        child=serializers.FloatField(), help_text="least injection; below zero it may draw as much, above zero it must inject as much"
    )
    max_kw = serializers.ListField(
        child=serializers.FloatField(), help_text="most injection; above zero it may inject as much, below zero it must draw as much"
    )
    number = serializers.IntegerField(allow_null=True, help_text="of the set on its feeder")
    content_hash = serializers.CharField()
    lost_communication = Fallback(source="fallback")
    after_outage = Fallback(source="outage")
    kvar_exporting = serializers.SerializerMethodField(help_text="null where its reactive capability is not registered")
    kvar_importing = serializers.SerializerMethodField(help_text="likewise")
    reasons = serializers.SerializerMethodField()

    @extend_schema(responses=Kvar(allow_null=True))
    def get_kvar_exporting(self, limits: reports.Limits) -> dict | None:
        """Limits in kvar while the point injects."""
        return self._kvar(limits, "export")

    @extend_schema(responses=Kvar(allow_null=True))
    def get_kvar_importing(self, limits: reports.Limits) -> dict | None:
        """Limits in kvar while the point draws."""
        return self._kvar(limits, "import")

    def _kvar(self, limits: reports.Limits, way: str) -> dict | None:
        return dict(zip(("least", "most"), limits.kvar[way], strict=True)) if way in limits.kvar else None

    @extend_schema(responses=Why(many=True))
    def get_reasons(self, limits: reports.Limits) -> list[dict]:
        """Why, in sentences."""
        return Why(reports.explained(limits), many=True).data


class PointSerializer(Flat):
    """A DER's envelope."""

    der = serializers.UUIDField(source="der.uuid")
    edc = slug_of("edc", "the utility's slug")
    inverter_settings = serializers.JSONField(source="der.inverter_settings", help_text="that the utility's decision issued; null: none")
    limits_by_time = serializers.JSONField(source="der.limits_by_time", help_text="likewise; they are in the limits already")
    limits = LimitsSerializer(source="*", many=True, help_text="of each set in force that is not over, by time")

    class Meta:
        model = EnvelopePoint
        fields = ["id", "der", "inverter_settings", "limits_by_time", "edc", "published_at", "limits"]


class Envelopes(Resource):
    """Envelopes of the DERs within reach, by DER, aggregation (`aggregation`) or feeder (`feeder`)."""

    model = EnvelopePoint
    serializer_class = PointSerializer
    filterset_class = PointFilterSet
    lookup_field, lookup_value_converter = "pk", "int"

    def lay(self, rows, keys: list) -> list[dict]:
        limits = reports.limits_of(list(rows))
        return [each | {"limits": LimitsSerializer(limits[each["id"]], many=True).data} for each in super().lay(rows, keys)]

    def content(self, obj: EnvelopePoint) -> dict:
        return super().content(obj) | {"limits": LimitsSerializer(reports.limits_of([obj])[obj.pk], many=True).data}


class RunSerializer(Flat):
    """A computation of a feeder's envelopes."""

    id = serializers.UUIDField(source="uuid")
    edc = slug_of("edc", "the utility's slug")
    feeder = serializers.CharField(source="feeder.code")
    network = serializers.UUIDField(source="network.uuid")
    forecasts = serializers.ListField(child=serializers.IntegerField(), help_text="by which loads were told; empty: a typical day")
    job = serializers.UUIDField(source="job.uuid", allow_null=True, help_text="follow it below jobs/")

    class Meta:
        model = EnvelopeRun
        fields = (
            "id edc feeder network topology_hash starts_at ends_at step_minutes status number content_hash policy forecasts price alarms "
            "point_count unchecked cpu_s job created_at published_at"
        ).split()


class Binding(serializers.Serializer):
    """What of the grid stops points of a run."""

    way = serializers.ChoiceField(choices=["import", "export"])
    what = serializers.CharField()
    points = serializers.IntegerField(help_text="that it stops at once at most")
    intervals = serializers.IntegerField(help_text="in which it stops any")
    headroom = serializers.FloatField(allow_null=True, help_text=LEFT)


class OrderSerializer(serializers.Serializer):
    """A feeder and a window."""

    feeder = serializers.CharField(max_length=40, help_text="the utility's code")
    starts_at = serializers.DateTimeField()
    hours = serializers.IntegerField(min_value=1, max_value=48, default=24)
    step_minutes = serializers.ChoiceField(choices=[5, 15, 30, 60], default=30)


class EditSerializer(serializers.Serializer):
    """An operator's own limits for one DER."""

    der = serializers.UUIDField()
    least_kw = serializers.FloatField(help_text="injection; negative: import")
    most_kw = serializers.FloatField()
    reason = serializers.CharField(max_length=300)


class Runs(Moves):
    """Envelope runs, newest first. POST orders one; the same feeder, network, window and policy give the one that there is."""

    model = EnvelopeRun
    serializer_class = RunSerializer
    filterset_class = RunFilterSet
    moves = {"publish": Reason, "hold": Reason, "deactivate": Reason}

    @extend_schema(request=OrderSerializer, responses={202: RunSerializer}, summary="Have envelopes computed")
    @idempotent
    def create(self, request, **kwargs) -> Response:
        body = OrderSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        said = dict(body.validated_data)
        feeder = feeder_of(request, said.pop("feeder"))
        return self._ordered(life.order(actor=request.user, feeder=feeder, **said))

    def _ordered(self, run: EnvelopeRun) -> Response:
        response = self.answer(run, status=202)
        response["Location"] = self.request.build_absolute_uri(reverse("api-envelope-run-detail", args=[run.uuid]))
        return response

    def perform(self, actor, obj: EnvelopeRun, name: str, **said) -> None:
        life.MOVES[name](actor=actor, run=obj, **said)

    @extend_schema(responses=Binding(many=True), summary="What binds, that of most intervals first")
    @action(detail=True, pagination_class=None, filterset_class=None)
    def bindings(self, request, **kwargs) -> Response:
        return Response(Binding(reports.bindings_of(self.get_object()), many=True).data)

    @extend_schema(request=EditSerializer, responses={202: RunSerializer}, summary="Limit one DER, and compute anew")
    @action(detail=True, methods=["post"])
    @idempotent
    def edit(self, request, **kwargs) -> Response:
        run = self.get_object()
        policy.require(request.user, life.PERMISSION, run.edc)
        body = EditSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        said = dict(body.validated_data)
        der = Der.objects.filter(uuid=said.pop("der"), edc=run.edc_id).first()
        if der is None:
            raise serializers.ValidationError({"der": ["No DER of this utility has this id."]})
        return self._ordered(life.edit(actor=request.user, run=run, der=der, **said))


class EventStream(Json):
    """Server-sent events; an error of theirs is JSON."""

    media_type, format = "text/event-stream", "sse"


class EnvelopeEvent(serializers.Serializer):
    """One server-sent event; data: JSON with the set's facts, what became of it, and where the envelopes are that it changed."""

    event = serializers.CharField(required=False)
    id = serializers.CharField(required=False, help_text="of the receipt")
    data = serializers.CharField(required=False)


class ReceiptSerializer(Flat):
    """A published set that an aggregator was told of."""

    id = serializers.UUIDField(source="uuid")
    aggregator = slug_of("aggregator", "the aggregator's slug")
    edc = slug_of("edc", "the utility's slug")
    feeder = serializers.CharField(source="feeder_code")

    class Meta:
        model = EnvelopeReceipt
        fields = "id aggregator edc feeder number content_hash starts_at ends_at changed status sent_at acknowledged_at".split()


class Receipts(Moves):
    """Published sets that aggregators were told of; an aggregator acknowledges its own."""

    model = EnvelopeReceipt
    serializer_class = ReceiptSerializer
    filterset_class = ReceiptFilterSet
    moves = {"acknowledge": Reason}

    @extend_schema(
        responses={(200, "text/event-stream"): EnvelopeEvent},
        summary="Sets as server-sent events: those that stand at once, then each that is published, acknowledged or withdrawn",
        filters=False,
    )
    @action(detail=False, renderer_classes=[EventStream, Json], pagination_class=None, filterset_class=None)
    def stream(self, request, **kwargs) -> StreamingHttpResponse:
        told = streaming.standing(request.user, self.permission)
        lasting = isinstance(request._request, ASGIRequest)
        content = streaming.changes(request.user, self.permission, told) if lasting else streaming.news({}, told)
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingHttpResponse(content, content_type=EventStream.media_type, headers=headers)

    def perform(self, actor, obj: EnvelopeReceipt, name: str, **said) -> None:
        life.acknowledge(actor=actor, receipt=obj, **said)
