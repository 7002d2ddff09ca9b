"""API: the catalogue of grid services, drafted by one person and put in force by another."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from moc.access import policy
from moc.portal.paging import Sort
from moc.rest.conditions import idempotent
from moc.rest.resources import Moves, Versioned
from moc.rest.serializers import Flat, Reason, example
from registry.catalogue import services as catalogue
from registry.catalogue.choices import Level
from registry.catalogue.models import GridService


class GridServiceSerializer(Flat):
    class Meta:
        model = GridService
        fields = ["code", "name", "level", "status"]


@example({"code": "inertia", "name": "Inertia", "level": "wholesale"})
class GridServiceBody(serializers.Serializer):
    """A service to be."""

    code = serializers.SlugField(max_length=30, help_text="how aggregations and rule sets name it; it stays")
    name = serializers.CharField(max_length=80)
    level = serializers.ChoiceField(choices=Level.choices, help_text="who buys it")


class GridServices(Versioned, Moves):
    """Services that DERs can sell. Aggregations may seek those that are in force."""

    model = GridService
    serializer_class = GridServiceSerializer
    sorts = (Sort("code", ("code",)), Sort("-code", ("-code",)))
    lookup_field, lookup_value_converter = "pk", "slug"
    moves = {"approve": Reason, "withdraw": Reason}

    def offered_sorts(self) -> tuple[Sort, ...]:
        """By code, which names its versions too."""
        return self.sorts

    @extend_schema(request=GridServiceBody, responses={201: GridServiceSerializer}, summary="Draft a service")
    @idempotent
    def create(self, request, **kwargs) -> Response:
        policy.require(request.user, catalogue.PERMISSION, GridService())
        body = GridServiceBody(data=request.data)
        body.is_valid(raise_exception=True)
        return self.answer(catalogue.draft(actor=request.user, **body.validated_data), status=201)

    def perform(self, actor, obj: GridService, name: str, **said) -> None:
        catalogue.move(actor=actor, service=obj, name=name, **said)
