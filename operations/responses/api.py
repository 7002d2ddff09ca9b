"""API: what can be answered to an outage with its effect, and the answers that were chosen."""

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.response import Response

from moc.access import policy
from moc.rest.conditions import idempotent
from moc.rest.resources import Moves, Versioned
from moc.rest.serializers import ANY_ID, Flat, Reason, example, slug_of
from operations.outages.models import DerOutage
from operations.responses import reports, services
from operations.responses.filters import ResponseFilterSet
from operations.responses.models import OutageResponse

EFFECTS = "lost_up_kw lost_down_kw regained_up_kw regained_down_kw least_kw most_kw".split()


class OutageResponseSerializer(Flat):
    """An answer to an outage. Effects in kW; up: of the most injection, down: of the most draw."""

    id = serializers.UUIDField(source="uuid")
    outage = serializers.UUIDField(source="outage.uuid")
    aggregation = serializers.UUIDField(source="aggregation.uuid")
    aggregator = slug_of("aggregator")
    edc = slug_of("edc", "the utility's slug")
    tso = slug_of("tso", "the RTO's slug", allow_null=True)

    class Meta:
        model = OutageResponse
        fields = ["id", "outage", "aggregation", "aggregator", "edc", "tso", "kind", "status", *EFFECTS, "reason", "chosen_at"]


@example({"outage": ANY_ID, "aggregation": ANY_ID, "kind": "derate", "reason": "Until the inverter is replaced"})
class OutageChoiceSerializer(serializers.Serializer):
    """An answer for one of the DER's aggregations."""

    outage = serializers.UUIDField()
    aggregation = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=OutageResponse.Kind.choices)
    reason = serializers.CharField(max_length=300, required=False, default="", allow_blank=True)


class OutageOfferSerializer(serializers.Serializer):
    """An answer that can be chosen, with its effect as it is computed now."""

    aggregation = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=OutageResponse.Kind.choices)
    lost_up_kw = serializers.FloatField()
    lost_down_kw = serializers.FloatField()
    regained_up_kw = serializers.FloatField()
    regained_down_kw = serializers.FloatField()
    least_kw = serializers.FloatField()
    most_kw = serializers.FloatField()


class OutageResponses(Versioned, Moves):
    """Answers to outages within reach. POST chooses one; a utility grants room that it was asked for, or refuses it."""

    model = OutageResponse
    serializer_class = OutageResponseSerializer
    filterset_class = ResponseFilterSet
    moves = {"grant": Reason, "refuse": Reason}

    def _outage(self, key) -> DerOutage:
        mine = policy.scope(DerOutage.objects.select_related("aggregator", "edc"), self.request.user, services.PERMISSION)
        return get_object_or_404(mine, uuid=key)

    @extend_schema(request=OutageChoiceSerializer, responses={201: OutageResponseSerializer}, summary="Answer an outage")
    @idempotent
    def create(self, request, **kwargs) -> Response:
        policy.require(request.user, services.PERMISSION)
        body = OutageChoiceSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        said = dict(body.validated_data)
        outage = self._outage(said.pop("outage"))
        aggregation = get_object_or_404(reports.aggregations_of(outage), uuid=said.pop("aggregation"))
        return self.answer(services.choose(actor=request.user, outage=outage, aggregation=aggregation, **said), status=201)

    @extend_schema(responses=OutageOfferSerializer(many=True), summary="What can be answered to an outage, with its effect", filters=False)
    @action(detail=False, url_path="offers/<uuid:outage>", pagination_class=None, filterset_class=None)
    def offers(self, request, outage, **kwargs) -> Response:
        outage = self._outage(outage)
        return Response(
            [
                {"aggregation": aggregation.uuid, "kind": offer.kind} | offer.values
                for aggregation in reports.aggregations_of(outage)
                for offer in reports.offers(outage, aggregation)
            ]
        )

    def perform(self, actor, obj: OutageResponse, name: str, **said) -> None:
        services.move(actor=actor, response=obj, name=name, **said)
