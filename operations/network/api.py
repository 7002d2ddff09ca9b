"""API: network versions, their findings, elements and points; loading and approving."""

from django.shortcuts import get_object_or_404
from django.urls import reverse
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.parsers import JSONParser
from rest_framework.response import Response

from moc.access import policy
from moc.portal.paging import Sort
from moc.rest.bodies import TABLES, file_of
from moc.rest.conditions import idempotent
from moc.rest.resources import Moves
from moc.rest.serializers import Flat, Reason, slug_of
from operations.network.filters import NetworkFilterSet
from operations.network.models import NetworkElement, NetworkFinding, NetworkPoint, NetworkVersion
from operations.network.services import versions
from registry.grid.forms import utilities_of
from registry.grid.models import Feeder


class NetworkSerializer(Flat):
    """A version of a feeder's network."""

    id = serializers.UUIDField(source="uuid")
    edc = slug_of("edc", "the utility's slug")
    feeder = serializers.CharField(source="feeder.code")
    file = serializers.CharField(source="document.name")
    job = serializers.UUIDField(source="job.uuid", allow_null=True, help_text="follow it below jobs/")

    class Meta:
        model = NetworkVersion
        fields = (
            "id edc feeder source status file job topology_hash node_count element_count point_count linked_count created_at valid_from "
            "valid_until"
        ).split()


class NetworkFindingSerializer(Flat):
    """What is wrong with an element."""

    class Meta:
        model = NetworkFinding
        fields = ["element", "code", "severity", "value"]


class NetworkElementSerializer(Flat):
    """A line, transformer, capacitor or source."""

    class Meta:
        model = NetworkElement
        fields = "name kind from_bus to_bus phases rated_a loading_percent x1 y1 x2 y2".split()


class NetworkPointSerializer(Flat):
    """A load or resource of the model."""

    service_point = serializers.CharField(source="service_point.usage_point_id", allow_null=True)

    class Meta:
        model = NetworkPoint
        fields = "name bus phases load_kw voltage_pu x y service_point".split()


BELOW = {"detail": True, "filterset_class": None, "sorts": (Sort("id", ("id",)),)}


class Networks(Moves):
    """Versions of feeders' networks, newest first. POST a file to load one; a second person approves it."""

    model = NetworkVersion
    serializer_class = NetworkSerializer
    filterset_class = NetworkFilterSet
    moves = {"approve": Reason, "reject": Reason}

    def get_parsers(self) -> list:
        takes_files = self.request and self.request.method == "POST" and self.action_map.get("post") == "create"
        return [parser() for parser in (TABLES if takes_files else (JSONParser,))]

    @extend_schema(
        request={"multipart/form-data": {"type": "object", "properties": {"file": {"type": "string", "format": "binary"}}}},
        parameters=[
            OpenApiParameter("feeder", str, required=True, description="the utility's code of the feeder"),
            OpenApiParameter("source", str, required=True, enum=NetworkVersion.Source.values, description="what kind of file it is"),
        ],
        responses={202: NetworkSerializer},
        summary="Load a feeder's network",
    )
    @idempotent
    def create(self, request, **kwargs) -> Response:
        source = request.query_params.get("source", "")
        if source not in NetworkVersion.Source.values:
            raise ValidationError({"source": [f"Name one of {', '.join(NetworkVersion.Source.values)}."]})
        feeder = feeder_of(request)
        made = versions.receive(actor=request.user, feeder=feeder, source=source, upload=file_of(request))
        response = self.answer(made, status=202)
        response["Location"] = request.build_absolute_uri(reverse("api-network-detail", args=[made.uuid]))
        return response

    def perform(self, actor, obj: NetworkVersion, name: str, **said) -> None:
        versions.MOVES[name](actor=actor, version=obj, **said)

    @extend_schema(responses=NetworkFindingSerializer(many=True), summary="What is wrong, element by element")
    @action(**BELOW, model=NetworkFinding, serializer_class=NetworkFindingSerializer)
    def findings(self, request, **kwargs) -> Response:
        return self.page(NetworkFinding.objects.filter(version=self.get_object()))

    @extend_schema(responses=NetworkElementSerializer(many=True), summary="The elements, with their loading in the model")
    @action(**BELOW, model=NetworkElement, serializer_class=NetworkElementSerializer)
    def elements(self, request, **kwargs) -> Response:
        return self.page(NetworkElement.objects.filter(version=self.get_object()))

    @extend_schema(responses=NetworkPointSerializer(many=True), summary="The points, with their voltage in the model")
    @action(**BELOW, model=NetworkPoint, serializer_class=NetworkPointSerializer)
    def points(self, request, **kwargs) -> Response:
        return self.page(NetworkPoint.objects.filter(version=self.get_object()))


def feeder_of(request, code: str | None = None) -> Feeder:
    """The feeder of the caller's utilities that the request names."""
    mine = utilities_of(request.user)
    if not mine.exists():
        raise policy.NotPermitted("You may not manage a utility's grid.")
    return get_object_or_404(Feeder.objects.select_related("edc"), edc__in=mine, code=code or request.query_params.get("feeder", ""))
