"""API: utilities push the accounts of their programmes; everybody concerned reads what differs."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.response import Response

from moc.access import policy
from moc.access.models import Organization
from moc.rest.conditions import idempotent
from moc.rest.resources import Resource
from moc.rest.serializers import Flat, example, slug_of
from registry.rosters import services
from registry.rosters.filters import RosterFindingFilterSet
from registry.rosters.models import Roster, RosterFinding


class RosterSerializer(Flat):
    id = serializers.UUIDField(source="uuid")
    edc = slug_of("edc", "the utility's slug")

    class Meta:
        model = Roster
        fields = ["id", "edc", "program", "account_count", "received_at"]


@example({"program": "nem_full_retail", "accounts": ["100200300", "100200301"]})
class RosterBody(serializers.Serializer):
    """All accounts of a programme; they take the place of those given before, and are kept sealed."""

    edc = serializers.SlugField(required=False, default="", help_text="for whom; needed by those who act for several")
    program = serializers.CharField(max_length=40, help_text="as filings name it in retail_programs")
    accounts = serializers.ListField(child=serializers.CharField(max_length=40), max_length=services.MOST)


class Rosters(Resource):
    """The rosters of utilities within your reach, as they were last given."""

    model = Roster
    serializer_class = RosterSerializer

    @extend_schema(request=RosterBody, responses={201: RosterSerializer}, summary="Push the accounts of a programme")
    @idempotent
    def create(self, request, **kwargs) -> Response:
        policy.require(request.user, services.PERMISSION)
        body = RosterBody(data=request.data)
        body.is_valid(raise_exception=True)
        given = dict(body.validated_data)
        mine = Organization.objects.filter(pk__in=policy.reach(request.user, services.PERMISSION))
        slug = given.pop("edc")
        found = list(mine.filter(slug=slug) if slug else mine[:2])
        if len(found) != 1:
            raise ValidationError({"edc": ["Name one of your utilities by its slug."]})
        return self.answer(services.give(actor=request.user, edc=found[0], **given), status=201)


class RosterFindingSerializer(Flat):
    der_id = serializers.UUIDField(source="der.uuid")
    external_id = serializers.CharField(source="der.external_id")
    edc = slug_of("edc", "the utility's slug")

    class Meta:
        model = RosterFinding
        fields = ["id", "der_id", "external_id", "edc", "program", "code", "found_at"]


class RosterFindings(Resource):
    """Where registry and rosters differ; a difference goes by itself."""

    model = RosterFinding
    serializer_class = RosterFindingSerializer
    filterset_class = RosterFindingFilterSet
    lookup_field, lookup_value_converter = "pk", "int"
