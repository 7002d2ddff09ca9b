"""API of switches: look-ups by two facts, the switch of what they found, and the present aggregator's answer."""

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.parsers import JSONParser, MultiPartParser
from rest_framework.response import Response

from moc.access.models import Organization
from moc.rest.conditions import idempotent
from moc.rest.resources import Moves, Resource
from moc.rest.serializers import Flat, example, slug_of
from registry.submissions.api.submissions import aggregator_of
from registry.submissions.services import lookups, switches
from registry.submissions.switching import LookUp, SwitchNotice


class LookUpSerializer(Flat):
    """What two facts identified; nothing where either is wrong."""

    id = serializers.UUIDField(source="uuid")
    aggregator = slug_of("aggregator")
    edc = slug_of("edc", "the utility's slug")
    ders = serializers.ListField(child=serializers.DictField(), help_text="id and technology of each DER at the service point")

    class Meta:
        model = LookUp
        fields = ["id", "aggregator", "edc", "at", "ders"]


@example({"edc": "jcpl", "usage_point_id": "SP-100200", "fact": "serial_no", "value": "SN-4711"})
class TwoFacts(serializers.Serializer):
    """The service point, and the customer's account or a device's serial number."""

    aggregator = serializers.SlugField(required=False, help_text="in whose name; needed by those who file for several")
    edc = serializers.SlugField(help_text="the utility's slug")
    usage_point_id = serializers.CharField(max_length=40)
    fact = serializers.ChoiceField(choices=lookups.FACTS)
    value = serializers.CharField(max_length=80)


class LookUps(Resource):
    """Your own look-ups; POST makes one."""

    model = LookUp
    serializer_class = LookUpSerializer

    @extend_schema(request=TwoFacts, responses={201: LookUpSerializer}, summary="Look up a DER by two facts")
    @idempotent
    def create(self, request, **kwargs) -> Response:
        aggregator = aggregator_of(request)
        body = TwoFacts(data=request.data)
        body.is_valid(raise_exception=True)
        said = {name: body.validated_data[name] for name in ("usage_point_id", "fact", "value")}
        edc = get_object_or_404(Organization.objects.filter(kind="edc", is_active=True), slug=body.validated_data["edc"])
        return self.answer(lookups.look_up(actor=request.user, aggregator=aggregator, edc=edc, **said), status=201)


class SwitchSerializer(Flat):
    """A switch under way, as its three parties see it."""

    id = serializers.UUIDField(source="uuid")
    former = slug_of("former")
    aggregator = slug_of("aggregator", "the new aggregator's slug")
    edc = slug_of("edc", "the utility's slug")

    class Meta:
        model = SwitchNotice
        fields = ["id", "status", "former", "aggregator", "edc", "row_count", "starts_on", "due_at", "ground", "statement", "answered_at"]


class StartSwitch(serializers.Serializer):
    """A switch of what look-ups identified."""

    look_ups = serializers.ListField(child=serializers.UUIDField(), max_length=500)
    starts_on = serializers.DateField()
    authorisation = serializers.CharField(max_length=80, help_text="reference of the customer's signed authorisation")
    evidence = serializers.FileField(help_text="what was signed")


class StartedSwitch(serializers.Serializer):
    """The draft; submit it as any other."""

    submission = serializers.UUIDField()


class Agree(serializers.Serializer):
    """No body is needed."""


class Objection(serializers.Serializer):
    """A ground of the closed list, and what shows it."""

    ground = serializers.ChoiceField(choices=SwitchNotice.Ground.choices)
    statement = serializers.CharField(max_length=4000)


class Switches(Moves):
    """Switches from you, to you, or of your utility; POST starts one as a draft submission."""

    model = SwitchNotice
    serializer_class = SwitchSerializer
    moves = {"agree": Agree, "object": Objection}

    def get_parsers(self) -> list:
        starts = self.request and self.request.method == "POST" and self.action_map.get("post") == "create"
        return [parser() for parser in ((MultiPartParser,) if starts else (JSONParser,))]

    @extend_schema(request={"multipart/form-data": StartSwitch}, responses={201: StartedSwitch}, summary="Start a switch, as a draft")
    @idempotent
    def create(self, request, **kwargs) -> Response:
        body = StartSwitch(data=request.data)
        body.is_valid(raise_exception=True)
        said = dict(body.validated_data)
        mine = LookUp.objects.visible_to(request.user, "file_ders").select_related("aggregator")
        look_ups = mine.filter(uuid__in=said.pop("look_ups"))
        submission = switches.start(actor=request.user, look_ups=look_ups, source="api", **said)
        return Response({"submission": submission.uuid}, status=201)

    def perform(self, actor, obj: SwitchNotice, name: str, **said) -> None:
        switches.answer(actor=actor, notice=obj, name=name, **said)
