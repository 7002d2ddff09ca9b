"""API: the five questions about a feeder, with their answers."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.response import Response

from moc.rest.resources import Resource
from moc.rest.serializers import Flat, slug_of
from operations.overview import reports
from registry.grid.models import Feeder


class FeederOverviewSerializer(Flat):
    """A feeder whose questions are answered below it."""

    edc = slug_of("edc", "the utility's slug")

    class Meta:
        model = Feeder
        fields = ["id", "edc", "code"]


class FeederAnswerSerializer(serializers.Serializer):
    """A question with its answer: columns, and rows of as many values."""

    question = serializers.CharField()
    columns = serializers.ListField(child=serializers.CharField())
    rows = serializers.ListField(child=serializers.ListField(child=serializers.JSONField(allow_null=True)))


class FeederOverviews(Resource):
    """Feeders within reach: who takes part behind them, with what, able to what, where, doing what now, before and next."""

    model = Feeder
    serializer_class = FeederOverviewSerializer
    lookup_field, lookup_value_converter = "pk", "int"

    @extend_schema(responses=FeederAnswerSerializer(many=True), summary="The answers about one feeder", filters=False)
    @action(detail=True, pagination_class=None, filterset_class=None)
    def answers(self, request, **kwargs) -> Response:
        feeder = self.get_object()
        return Response(FeederAnswerSerializer(reports.answers(reports.Place(request.user, feeder.edc, feeder)), many=True).data)
