"""API: interconnection studies, their adoption, and settings that were read back."""

from django.shortcuts import get_object_or_404
from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.response import Response

from moc.access import policy
from moc.rest.bodies import Csv, JsonRows, NdJson, file_of
from moc.rest.conditions import idempotent
from moc.rest.resources import Resource, Versioned
from moc.rest.serializers import ANY_ID, Finite, Flat, example, slug_of
from operations.interconnection.filters import ReadbackFilterSet, StudyFilterSet
from operations.interconnection.models import InterconnectionStudy, SettingsReadback
from operations.interconnection.services import adopting, ordering, reading_back, reading_in
from operations.interconnection.services.ordering import MOST_KW
from operations.network.api import feeder_of
from registry.ders.choices import DerType
from registry.ders.models import Der
from registry.submissions.models import StagedDer

KILO = {"max_digits": 8, "decimal_places": 3, "min_value": 0, "max_value": MOST_KW}
MOST_BYTES = 16 * 2**20
SETTINGS = "IEEE 1547-2018: volt_var and volt_watt as lists of [voltage, value] per unit, power_factor (minus: absorbing), max_w (%)"


class InterconnectionStudySerializer(Flat):
    """A new DER at a point of a feeder, over a year."""

    id = serializers.UUIDField(source="uuid")
    edc = slug_of("edc", "the utility's slug")
    feeder = serializers.CharField(source="feeder.code")
    service_point = serializers.CharField(source="service_point.usage_point_id", allow_null=True)
    network = serializers.UUIDField(source="network.uuid")
    decision = serializers.UUIDField(source="decision.uuid", allow_null=True, help_text="by which it was adopted")
    job = serializers.UUIDField(source="job.uuid", allow_null=True, help_text="follow it below jobs/")
    result = serializers.JSONField(help_text="by direction: limit_kw, what binds, energies; 288 values, month after month of 24 hours")

    class Meta:
        model = InterconnectionStudy
        fields = (
            "id edc feeder network topology_hash title service_point bus phases technology rated_kw charge_kw rated_kva inverter_settings "
            "accepted_percent status firm_export_kw flexible_export_kw firm_import_kw flexible_import_kw curtailed_percent windows "
            "proposed_settings result decision job created_at"
        ).split()


@example(
    {
        "feeder": "F-12",
        "title": "Elm Street solar",
        "bus": "671",
        "phases": "ABC",
        "technology": "photovoltaic",
        "rated_kw": 500,
        "rated_kva": 550,
    }
)
class InterconnectionOrderBody(serializers.Serializer):
    """What is studied: at a service point, or at phases of a bus."""

    feeder = serializers.CharField(max_length=40, help_text="the utility's code")
    title = serializers.CharField(max_length=120)
    service_point = serializers.CharField(max_length=40, required=False, allow_blank=True, default="")
    bus = serializers.CharField(max_length=120, required=False, allow_blank=True, default="")
    phases = serializers.CharField(max_length=5, required=False, allow_blank=True, default="")
    technology = serializers.ChoiceField(choices=DerType.choices)
    rated_kw = serializers.DecimalField(**KILO)
    rated_kva = serializers.DecimalField(**KILO)
    charge_kw = serializers.DecimalField(**KILO, default=0)
    inverter_settings = serializers.DictField(required=False, default=dict, help_text=SETTINGS)
    accepted_percent = Finite(min_value=0, max_value=100, default=5)


@example({"submission": ANY_ID, "row": 1, "statement": "Flexible until the feeder is rebuilt"})
class AdoptBody(serializers.Serializer):
    """The filed DER that is decided as studied."""

    submission = serializers.UUIDField()
    row = serializers.IntegerField(min_value=1, help_text="its row in the submission")
    statement = serializers.CharField(required=False, allow_blank=True, max_length=4000, default="")


class InterconnectionStudies(Versioned):
    """Interconnection studies. POST orders one; the same question about the same network gives the one that there is."""

    model = InterconnectionStudy
    serializer_class = InterconnectionStudySerializer
    filterset_class = StudyFilterSet

    @extend_schema(request=InterconnectionOrderBody, responses={202: InterconnectionStudySerializer}, summary="Study a new DER")
    @idempotent
    def create(self, request, **kwargs) -> Response:
        policy.require(request.user, ordering.PERMISSION)
        body = InterconnectionOrderBody(data=request.data)
        body.is_valid(raise_exception=True)
        said = dict(body.validated_data)
        found = ordering.order(actor=request.user, feeder=feeder_of(request, said.pop("feeder")), **said)
        response = self.answer(found, status=202)
        response["Location"] = request.build_absolute_uri(reverse("api-interconnection-study-detail", args=[found.uuid]))
        return response

    @extend_schema(request=AdoptBody, responses=InterconnectionStudySerializer, summary="Decide a filed DER as studied")
    @action(detail=True, methods=["post"])
    @idempotent
    def adopt(self, request, **kwargs) -> Response:
        study = self.get_object()
        policy.require(request.user, adopting.PERMISSION, study.edc)
        body = AdoptBody(data=request.data)
        body.is_valid(raise_exception=True)
        said = body.validated_data
        rows = StagedDer.objects.visible_to(request.user)
        row = get_object_or_404(rows, submission__uuid=said["submission"], row_number=said["row"])
        adopting.adopt(actor=request.user, study=study, row=row, statement=said["statement"])
        return self.answer(self.get_object())


class SettingsReadbackSerializer(Flat):
    """What a DER's inverter was read back to have."""

    der = serializers.UUIDField(source="der.uuid")
    aggregator = slug_of("aggregator", "the aggregator's slug")
    edc = slug_of("edc", "the utility's slug")
    comparison = serializers.JSONField(help_text="[what, read back, issued, tolerance, same] of each that was issued; null: not set")
    differences = serializers.JSONField(help_text="[what, read back, issued] of each that is another")

    class Meta:
        model = SettingsReadback
        fields = "id der aggregator edc at source told_at inverter_settings export_limit_kw import_limit_kw comparison differences".split()


@example({"der": ANY_ID, "at": "2027-06-01T16:00:00Z", "inverter_settings": {"max_w": 60}, "export_limit_kw": 6})
class SettingsReadbackBody(serializers.Serializer):
    """A reading of one DER."""

    der = serializers.UUIDField()
    at = serializers.DateTimeField(help_text="when the inverter was read, with offset")
    source = serializers.ChoiceField(choices=SettingsReadback.Source.choices, required=False, default="platform", help_text="who read it")
    inverter_settings = serializers.DictField(help_text=SETTINGS)
    export_limit_kw = Finite(required=False, allow_null=True, default=None, min_value=0, max_value=1e6)
    import_limit_kw = Finite(required=False, allow_null=True, default=None, min_value=0, max_value=1e6)


class RefusedReadbackSerializer(serializers.Serializer):
    """A row that was not taken, and why."""

    row = serializers.IntegerField(help_text="counted from 1, without the header")
    code = serializers.CharField()
    sentence = serializers.CharField()
    remedy = serializers.CharField()


class TakenReadbacksSerializer(serializers.Serializer):
    """What became of a batch of settings read back."""

    received = serializers.IntegerField()
    stored = serializers.IntegerField(help_text="anew")
    known = serializers.IntegerField(help_text="were kept already, with the same values")
    refused = RefusedReadbackSerializer(many=True)


class SettingsReadbacks(Resource):
    """Settings read back. POST tells one; what differs from what was issued becomes a finding of reliability."""

    model = SettingsReadback
    serializer_class = SettingsReadbackSerializer
    filterset_class = ReadbackFilterSet
    lookup_field, lookup_value_converter = "pk", "int"

    @extend_schema(request=SettingsReadbackBody, responses={201: SettingsReadbackSerializer}, summary="Tell settings that were read back")
    @idempotent
    def create(self, request, **kwargs) -> Response:
        policy.require(request.user, reading_back.PERMISSION)
        body = SettingsReadbackBody(data=request.data)
        body.is_valid(raise_exception=True)
        said = dict(body.validated_data)
        mine = Der.objects.filter(aggregator__in=policy.reach(request.user, reading_back.PERMISSION)).select_related("aggregator")
        return self.answer(reading_back.tell(actor=request.user, der=get_object_or_404(mine, uuid=said.pop("der")), **said), status=201)

    @extend_schema(
        request=SettingsReadbackBody(many=True),
        responses={200: TakenReadbacksSerializer},
        summary="Tell the settings of many DERs; good rows are kept, bad ones refused one by one",
    )
    @action(detail=False, methods=["post"], parser_classes=[JsonRows, NdJson, Csv], pagination_class=None, filterset_class=None)
    @idempotent
    def batch(self, request, **kwargs) -> Response:
        policy.require(request.user, reading_back.PERMISSION)
        upload = file_of(request)
        if upload.size > MOST_BYTES:
            raise reading_in.Unreadable(f"A batch has at most {MOST_BYTES // 2**20} MB.", "Send several batches.")
        taken = reading_in.take_in(actor=request.user, name=upload.name, content=upload.read())
        refused = [dict(zip(("row", "code", "sentence", "remedy"), each, strict=True)) for each in taken.refused]
        return Response({"received": taken.received, "stored": taken.stored, "known": taken.known, "refused": refused})
