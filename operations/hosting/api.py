"""API: hosting capacity of feeders, node by node."""

from rest_framework import serializers

from moc.rest.resources import Moves, Resource, Versioned
from moc.rest.serializers import Flat, Reason, slug_of
from operations.hosting.filters import MapFilterSet, NodeFilterSet
from operations.hosting.models import HostingMap, HostingNode
from operations.hosting.services import ordering


class HostingMapSerializer(Flat):
    """A feeder's hosting capacity, for a network and a month."""

    id = serializers.UUIDField(source="uuid")
    edc = slug_of("edc", "the utility's slug")
    feeder = serializers.CharField(source="feeder.code")
    facts = serializers.JSONField(help_text="whence the year comes, and the hours that leave least room")

    class Meta:
        model = HostingMap
        fields = "id edc feeder topology_hash window status node_count facts ordered_at computed_at".split()


class HostingMaps(Versioned, Moves):
    """Maps of hosting capacity; one is made of every network that becomes current, and each month."""

    model = HostingMap
    serializer_class = HostingMapSerializer
    filterset_class = MapFilterSet
    moves = {"again": Reason}

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
