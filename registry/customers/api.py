"""API: consents, and what owners keep of their DERs; and an owner's own, who belongs to no organisation."""

from django.core.exceptions import ValidationError as Refused
from django.db import transaction
from django.http import Http404
from django.shortcuts import get_object_or_404
from drf_spectacular.helpers import forced_singular_serializer
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.parsers import MultiPartParser
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from moc import sight
from moc.access import policy
from moc.access.models import Organization
from moc.rest.conditions import idempotent, require_match, tag_of
from moc.rest.permissions import SignedIn
from moc.rest.resources import Moves, Resource, Versioned
from moc.rest.schema import MATCHED
from moc.rest.serializers import ANY_ID, Flat, Reason, example, slug_of
from registry.customers import reports, services
from registry.customers.filters import ConsentFilterSet, PersonalUseFilterSet
from registry.customers.models import WEEKDAYS, PersonalUse
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


class OwnDer(serializers.Serializer):
    """A DER of the owner's."""

    id = serializers.UUIDField(source="uuid")
    der_type = serializers.CharField()
    status = serializers.CharField()
    nameplate_ac_kw = serializers.DecimalField(14, 3)
    aggregator = slug_of("aggregator", allow_null=True)
    edc = slug_of("edc", "the utility's slug")


class Tagged(serializers.Serializer):
    """Something of the owner's that can end."""

    etag = serializers.SerializerMethodField(help_text="of the version that you see; to be sent in If-Match with what ends it")

    def get_etag(self, obj) -> str:
        versions = type(obj).history.model.objects.filter(id=obj.pk).order_by("-history_date", "-history_id")
        return tag_of(versions.values_list("history_id", flat=True).first() or 0)


class OwnConsent(Tagged):
    """A consent that the owner gave, here or on paper."""

    id = serializers.UUIDField(source="uuid")
    aggregator = slug_of("aggregator")
    status = serializers.CharField()
    scopes = serializers.ListField(child=serializers.CharField())
    purpose = serializers.CharField()
    granted_on = serializers.DateField()
    expires_on = serializers.DateField(allow_null=True)


class OwnUse(Tagged):
    """What the owner keeps of a DER."""

    id = serializers.UUIDField(source="uuid")
    der_id = serializers.UUIDField(source="der.uuid")
    kind = serializers.CharField()
    in_words = serializers.SerializerMethodField()

    def get_in_words(self, use: PersonalUse) -> str:
        return reports.told(use)


class Seer(serializers.Serializer):
    """A party that sees something of the owner's."""

    party = serializers.CharField()
    kind = serializers.CharField()
    what = serializers.CharField()


class OwnLook(serializers.Serializer):
    """A look at the owner's personal data, or a look-up of the owner's DERs by another aggregator."""

    at = serializers.DateTimeField()
    by = serializers.CharField(source="actor", allow_null=True, help_text="null for the platform")
    purpose = serializers.CharField()
    columns = serializers.ListField(child=serializers.CharField(), help_text="what was shown")


class OwnRecord(serializers.Serializer):
    """Everything of the owner's, who sees it, and who looked."""

    ders = OwnDer(many=True)
    consents = OwnConsent(many=True)
    uses = OwnUse(many=True)
    seen_by = Seer(many=True)
    looks = OwnLook(many=True)


@example({"aggregator": "kittatinny", "scopes": ["market", "control"], "purpose": "Virtual power plant"})
class GiveConsent(serializers.Serializer):
    """To whom, to what, until when."""

    aggregator = serializers.SlugField(help_text="the aggregator's slug")
    scopes = serializers.ListField(child=serializers.ChoiceField(choices=Consent.Scope.choices), min_length=1)
    purpose = serializers.CharField(max_length=200)
    expires_on = serializers.DateField(
        required=False, allow_null=True, default=None, help_text="the last day; left out: until it is revoked"
    )


@example({"der_id": ANY_ID, "kind": "reserve", "reserve_percent": 30})
class KeepUse(serializers.Serializer):
    """A reserve, blackout hours of a week (local time, 1 is Monday), or an event that the DER stays out of."""

    der_id = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=PersonalUse.Kind.choices)
    reserve_percent = serializers.DecimalField(5, 2, required=False, min_value=0, max_value=100)
    weekdays = serializers.ListField(child=serializers.ChoiceField(choices=WEEKDAYS), required=False)
    from_time = serializers.TimeField(required=False)
    until_time = serializers.TimeField(required=False)
    starts_at = serializers.DateTimeField(required=False)
    ends_at = serializers.DateTimeField(required=False)


class Own(GenericViewSet):
    """The signed-in owner's own; for everybody else there is nothing here."""

    permission_classes = [SignedIn]
    serializer_class = OwnRecord
    pagination_class, filterset_class = None, None

    def initial(self, request, *args, **kwargs) -> None:
        super().initial(request, *args, **kwargs)
        with sight.engine():  # the user's own records
            if not reports.owners(request.user).exists():
                raise Http404

    @sight.engine()  # the user's own records
    def _require_match(self, obj, shown: type[Tagged]) -> None:
        """Refuse the end of another version than the request means; call within the transaction of the change."""
        content = shown(type(obj).objects.select_for_update(of=("self",)).get(pk=obj.pk)).data
        require_match(self.request, content["etag"], content)

    def _one(self, rows: list, uuid):
        found = next((each for each in rows if each.uuid == uuid), None)
        if found is None:
            raise Http404
        return found

    @extend_schema(
        responses=forced_singular_serializer(OwnRecord), summary="Your DERs, consents, what you keep for yourself, who sees and who looked"
    )
    def list(self, request, **kwargs) -> Response:
        user = request.user
        content = {"ders": reports.ders(user), "consents": reports.consents(user), "uses": reports.uses(user)}
        content["seen_by"] = [dict(zip(("party", "kind", "what"), seer, strict=True)) for seer in reports.seers(user)]
        content["looks"] = reports.looks(user)
        with sight.engine():  # names of the parties on the user's own records
            return Response(OwnRecord(content).data)

    @extend_schema(request=GiveConsent, responses={201: OwnConsent(many=True)}, summary="Consent to an aggregator")
    @action(detail=False, methods=["post"])
    @idempotent
    def consents(self, request, **kwargs) -> Response:
        body = GiveConsent(data=request.data)
        body.is_valid(raise_exception=True)
        said = dict(body.validated_data)
        aggregator = get_object_or_404(Organization.objects.filter(kind="aggregator", is_active=True), slug=said.pop("aggregator"))
        with sight.engine():
            owners = list(reports.owners(request.user).select_related("edc"))
        made = [services.consent(actor=request.user, owner=owner, aggregator=aggregator, **said) for owner in owners]
        with sight.engine():
            return Response(OwnConsent(made, many=True).data, status=201)

    @extend_schema(request=Reason, responses={204: None}, parameters=[MATCHED], summary="Revoke a consent")
    @action(detail=False, methods=["post"], url_path="consents/<uuid:uuid>/revoke", url_name="revoke")
    @idempotent
    def revoke(self, request, uuid, **kwargs) -> Response:
        body = Reason(data=request.data)
        body.is_valid(raise_exception=True)
        consent = self._one(reports.consents(request.user), uuid)
        with transaction.atomic():
            self._require_match(consent, OwnConsent)
            services.revoke(actor=request.user, consent=consent, reason=body.validated_data["reason"])
        return Response(status=204)

    @extend_schema(request=KeepUse, responses={201: OwnUse}, summary="Keep something of a DER for yourself")
    @action(detail=False, methods=["post"])
    @idempotent
    def uses(self, request, **kwargs) -> Response:
        body = KeepUse(data=request.data)
        body.is_valid(raise_exception=True)
        said = dict(body.validated_data)
        der = self._one(reports.ders(request.user), said.pop("der_id"))
        try:
            made = services.state_use(actor=request.user, der=der, **said)
        except Refused as refusal:
            raise ValidationError({"kind": refusal.messages}) from refusal
        with sight.engine():
            return Response(OwnUse(made).data, status=201)

    @extend_schema(request=None, responses={204: None}, parameters=[MATCHED], summary="Take back what you kept")
    @action(detail=False, methods=["post"], url_path="uses/<uuid:uuid>/end", url_name="end")
    @idempotent
    def end(self, request, uuid, **kwargs) -> Response:
        use = self._one(reports.uses(request.user), uuid)
        with transaction.atomic():
            self._require_match(use, OwnUse)
            services.end_use(actor=request.user, use=use)
        return Response(status=204)
