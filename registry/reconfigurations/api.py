"""API: reconfigurations with their consequences, the act, and what held when as known when."""

from django.http import Http404
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.response import Response

from moc.rest.conditions import idempotent
from moc.rest.resources import Moves
from moc.rest.serializers import Flat, example, slug_of
from registry.grid.forms import utilities_of
from registry.grid.models import Feeder, ServicePoint, Substation, Transformer
from registry.reconfigurations import reports
from registry.reconfigurations.forms import MOST_LISTED
from registry.reconfigurations.models import Reconfiguration
from registry.reconfigurations.services import acts

PLACES = {
    "from_feeder": Feeder,
    "from_transformer": Transformer,
    "to_feeder": Feeder,
    "to_transformer": Transformer,
    "to_substation": Substation,
}


class ReconfigurationSerializer(Flat):
    """What moved, or would."""

    id = serializers.UUIDField(source="uuid")
    edc = slug_of("edc", "the utility's slug")
    from_feeder = serializers.CharField(source="from_feeder.code", allow_null=True)
    from_transformer = serializers.CharField(source="from_transformer.code", allow_null=True)
    to_feeder = serializers.CharField(source="to_feeder.code", allow_null=True)
    to_transformer = serializers.CharField(source="to_transformer.code", allow_null=True)
    to_substation = serializers.CharField(source="to_substation.code", allow_null=True)

    class Meta:
        model = Reconfiguration
        fields = ["id", "edc", "status", "reason", "starts_on", *PLACES, "preview", "point_count", "der_count", "created_at", "done_at"]


@example({"edc": "jcpl", "reason": "Relief of F1", "starts_on": "2027-06-01", "from_feeder": "F1", "to_feeder": "F2"})
class PrepareReconfiguration(serializers.Serializer):
    """Codes are the utility's own. One source: a feeder, a transformer, or service points; one target."""

    edc = serializers.SlugField(help_text="the utility's slug")
    reason = serializers.CharField(max_length=300)
    starts_on = serializers.DateField(help_text="the first day; today or before")
    from_feeder = serializers.CharField(required=False, max_length=40)
    from_transformer = serializers.CharField(required=False, max_length=40)
    usage_points = serializers.ListField(child=serializers.CharField(max_length=40), required=False, default=list, max_length=MOST_LISTED)
    to_feeder = serializers.CharField(required=False, max_length=40)
    to_transformer = serializers.CharField(required=False, max_length=40)
    to_substation = serializers.CharField(required=False, max_length=40)


class ConnectionSerializer(serializers.Serializer):
    """Where a service point was connected."""

    feeder = serializers.CharField()
    transformer = serializers.CharField()
    node = serializers.CharField()
    since = serializers.DateField(allow_null=True)
    until = serializers.DateField(allow_null=True, help_text="the first day after it")
    recorded_at = serializers.DateTimeField()


class Asked(serializers.Serializer):
    """The day that is meant, and the moment of knowledge."""

    day = serializers.DateField(required=False)
    known_at = serializers.DateTimeField(required=False)


class Nothing(serializers.Serializer):
    """No body is needed."""


class Reconfigurations(Moves):
    """Reconfigurations of the utilities within reach; POST prepares one and answers with its consequences."""

    model = Reconfiguration
    serializer_class = ReconfigurationSerializer
    moves = {"carry_out": Nothing, "discard": Nothing}

    @extend_schema(request=PrepareReconfiguration, responses={201: ReconfigurationSerializer}, summary="Prepare, and see the consequences")
    @idempotent
    def create(self, request, **kwargs) -> Response:
        body = PrepareReconfiguration(data=request.data)
        body.is_valid(raise_exception=True)
        said = dict(body.validated_data)
        edc = get_object_or_404(utilities_of(request.user), slug=said.pop("edc"))
        places = {name: get_object_or_404(PLACES[name], edc=edc, code=said.pop(name)) for name in PLACES if name in said}
        made = acts.prepare(actor=request.user, edc=edc, **said, **places)
        response = self.answer(made, status=201)
        response["Location"] = request.build_absolute_uri(reverse("api-reconfiguration-detail", args=[made.uuid]))
        return response

    def perform(self, actor, obj: Reconfiguration, name: str, **said) -> None:
        acts.MOVES[name](actor=actor, reconfiguration=obj)

    @extend_schema(
        parameters=[
            OpenApiParameter("day", str, description="the day that is meant; today if absent"),
            OpenApiParameter("known_at", str, description="the moment of knowledge; now if absent"),
        ],
        responses=ConnectionSerializer,
        summary="As known then, what held on a day",
    )
    @action(detail=False, url_path="connections/<int:point>", url_name="connection", filterset_class=None)
    def connection(self, request, point: int, **kwargs) -> Response:
        asked = Asked(data=request.query_params)
        asked.is_valid(raise_exception=True)
        given = asked.validated_data
        of = get_object_or_404(ServicePoint.objects.visible_to(request.user), pk=point)
        found = reports.connection(of, given.get("day", timezone.localdate()), given.get("known_at", timezone.now()))
        if found is None:
            raise Http404
        return Response(ConnectionSerializer(found).data)
