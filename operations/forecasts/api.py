"""API: meter data in, and forecasts as they were published."""

from django.http import Http404
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.response import Response
from rest_framework.viewsets import ViewSetMixin

from moc.access import policy
from moc.portal.paging import Sort
from moc.rest.bodies import Csv, TableForm, file_of
from moc.rest.conditions import idempotent
from moc.rest.permissions import SignedIn
from moc.rest.rendering import Json
from moc.rest.resources import Resource, Streamed
from moc.rest.serializers import Flat, slug_of
from operations.forecasts import reports
from operations.forecasts.filters import ForecastFilterSet
from operations.forecasts.models import Forecast
from operations.forecasts.services import storing
from operations.forecasts.services.reading import Unreadable
from registry.grid.forms import utilities_of
from registry.grid.models import ServicePoint, Transformer

MOST_BYTES = 64 * 2**20
BELOW = {"detail": True, "filterset_class": None, "sorts": (Sort("id", ("id",)),)}


class ForecastSerializer(Flat):
    """A forecast of a feeder's sum, interval by interval, in kW, injection positive."""

    edc = slug_of("edc", "the utility's slug")
    feeder = serializers.CharField(source="feeder.code")

    class Meta:
        model = Forecast
        fields = "id edc feeder kind day starts_at minutes published_at known_until feeder_kw low_kw high_kw".split()


class OfTransformerSerializer(Flat):
    """What is forecast of a transformer's meters together."""

    transformer = serializers.CharField(source="code")
    kw = serializers.ListField(child=serializers.FloatField(), source="*", help_text="by interval, injection positive")

    low_error_kw = serializers.FloatField(source="*", allow_null=True, help_text="P10 of what came less what was forecast; null: not known")
    high_error_kw = serializers.FloatField(source="*", allow_null=True, help_text="P90 of the same")

    class Meta:
        model = Transformer
        fields = ["transformer", "rated_kva", "kw", "low_error_kw", "high_error_kw"]


class OfMeterSerializer(Flat):
    """What is forecast of a meter."""

    usage_point_id = serializers.CharField()
    kw = serializers.ListField(child=serializers.FloatField(), source="*", help_text="by interval, injection positive")

    class Meta:
        model = ServicePoint
        fields = ["usage_point_id", "kw"]


class Forecasts(Resource):
    """Forecasts, newest first; `seen_at` gives of each feeder and day the one that was the latest at a moment."""

    model = Forecast
    serializer_class = ForecastSerializer
    filterset_class = ForecastFilterSet
    lookup_field, lookup_value_converter = "pk", "int"

    @extend_schema(responses=OfTransformerSerializer(many=True), summary="The forecast by transformer")
    @action(**BELOW, model=Transformer, serializer_class=OfTransformerSerializer)
    def transformers(self, request, **kwargs) -> Response:
        return self._parts(self.get_object(), "transformers")

    @extend_schema(responses=OfMeterSerializer(many=True), summary="The forecast by meter, for those who may load meter data")
    @action(**BELOW, model=ServicePoint, serializer_class=OfMeterSerializer)
    def meters(self, request, **kwargs) -> Response:
        forecast = self.get_object()
        if not policy.allows(request.user, storing.PERMISSION, forecast.edc):
            raise Http404
        return self._parts(forecast, "points")

    def _parts(self, forecast: Forecast, name: str) -> Response:
        self.kw, self.errors = reports.parts(forecast, name), reports.errors_of(forecast)
        return self.page(self.model.objects.filter(pk__in=list(self.kw)))

    def lay(self, rows, keys: list) -> list[dict]:
        """A part with its intervals, and a transformer with its errors."""
        if self.action not in ("transformers", "meters"):
            return super().lay(rows, keys)
        laid = self.serializer_class.lay(rows)
        said = {key: {"kw": self.kw[key].tolist()} for key in keys if key in laid}
        if self.action == "transformers":
            for key, row in said.items():
                row["low_error_kw"], row["high_error_kw"] = self.errors.get(key, (None, None))
        return [laid[key] | row for key, row in said.items()]


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
