"""API: consents, and what owners keep of their DERs."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.response import Response

from moc.access import policy
from moc.rest.conditions import idempotent
from moc.rest.resources import Moves, Resource, Versioned
from moc.rest.serializers import Flat, Reason, slug_of
from registry.customers import services
from registry.customers.filters import ConsentFilterSet, PersonalUseFilterSet
from registry.customers.models import PersonalUse
from registry.ders.models import Der
from registry.participants.models import Consent


class ConsentSerializer(Flat):
    """What an owner, who is not named here, lets an aggregator see or use."""

    id = serializers.UUIDField(source="uuid")
    aggregator = slug_of("aggregator")
    edc = slug_of("edc", "the utility's slug")

    class Meta:
        model = Consent
        fields = ["id", "status", "aggregator", "edc", "scopes", "purpose", "granted_on", "expires_on", "by_owner", "revoked_at"]


class ConsentBody(serializers.Serializer):
    """A consent that the owner of a DER signed for its aggregator, with its evidence (multipart)."""

    der_id = serializers.UUIDField(help_text="one of the owner's DERs")
    scopes = serializers.MultipleChoiceField(choices=Consent.Scope.choices)
    purpose = serializers.CharField(max_length=200)
    expires_on = serializers.DateField(required=False, default=None, help_text="the last day; left out: until it is revoked")
    evidence = serializers.FileField(help_text="what the owner signed")


class Consents(Versioned, Moves):
    """Consents to your aggregator, or of your customers."""

    model = Consent
    serializer_class = ConsentSerializer
    filterset_class = ConsentFilterSet
    moves = {"revoke": Reason}

    def get_parsers(self) -> list:
        creates = self.request and self.request.method == "POST" and self.action_map.get("post") == "create"
        return [MultiPartParser()] if creates else super().get_parsers()

    @extend_schema(request={"multipart/form-data": ConsentBody}, responses={201: ConsentSerializer}, summary="Record a signed consent")
    @idempotent
    def create(self, request, **kwargs) -> Response:
        policy.require(request.user, "file_ders")
        body = ConsentBody(data=request.data)
        body.is_valid(raise_exception=True)
        given = dict(body.validated_data)
        rows = Der.objects.visible_to(request.user, "file_ders").filter(uuid=given.pop("der_id"), owner__erased_at=None)
        der = rows.select_related("owner__aggregator", "owner__edc").first()
        if der is None or der.owner is None:
            raise serializers.ValidationError({"der_id": ["You have no such DER whose owner is known."]})
        made = services.consent(actor=request.user, owner=der.owner, aggregator=der.owner.aggregator, **given)
        return self.answer(made, status=201)

    def perform(self, actor, obj: Consent, name: str, **said) -> None:
        policy.require(actor, "file_ders", obj.aggregator)
        services.revoke(actor=actor, consent=obj, **said)


class PersonalUseSerializer(Flat):
    """What the owner keeps: a reserve, hours of a week (local time, 1 is Monday), or an event that the DER stays out of."""

    id = serializers.UUIDField(source="uuid")
    der_id = serializers.UUIDField(source="der.uuid")

    class Meta:
        model = PersonalUse
        fields = [
            *("id", "der_id", "kind", "reserve_percent", "weekdays", "from_time", "until_time"),
            *("starts_at", "ends_at", "stated_at", "ended_at"),
        ]


class PersonalUses(Resource):
    """What owners keep of DERs within your reach for themselves; offers and dispatch respect it."""

    model = PersonalUse
    serializer_class = PersonalUseSerializer
    filterset_class = PersonalUseFilterSet
