"""API: drafts of who joins and leaves registered aggregations, and of settled notices of intent; the RTO's validation of who joins."""

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.response import Response

from moc.access import policy
from moc.rest.bodies import file_of
from moc.rest.conditions import idempotent
from moc.rest.resources import Moves
from moc.rest.serializers import ANY_ID, Flat, example, slug_of
from registry.aggregations.api import FILES, MembersBody
from registry.aggregations.models import Aggregation
from registry.intents.models import IntentNotice
from registry.submissions.api.serializers import SubmissionDetailSerializer
from registry.submissions.kinds import MEMBERSHIP, Kind
from registry.submissions.membership import MemberValidation
from registry.submissions.services import intents, members, validating

ASKED = ("aggregation", "kind", "reason", "only_good")  # of a table: beside it in the form, or in the address


@example({"aggregation": ANY_ID, "kind": "add", "reason": "New customers of June", "ders": ["D-1", "D-2"]})
class FiledMembers(MembersBody):
    """DERs that join a registered aggregation, or leave it; the answer is a draft, submitted as any other."""

    aggregation = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=[(kind.value, kind.label) for kind in MEMBERSHIP])
    reason = serializers.CharField(max_length=300)


@example({"notice": ANY_ID})
class SettledNotice(serializers.Serializer):
    """A notice of intent that both parties have settled."""

    notice = serializers.UUIDField()


class MemberFilings:
    """The part of submissions that starts drafts about members, and from settled notices of intent."""

    @extend_schema(request=FiledMembers, responses={201: SubmissionDetailSerializer}, summary="File who joins or leaves, as a draft")
    @action(detail=False, methods=["post"], url_path="members", url_name="members")
    @idempotent
    def members(self, request, **kwargs) -> Response:
        body = FiledMembers(data=request.data)
        body.is_valid(raise_exception=True)
        said = body.validated_data
        aggregation = self._aggregation(said["aggregation"])
        about = {"ders": body.chosen(request.user, aggregation), "terms": body.terms()}
        about |= {name: said[name] for name in ("kind", "reason", "only_good")}
        return self.answer(members.start(actor=request.user, aggregation=aggregation, source="api", **about), status=201)

    @extend_schema(
        request=FILES,
        parameters=[
            OpenApiParameter("aggregation", str, required=True, description="its id"),
            OpenApiParameter("kind", str, enum=[kind.value for kind in MEMBERSHIP], description="left out: add"),
            OpenApiParameter("reason", str, required=True, description="why; the utilities read it"),
            OpenApiParameter("only_good", bool, description="take the good rows even if others have errors"),
        ],
        responses={202: SubmissionDetailSerializer},
        summary="File who joins or leaves, by table",
    )
    @action(detail=False, methods=["post"], url_path="members/file", url_name="members-file")
    @idempotent
    def members_file(self, request, **kwargs) -> Response:
        asked = {name: request.data.get(name) or request.query_params.get(name) or "" for name in ASKED}
        aggregation = self._aggregation(asked["aggregation"])
        how = {"kind": asked["kind"] or Kind.ADD, "reason": str(asked["reason"])[:300]}
        how["only_good"] = str(asked["only_good"]).lower() in ("true", "1", "yes")
        made = members.receive_file(actor=request.user, aggregation=aggregation, upload=file_of(request), source="api", **how)
        return self._accepted(made)

    @extend_schema(
        request=SettledNotice, responses={201: SubmissionDetailSerializer}, summary="File a settled notice of intent, as a draft"
    )
    @action(detail=False, methods=["post"], url_path="settled", url_name="settled")
    @idempotent
    def settled(self, request, **kwargs) -> Response:
        body = SettledNotice(data=request.data)
        body.is_valid(raise_exception=True)
        rows = IntentNotice.objects.visible_to(request.user, "file_ders").select_related("aggregator", "edc__utility")
        notice = get_object_or_404(rows, uuid=body.validated_data["notice"])
        return self.answer(intents.file_settled(actor=request.user, notice=notice, source="api"), status=201)

    def _aggregation(self, text) -> Aggregation:
        rows = Aggregation.objects.visible_to(self.request.user).select_related("aggregator")
        try:
            known = serializers.UUIDField().run_validation(text)
        except serializers.ValidationError as error:
            raise ValidationError({"aggregation": error.detail}) from error
        found = get_object_or_404(rows, uuid=known)
        policy.require(self.request.user, "file_ders", found.aggregator)
        return found


class JoiningSerializer(serializers.Serializer):
    """DERs of one technology that join."""

    technology = serializers.CharField()
    ders = serializers.IntegerField()
    kw = serializers.FloatField()


class MemberValidationSerializer(Flat):
    """Who joins, after the utilities' approval, where the RTO validates it."""

    id = serializers.UUIDField(source="uuid")
    aggregation = serializers.UUIDField(source="aggregation.uuid")
    aggregator = slug_of("aggregator")
    tso = slug_of("tso", "the RTO's slug")
    figures = JoiningSerializer(many=True)

    class Meta:
        model = MemberValidation
        fields = ["id", "status", "aggregation", "aggregator", "tso", "row_count", "figures", "due_at", "rule", "statement"]


class Statement(serializers.Serializer):
    """What the RTO says beside it."""

    statement = serializers.CharField(required=False, allow_blank=True, default="", max_length=4000)


class Denial(Statement):
    """The rule that would be broken."""

    rule = serializers.CharField(max_length=60)


class MemberValidations(Moves):
    """Who joins your aggregations, or as an RTO those of your market."""

    model = MemberValidation
    serializer_class = MemberValidationSerializer
    moves = {"validate": Statement, "deny": Denial}

    def perform(self, actor, obj: MemberValidation, name: str, **said) -> None:
        verb = {"validate": validating.validate, "deny": validating.deny}[name]
        verb(actor=actor, validation=MemberValidation.objects.select_related("tso").get(pk=obj.pk), **said)
