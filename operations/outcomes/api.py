"""API: outcomes of envelopes, and below each its DERs."""

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.response import Response

from moc.rest.resources import Versioned
from moc.rest.serializers import Flat, slug_of
from operations.outcomes import reports
from operations.outcomes.filters import OutcomeFilterSet
from operations.outcomes.models import BY_GRID, EnvelopeOutcome


class EnvelopeOutcomeSerializer(Flat):
    """What became of one aggregator's DERs in one set; energy is null where nothing was heard, or nothing tells."""

    id = serializers.UUIDField(source="uuid")
    aggregator = slug_of("aggregator")
    edc = slug_of("edc", "the utility's slug")
    feeder = serializers.CharField(source="feeder.code")
    grid_import_kwh = serializers.FloatField(allow_null=True, help_text="part of the curtailed import, by limits of the grid")
    grid_export_kwh = serializers.FloatField(allow_null=True, help_text="part of the curtailed export, by limits of the grid")

    class Meta:
        model = EnvelopeOutcome
        fields = (
            "id aggregator edc feeder number starts_at ends_at hours ders heard beyond readings heard_percent import_kwh export_kwh "
            "curtailed_import_kwh grid_import_kwh operator_import_kwh curtailed_export_kwh grid_export_kwh operator_export_kwh "
            "estimated_kwh storage_kwh unknown_hours made_at"
        ).split()

    @classmethod
    def lay(cls, rows: QuerySet) -> dict[object, dict]:
        return super().lay(rows.annotate(**BY_GRID))


class OutcomeOfDerSerializer(serializers.Serializer):
    """One DER in one set."""

    der = serializers.UUIDField()
    external_id = serializers.CharField()
    kept = serializers.BooleanField(allow_null=True, help_text="whether all judged readings were within the set; null where none was")
    readings = serializers.IntegerField()
    judged = serializers.IntegerField(help_text="readings at which all DERs of the point were heard of")
    beyond = serializers.IntegerField(help_text="of these, those beyond the limit by more than is let pass")
    heard_hours = serializers.FloatField()
    import_kwh = serializers.FloatField(allow_null=True)
    export_kwh = serializers.FloatField(allow_null=True)
    curtailed_import_kwh = serializers.FloatField(allow_null=True)
    curtailed_export_kwh = serializers.FloatField(allow_null=True, help_text="with what was estimated")
    estimated_kwh = serializers.FloatField(allow_null=True, help_text="part of the curtailed export, by the meter's forecast")
    storage_kwh = serializers.FloatField(allow_null=True, help_text="room that storage did not use at a limit: no lost energy")
    unknown_hours = serializers.FloatField(help_text="at a limit, of which nothing tells")
    grid_import_kwh = serializers.FloatField(allow_null=True, help_text="part of the curtailed import, by limits of the grid")
    operator_import_kwh = serializers.FloatField(allow_null=True, help_text="part of it, by an operator's own limits")
    grid_export_kwh = serializers.FloatField(allow_null=True, help_text="part of the curtailed export, by limits of the grid")
    operator_export_kwh = serializers.FloatField(allow_null=True, help_text="part of it, by an operator's own limits")


class EnvelopeOutcomes(Versioned):
    """What became of published envelopes: of each set and aggregator who kept to it, and the energy that it held back."""

    model = EnvelopeOutcome
    serializer_class = EnvelopeOutcomeSerializer
    filterset_class = OutcomeFilterSet

    @extend_schema(responses=OutcomeOfDerSerializer(many=True), summary="The DERs of an outcome", filters=False)
    @action(detail=True, pagination_class=None, filterset_class=None)
    def ders(self, request, **kwargs) -> Response:
        return Response(OutcomeOfDerSerializer(reports.by_der(self.get_object()), many=True).data)
