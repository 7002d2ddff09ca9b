"""API: hosting capacity of feeders, node by node."""

from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from moc.access import policy
from moc.rest.conditions import idempotent
from moc.rest.resources import Moves, Resource, Versioned
from moc.rest.serializers import Flat, Reason, example, slug_of
from operations.hosting.filters import MapFilterSet, NodeFilterSet
from operations.hosting.models import HostingMap, HostingNode
from operations.hosting.services import ordering
from operations.network.api import feeder_of


class HostingMapSerializer(Flat):
    """A feeder's hosting capacity, for a network and a month."""

    id = serializers.UUIDField(source="uuid")
    edc = slug_of("edc", "the utility's slug")
    feeder = serializers.CharField(source="feeder.code")
    facts = serializers.JSONField(help_text="whence the year comes, and the hours that leave least room")

    class Meta:
        model = HostingMap
        fields = "id edc feeder topology_hash window status node_count facts ordered_at computed_at".split()


@example({"feeder": "F1"})
class HostingOrderBody(serializers.Serializer):
    """A feeder whose map is wanted now; this month's, where there is one."""

    feeder = serializers.CharField(max_length=40, help_text="the utility's code")


class HostingMaps(Versioned, Moves):
    """Maps of hosting capacity; one is made in the night after a network became current, and each month. POST asks for one now."""

    model = HostingMap
    serializer_class = HostingMapSerializer
    filterset_class = MapFilterSet
    moves = {"again": Reason}

    @extend_schema(request=HostingOrderBody, responses={202: HostingMapSerializer}, summary="Compute a feeder's hosting capacity now")
    @idempotent
    def create(self, request, **kwargs) -> Response:
        policy.require(request.user, ordering.PERMISSION)
        body = HostingOrderBody(data=request.data)
        body.is_valid(raise_exception=True)
        found = ordering.ask(actor=request.user, feeder=feeder_of(request, body.validated_data["feeder"]))
        response = self.answer(found, status=202)
        response["Location"] = request.build_absolute_uri(reverse("api-hosting-map-detail", args=[found.uuid]))
        return response

    def perform(self, actor, obj: HostingMap, name: str, **said) -> None:
        ordering.again(actor=actor, found=obj, **said)


class HostingNodeSerializer(Flat):
    """What one bus can host in each direction, alone; nothing binds up to what was tried where `binds` is empty."""

    map = serializers.UUIDField(source="map.uuid")
    edc = slug_of("edc", "the utility's slug")
    feeder = serializers.CharField(source="map.feeder.code")

    class Meta:
        model = HostingNode
        fields = "id map edc feeder bus export_kw export_binds export_element import_kw import_binds import_element".split()


class HostingNodes(Resource):
    """Nodes with their hosting capacity, by map (`map`) and bus (`bus`)."""

    model = HostingNode
    serializer_class = HostingNodeSerializer
    filterset_class = NodeFilterSet
    lookup_field, lookup_value_converter = "pk", "int"
