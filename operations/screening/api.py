"""API: screens of reviews, what they found, and the adoption of their limits."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.response import Response

from moc.access import policy
from moc.rest.conditions import idempotent
from moc.rest.resources import Moves, Resource, Versioned
from moc.rest.serializers import Flat, Reason, example, slug_of
from operations.screening.filters import FindingFilterSet, ScreenFilterSet
from operations.screening.models import ReviewScreen, ScreenFinding
from operations.screening.services import ordering


class ReviewScreenSerializer(Flat):
    """What a submission's DERs may do jointly on a feeder."""

    id = serializers.UUIDField(source="uuid")
    review = serializers.UUIDField(source="review.uuid")
    edc = slug_of("edc", "the utility's slug")
    feeder = serializers.CharField(source="feeder.code")
    job = serializers.UUIDField(source="job.uuid", allow_null=True, help_text="follow it below jobs/")
    result = serializers.JSONField(help_text="by direction: share of what was filed and what binds, by month and hour (288 values)")

    class Meta:
        model = ReviewScreen
        fields = "id review edc feeder topology_hash status row_count short_count result job computed_at".split()


@example({"rows": [2, 3], "statement": "Until the feeder is rebuilt"})
class ScreenAdoptBody(serializers.Serializer):
    """The DERs that are approved with what is always possible; all that are limited where none is named."""

    rows = serializers.ListField(child=serializers.IntegerField(min_value=1), required=False, allow_empty=False, max_length=10_000)
    statement = serializers.CharField(required=False, allow_blank=True, max_length=4000, default="")


class ReviewScreens(Versioned, Moves):
    """Screens of reviews. A reviewer has one computed again, or adopts its limits."""

    model = ReviewScreen
    serializer_class = ReviewScreenSerializer
    filterset_class = ScreenFilterSet
    moves = {"again": Reason}

    def perform(self, actor, obj: ReviewScreen, name: str, **said) -> None:
        ordering.again(actor=actor, screen=obj, **said)

    @extend_schema(request=ScreenAdoptBody, responses=ReviewScreenSerializer, summary="Approve DERs with the limits that are proposed")
    @action(detail=True, methods=["post"])
    @idempotent
    def adopt(self, request, **kwargs) -> Response:
        screen = self.get_object()
        policy.require(request.user, ordering.PERMISSION, screen.edc)
        body = ScreenAdoptBody(data=request.data)
        body.is_valid(raise_exception=True)
        ordering.adopt(actor=request.user, screen=screen, **body.validated_data)
        return self.answer(self.get_object())


class ScreenFindingSerializer(Flat):
    """A filed DER that cannot always do what was filed, together with the others of its submission."""

    review = serializers.UUIDField(source="review.uuid")
    feeder = serializers.CharField(source="feeder_code")
    submission = serializers.UUIDField(source="row.submission.uuid")
    row = serializers.IntegerField(source="row.row_number")
    external_id = serializers.CharField(source="row.external_id")
    aggregator = slug_of("aggregator", "the aggregator's slug")
    edc = slug_of("edc", "the utility's slug")

    class Meta:
        model = ScreenFinding
        fields = "id review feeder submission row external_id aggregator edc direction filed_kw limit_kw month hour binds".split()


class ScreenFindings(Resource):
    """What screens found, for the utility and for the aggregator whose DERs they are."""

    model = ScreenFinding
    serializer_class = ScreenFindingSerializer
    filterset_class = FindingFilterSet
    lookup_field, lookup_value_converter = "pk", "int"
