"""API: readings in by the batch, DERs' states, and the readings of one DER."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.response import Response
from rest_framework.viewsets import ViewSetMixin

from moc.access import policy
from moc.portal.paging import Sort
from moc.rest.bodies import Csv, JsonRows, NdJson, file_of
from moc.rest.conditions import idempotent
from moc.rest.permissions import SignedIn
from moc.rest.rendering import Json
from moc.rest.resources import Resource, Streamed
from moc.rest.serializers import Flat, slug_of
from operations.telemetry.filters import CheckFilterSet, StateFilterSet, SubjectStateFilterSet
from operations.telemetry.models import SUBJECTS, DerState, Reading, SubjectReading, SubjectState, TelemetryCheck
from operations.telemetry.services import decoding, taking_in

SHARED = "event_at published_at received_at source quality p_kw q_kvar up_kw down_kw".split()
VALUES = "event_at published_at received_at source quality operating p_kw q_kvar soc_percent up_kw down_kw".split()
MOST_BYTES = 64 * 2**20


class RefusedSerializer(serializers.Serializer):
    """A row that was not taken, and why."""

    row = serializers.IntegerField(help_text="counted from 1, without the header")
    code = serializers.CharField()
    sentence = serializers.CharField()
    remedy = serializers.CharField()


class TakenSerializer(serializers.Serializer):
    """What became of a batch."""

    received = serializers.IntegerField()
    stored = serializers.IntegerField(help_text="anew")
    known = serializers.IntegerField(help_text="were stored already, with the same values")
    refused_count = serializers.IntegerField()
    refused = RefusedSerializer(many=True, help_text=f"the first {taking_in.SHOWN:,}")


class SentSerializer(serializers.Serializer):
    """One reading of a batch: of a DER, or of exactly one of aggregation, feeder, transformer and td_interface."""

    der = serializers.UUIDField(required=False)
    aggregation = serializers.UUIDField(required=False)
    feeder = serializers.CharField(required=False, max_length=40, help_text="its head, by the utility's code")
    transformer = serializers.CharField(required=False, max_length=40, help_text="the utility's code")
    td_interface = serializers.CharField(required=False, max_length=40, help_text="the utility's code")
    edc = serializers.SlugField(required=False, help_text="the utility's slug, where the sender sends for several utilities")
    at = serializers.DateTimeField(help_text="the moment measured, with offset")
    published_at = serializers.DateTimeField(required=False, help_text="of a correction; else the moment itself")
    p_kw = serializers.FloatField(help_text="injection positive")
    q_kvar = serializers.FloatField(required=False)
    soc_percent = serializers.FloatField(required=False)
    up_kw = serializers.FloatField(required=False, help_text="room to inject more, from the present power")
    down_kw = serializers.FloatField(required=False, help_text="room to inject less, from the present power")
    operating = serializers.ChoiceField(choices=Reading.Operating.choices, required=False)
    source = serializers.ChoiceField(choices=Reading.Source.choices, required=False)
    quality = serializers.ChoiceField(choices=Reading.Quality.choices, required=False)
    interval_s = serializers.IntegerField(
        required=False, help_text="how often it reports; else as registered, or by the rule telemetry_interval_s"
    )
    voltage_pu = serializers.FloatField(required=False, help_text="not of DERs")
    unit = serializers.ChoiceField(choices=["kW"], required=False)


class ReadingSerializer(Flat):
    """A reading as it was stored."""

    class Meta:
        model = Reading
        fields = VALUES


class StateSerializer(Flat):
    """The latest reading of a DER."""

    der = serializers.UUIDField(source="der.uuid")
    edc = slug_of("edc", "the utility's slug")
    aggregator = slug_of("aggregator", "the aggregator's slug", allow_null=True)

    class Meta:
        model = DerState
        fields = ["id", "der", "aggregator", "edc", *VALUES, "stale_at"]


class SubjectReadingSerializer(Flat):
    """A reading of a subject as it was stored."""

    class Meta:
        model = SubjectReading
        fields = [*SHARED, "voltage_pu"]


class SubjectStateSerializer(Flat):
    """The latest reading of an aggregation, a feeder's head, a transformer or a T-D interface."""

    aggregation = serializers.UUIDField(source="aggregation.uuid", allow_null=True)
    feeder = serializers.CharField(source="feeder.code", allow_null=True)
    transformer = serializers.CharField(source="transformer.code", allow_null=True)
    td_interface = serializers.CharField(source="td_interface.code", allow_null=True)
    edc = slug_of("edc", "the utility's slug", allow_null=True)
    aggregator = slug_of("aggregator", "the aggregator's slug", allow_null=True)

    class Meta:
        model = SubjectState
        fields = ["id", *SUBJECTS, "aggregator", "edc", *SHARED, "voltage_pu", "stale_at"]


class SubjectStates(Resource):
    """The latest reading of each aggregation, feeder, transformer and T-D interface within reach."""

    model = SubjectState
    serializer_class = SubjectStateSerializer
    filterset_class = SubjectStateFilterSet
    lookup_field, lookup_value_converter = "pk", "int"

    @extend_schema(responses=SubjectReadingSerializer(many=True), summary="The readings of the subject, newest moment first")
    @action(
        detail=True,
        model=SubjectReading,
        serializer_class=SubjectReadingSerializer,
        filterset_class=None,
        sorts=(Sort("-event_at", ("-event_at", "-id")),),
    )
    def readings(self, request, **kwargs) -> Response:
        return self.page(SubjectReading.objects.filter(**self.get_object().names))


class TelemetryCheckSerializer(Flat):
    """What a DER or an aggregation owed on a day, and what of it came, in intervals."""

    der = serializers.UUIDField(source="der.uuid", allow_null=True)
    aggregation = serializers.UUIDField(source="aggregation.uuid", allow_null=True)
    edc = slug_of("edc", "the utility's slug", allow_null=True)
    aggregator = slug_of("aggregator", "the aggregator's slug", allow_null=True)

    class Meta:
        model = TelemetryCheck
        fields = "id day der aggregation aggregator edc cadence_s owed delivered missing late incomplete compared differing".split()
        fields += ["most_difference_kw", "checked_at"]


class TelemetryChecks(Resource):
    """Telemetry owed and delivered, by DER and by aggregation, day by day."""

    model = TelemetryCheck
    serializer_class = TelemetryCheckSerializer
    filterset_class = CheckFilterSet
    lookup_field, lookup_value_converter = "pk", "int"


class States(Resource):
    """The latest reading of each DER within reach; `readiness` is ready, unavailable or stale."""

    model = DerState
    serializer_class = StateSerializer
    filterset_class = StateFilterSet
    lookup_field, lookup_value_converter = "pk", "int"

    @extend_schema(responses=ReadingSerializer(many=True), summary="The readings of the DER, newest moment first")
    @action(
        detail=True,
        model=Reading,
        serializer_class=ReadingSerializer,
        filterset_class=None,
        sorts=(Sort("-event_at", ("-event_at", "-id")),),
    )
    def readings(self, request, **kwargs) -> Response:
        return self.page(Reading.objects.filter(der=self.get_object().der_id))


class Telemetry(ViewSetMixin, Streamed):
    """Readings in: POST a batch of up to 100,000 as JSON, NDJSON or CSV. Good rows are stored, bad ones refused one by one."""

    serializer_class = TakenSerializer
    permission_classes = [SignedIn]
    renderer_classes = [Json]
    parser_classes = [JsonRows, NdJson, Csv]

    @extend_schema(request=SentSerializer(many=True), responses={200: TakenSerializer}, summary="Send readings")
    @idempotent
    def create(self, request, **kwargs) -> Response:
        if not taking_in.may_send(request.user):
            raise policy.NotPermitted("You may not send readings.")
        upload = file_of(request)
        if upload.size > MOST_BYTES:
            raise decoding.Unreadable(f"A batch has at most {MOST_BYTES // 2**20} MB.", "Send several batches.")
        taken = taking_in.take_in(actor=request.user, name=upload.name, content=upload.read())
        refused = [{"row": number, "code": rule.code, "sentence": rule.sentence, "remedy": rule.remedy} for number, rule in taken.refused]
        counts = {name: getattr(taken, name) for name in ("received", "stored", "known", "refused_count")}
        return Response(counts | {"refused": refused})
