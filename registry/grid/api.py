"""API: counties, a utility's grid records, and the files by which it loads them."""

from django.http import Http404
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.parsers import JSONParser
from rest_framework.response import Response

from moc import rules
from moc.access import policy
from moc.access.models import Organization
from moc.portal.filters import PartyFilter, ScopedFilterSet
from moc.portal.paging import Sort
from moc.rest.bodies import TABLES, XLSX, file_of
from moc.rest.conditions import idempotent
from moc.rest.resources import Moves, Resource
from moc.rest.serializers import Flat, Reason, slug_of
from registry.grid.filters import CodedFilterSet, FeederFilterSet, LoadFilterSet, ServicePointFilterSet, TransformerFilterSet
from registry.grid.forms import utilities_of
from registry.grid.models import County, Feeder, GridFinding, GridLoad, ServicePoint, Substation, TdInterface, Transformer
from registry.grid.services import loads

BY_CODE = (Sort("-id", ("-id",)), Sort("id", ("id",)), Sort("code", ("edc_id", "code")))


class CountySerializer(Flat):
    class Meta:
        model = County
        fields = ["fips", "name", "state", "population"]


class CountyFilterSet(ScopedFilterSet):
    """Counties that a utility serves."""

    party_filters = {"edc": "edc"}

    edc = PartyFilter(field_name="territories__edc_id", label="Utility")


class Counties(Resource):
    """Counties by FIPS code."""

    model = County
    serializer_class = CountySerializer
    filterset_class = CountyFilterSet
    sorts = (Sort("fips", ("fips",)),)
    lookup_field, lookup_value_converter = "fips", "slug"


class TdInterfaceSerializer(Flat):
    edc = slug_of("edc", "the utility's slug")
    pnode = serializers.CharField(source="pnode.name")

    class Meta:
        model = TdInterface
        fields = ["id", "code", "name", "edc", "pnode"]


class TdInterfaces(Resource):
    """T-D interfaces of utilities within reach."""

    model = TdInterface
    serializer_class = TdInterfaceSerializer
    filterset_class = CodedFilterSet
    sorts = BY_CODE
    lookup_field, lookup_value_converter = "pk", "int"


class SubstationSerializer(Flat):
    edc = slug_of("edc", "the utility's slug")
    td_interface = serializers.CharField(source="td_interface.code")

    class Meta:
        model = Substation
        fields = ["id", "code", "name", "edc", "td_interface", "latitude", "longitude"]


class Substations(Resource):
    """Substations of utilities within reach."""

    model = Substation
    serializer_class = SubstationSerializer
    filterset_class = CodedFilterSet
    sorts = BY_CODE
    lookup_field, lookup_value_converter = "pk", "int"


class TransformerSerializer(Flat):
    edc = slug_of("edc", "the utility's slug")
    feeder = serializers.CharField(source="feeder.code")

    class Meta:
        model = Transformer
        fields = ["id", "code", "edc", "feeder", "rated_kva"]


class Transformers(Resource):
    """Transformers of utilities within reach."""

    model = Transformer
    serializer_class = TransformerSerializer
    filterset_class = TransformerFilterSet
    sorts = BY_CODE
    lookup_field, lookup_value_converter = "pk", "int"


class FeederSerializer(Flat):
    edc = slug_of("edc", "the utility's slug")
    substation = serializers.CharField(source="substation.code")

    class Meta:
        model = Feeder
        fields = ["id", "code", "edc", "substation", "nominal_kv"]


class Feeders(Resource):
    """Feeders of utilities within reach."""

    model = Feeder
    serializer_class = FeederSerializer
    filterset_class = FeederFilterSet
    lookup_field, lookup_value_converter = "pk", "int"


class ServicePointSerializer(Flat):
    edc = slug_of("edc", "the utility's slug")
    feeder = serializers.CharField(source="feeder.code", allow_null=True)
    transformer = serializers.CharField(source="transformer.code", allow_null=True)
    county_fips = serializers.CharField(source="county_id", allow_null=True)

    class Meta:
        model = ServicePoint
        fields = (
            "id usage_point_id edc feeder transformer county_fips zip_code address latitude longitude phases_available nominal_voltage_v"
        ).split()


class ServicePoints(Resource):
    """Service points (CIM UsagePoint) of utilities within reach."""

    model = ServicePoint
    serializer_class = ServicePointSerializer
    filterset_class = ServicePointFilterSet
    sorts = (Sort("usage_point_id", ("edc_id", "usage_point_id")),)
    lookup_field, lookup_value_converter = "pk", "int"


class GridLoadSerializer(Flat):
    id = serializers.UUIDField(source="uuid")
    edc = slug_of("edc", "the utility's slug")
    file = serializers.CharField(source="document.name")
    job = serializers.UUIDField(source="job.uuid", allow_null=True, help_text="follow it below jobs/")

    class Meta:
        model = GridLoad
        fields = ["id", "kind", "status", "edc", "file", "job", "only_good", "row_count", "bad", "created", "changed", "created_at"]


class GridFindingSerializer(Flat):
    sentence = serializers.CharField(source="*", help_text="what is wrong")
    remedy = serializers.CharField(source="*", help_text="what to do")

    class Meta:
        model = GridFinding
        fields = ["row_number", "column", "value", "code", "severity", "sentence", "remedy"]


class GridUpload(serializers.Serializer):
    """A form with the file."""

    file = serializers.FileField()


GRID_BODIES = {
    "multipart/form-data": GridUpload,
    **dict.fromkeys(("text/csv", "application/json", "application/x-ndjson", XLSX, "application/gzip"), OpenApiTypes.BINARY),
}
SAID = [
    OpenApiParameter("kind", str, required=True, enum=GridLoad.Kind.values, description="which records"),
    OpenApiParameter("utility", str, description="whose records, by slug; needed by those who load for several utilities"),
    OpenApiParameter("only_good", bool, description="load the good rows even if others have errors; otherwise one bad row keeps all out"),
]


class GridLoads(Moves):
    """Files of grid records, newest first. POST a table to load one: the answer is 202, its Location the status resource."""

    model = GridLoad
    serializer_class = GridLoadSerializer
    filterset_class = LoadFilterSet
    moves = {"take_good": Reason}

    def get_parsers(self) -> list:
        takes_tables = self.request and self.request.method == "POST" and self.action_map.get("post") == "create"
        return [parser() for parser in (TABLES if takes_tables else (JSONParser,))]

    @extend_schema(request=GRID_BODIES, parameters=SAID, responses={202: GridLoadSerializer}, summary="Load a table of grid records")
    @idempotent
    def create(self, request, **kwargs) -> Response:
        edc, kind = _utility(request), request.query_params.get("kind", "")
        if kind not in GridLoad.Kind.values:
            raise ValidationError({"kind": [f"Name one of {', '.join(GridLoad.Kind.values)}."]})
        only_good = request.query_params.get("only_good", "").lower() in ("true", "1", "yes")
        load = loads.receive(actor=request.user, edc=edc, kind=kind, upload=file_of(request), only_good=only_good)
        place = request.build_absolute_uri(reverse("api-grid-load-detail", args=[load.uuid]))
        response = self.answer(load, status=202)
        response["Location"] = place
        return response

    def perform(self, actor, obj: GridLoad, name: str, **said) -> None:
        if name != "take_good":
            raise Http404
        loads.take_good(actor=actor, load=obj)

    @extend_schema(responses=GridFindingSerializer(many=True), summary="What is wrong, row by row")
    @action(
        detail=True,
        model=GridFinding,
        serializer_class=GridFindingSerializer,
        filterset_class=None,
        sorts=(Sort("row", ("row_number", "id")),),
    )
    def findings(self, request, **kwargs) -> Response:
        return self.page(GridFinding.objects.filter(load=self.get_object()))

    def lay(self, rows, keys: list) -> list[dict]:
        laid = super().lay(rows, keys)
        return [each | _words(each["code"]) for each in laid] if rows.model is GridFinding else laid


def _utility(request) -> Organization:
    """Whose records the caller loads: the one that is named, or the only one that there is."""
    mine = {edc.slug: edc for edc in utilities_of(request.user)}
    if not mine:
        raise policy.NotPermitted("You may not load grid records.")
    wanted = request.query_params.get("utility") or (next(iter(mine)) if len(mine) == 1 else "")
    if wanted not in mine:
        raise ValidationError({"utility": [f"Name one of those whose records you load: {', '.join(mine)}."]})
    return mine[wanted]


def _words(code: str) -> dict:
    rule = rules.registry[code]
    return {"sentence": rule.sentence, "remedy": rule.remedy}
