"""API: meter data in, and forecasts as they were published."""

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.viewsets import ViewSetMixin

from moc.access import policy
from moc.rest.bodies import Csv, TableForm, file_of
from moc.rest.conditions import idempotent
from moc.rest.permissions import SignedIn
from moc.rest.rendering import Json
from moc.rest.resources import Resource, Streamed
from moc.rest.serializers import Flat, slug_of
from operations.forecasts.filters import ForecastFilterSet
from operations.forecasts.models import Forecast
from operations.forecasts.services import storing
from operations.forecasts.services.reading import Unreadable
from registry.grid.forms import utilities_of

MOST_BYTES = 64 * 2**20


class ForecastSerializer(Flat):
    """A forecast of a feeder's sum, interval by interval, in kW, injection positive."""

    edc = slug_of("edc", "the utility's slug")
    feeder = serializers.CharField(source="feeder.code")

    class Meta:
        model = Forecast
        fields = "id edc feeder kind day starts_at minutes published_at known_until feeder_kw low_kw high_kw".split()


class Forecasts(Resource):
    """Forecasts, newest first; `seen_at` gives of each feeder and day the one that was the latest at a moment."""

    model = Forecast
    serializer_class = ForecastSerializer
    filterset_class = ForecastFilterSet
    lookup_field, lookup_value_converter = "pk", "int"


class StoredSerializer(serializers.Serializer):
    """What became of a file of meter data."""

    stored = serializers.IntegerField(help_text="days of service points, anew or completed")
    known = serializers.IntegerField(help_text="days that were there with the same values")
    unknown = serializers.ListField(child=serializers.CharField(), help_text="ids that are no service points, the first of them")


class MeterData(ViewSetMixin, Streamed):
    """Interval energy in: POST a CSV (usage_point_id, starts_at, minutes, kwh), or a form with the file of a Green Button portal."""

    serializer_class = StoredSerializer
    permission_classes = [SignedIn]
    renderer_classes = [Json]
    parser_classes = [Csv, TableForm]

    @extend_schema(
        request={
            "text/csv": {"type": "string"},
            "multipart/form-data": {"type": "object", "properties": {"file": {"type": "string", "format": "binary"}}},
        },
        parameters=[
            OpenApiParameter("edc", str, required=True, description="the utility's slug"),
            OpenApiParameter("usage_point_id", str, description="of a Green Button file"),
        ],
        responses={200: StoredSerializer},
        summary="Send meter data",
    )
    @idempotent
    def create(self, request, **kwargs) -> Response:
        mine = utilities_of(request.user)
        if not mine.exists():
            raise policy.NotPermitted("You may not manage a utility's grid.")
        upload = file_of(request)
        if upload.size > MOST_BYTES:
            raise Unreadable(f"A file has at most {MOST_BYTES // 2**20} MB.", "Send several files.")
        edc = get_object_or_404(mine, slug=request.query_params.get("edc", ""))
        point = request.query_params.get("usage_point_id", "")[:40]
        stored = storing.receive(actor=request.user, edc=edc, name=upload.name, content=upload.read(), point=point)
        return Response({"stored": stored.stored, "known": stored.known, "unknown": stored.unknown})
