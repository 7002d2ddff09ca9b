"""API: notices of intent with their DERs; send, answer, correct, withdraw."""

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.response import Response

from moc.access import policy
from moc.access.models import Organization
from moc.rest.conditions import idempotent
from moc.rest.resources import Moves
from moc.rest.serializers import Flat, Reason, example, slug_of
from registry.intents import services
from registry.intents.forms import filers_of
from registry.intents.models import IntentNotice, IntentPoint


class IntentPointSerializer(Flat):
    """One DER; neither party's account number is kept."""

    service_point = serializers.CharField(source="service_point.usage_point_id", allow_null=True, help_text="as the utility answered")

    class Meta:
        model = IntentPoint
        fields = ["reference", "status", "der_type", "nameplate_ac_kw", "usage_point_id", "premise_address", "service_point", "remark"]


class IntentSerializer(Flat):
    """A notice of intent."""

    id = serializers.UUIDField(source="uuid")
    aggregator = slug_of("aggregator")
    edc = slug_of("edc", "the utility's slug")

    class Meta:
        model = IntentNotice
        fields = ["id", "title", "status", "aggregator", "edc", "row_count", "due_at", "created_at", "settled_at"]


class IntentDetailSerializer(IntentSerializer):
    """With its DERs."""

    points = IntentPointSerializer(source="*", many=True)

    class Meta(IntentSerializer.Meta):
        fields = [*IntentSerializer.Meta.fields, "points"]


class StatedPoint(serializers.Serializer):
    """What the aggregator states; the account is compared and not kept."""

    reference = serializers.CharField(max_length=64)
    der_type = serializers.CharField(max_length=30)
    nameplate_ac_kw = serializers.DecimalField(14, 3)
    usage_point_id = serializers.CharField(max_length=40, required=False, allow_blank=True, default="")
    account = serializers.CharField(max_length=40)
    premise_address = serializers.CharField(max_length=200, required=False, allow_blank=True, default="")


class StatedPoints(serializers.Serializer):
    """The differing DERs, stated anew."""

    points = StatedPoint(many=True)

    def stated(self) -> list[services.Stated]:
        return [services.Stated(**each) for each in self.validated_data["points"]]


@example(
    {
        "edc": "jcpl",
        "title": "Elm Street",
        "points": [{"reference": "I-1", "der_type": "storage", "nameplate_ac_kw": 7.6, "account": "100200300"}],
    }
)
class NewIntent(StatedPoints):
    """DERs that are going to be filed with a utility."""

    aggregator = serializers.SlugField(required=False, help_text="in whose name; needed by those who file for several")
    edc = serializers.SlugField(help_text="the utility's slug")
    title = serializers.CharField(max_length=120)


class KnownPoint(serializers.Serializer):
    """Service point and account as the utility knows them, or a remark of what it knows otherwise."""

    reference = serializers.CharField(max_length=64)
    usage_point_id = serializers.CharField(max_length=40, required=False, allow_blank=True, default="")
    account = serializers.CharField(max_length=40, required=False, allow_blank=True, default="")
    remark = serializers.CharField(max_length=300, required=False, allow_blank=True, default="")


class KnownPoints(serializers.Serializer):
    """An answer to every open DER of the notice."""

    points = KnownPoint(many=True)


class Intents(Moves):
    """Your notices to utilities, or those of aggregators to your utility."""

    model = IntentNotice
    serializer_class = IntentSerializer
    moves = {"answer": KnownPoints, "correct": StatedPoints, "withdraw": Reason}

    @extend_schema(request=NewIntent, responses={201: IntentDetailSerializer}, summary="Send a notice of intent")
    @idempotent
    def create(self, request, **kwargs) -> Response:
        mine = {party.slug: party for party in filers_of(request.user)}
        if not mine:
            raise policy.NotPermitted("You may not file DERs.")
        body = NewIntent(data=request.data)
        body.is_valid(raise_exception=True)
        said = body.validated_data
        wanted = said.get("aggregator") or (next(iter(mine)) if len(mine) == 1 else "")
        if wanted not in mine:
            raise ValidationError({"aggregator": [f"Name one of those that you file for: {', '.join(mine)}."]})
        edc = get_object_or_404(Organization.objects.filter(kind=Organization.Kind.EDC, is_active=True), slug=said["edc"])
        made = services.send(actor=request.user, aggregator=mine[wanted], edc=edc, title=said["title"], points=body.stated())
        return self.answer(made, status=201)

    @extend_schema(responses=IntentDetailSerializer)
    def retrieve(self, request, **kwargs) -> Response:
        return super().retrieve(request, **kwargs)

    def content(self, obj: IntentNotice) -> dict:
        points = IntentPoint.objects.visible_to(self.request.user).filter(notice=obj)
        return super().content(obj) | {"points": list(IntentPointSerializer.lay(points).values())}

    def perform(self, actor, obj: IntentNotice, name: str, **said) -> None:
        notice = IntentNotice.objects.select_related("edc", "aggregator").get(pk=obj.pk)
        if name == "withdraw":
            services.withdraw(actor=actor, notice=notice, **said)
        elif name == "answer":
            services.answer(actor=actor, notice=notice, points=[services.Known(**each) for each in said["points"]])
        else:
            services.correct(actor=actor, notice=notice, points=[services.Stated(**each) for each in said["points"]])
