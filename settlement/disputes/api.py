"""API: disputes with their files, proposals, determinations and bundles."""

from django.http import Http404, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.parsers import JSONParser, MultiPartParser
from rest_framework.response import Response

from moc.access import policy
from moc.documents.models import Document
from moc.documents.views import download
from moc.portal.paging import Sort
from moc.rest.conditions import idempotent
from moc.rest.resources import Moves, Resource, Versioned
from moc.rest.serializers import Reason
from registry.prequalification.models import QualificationOverride
from registry.submissions.models import StagedDer, UtilityReview
from settlement.disputes import serializers
from settlement.disputes.endings import Determination, SettlementProposal
from settlement.disputes.filters import BundleFilterSet, DisputeFilterSet
from settlement.disputes.models import HEAR, PURSUE, BundleItem, Dispute, DisputePart
from settlement.disputes.queries import OPEN
from settlement.disputes.services import determining, levels, opening, parties, pleading, settling

BY_DUE_DATE = (Sort("due_at", ("due_at", "id")), Sort("-due_at", ("-due_at", "-id")))
IN_ORDER = (Sort("id", ("id",)),)
BINARY = {(200, "application/octet-stream"): OpenApiTypes.BINARY}


def file_of(document: Document | None, request) -> StreamingHttpResponse:
    """The file, or 404."""
    if document is None:
        raise Http404
    return download(request, document)


def below(name: str, model, serializer, **further):
    """A list of something in the file of a dispute."""
    return action(
        detail=True, url_path=name, url_name=name, model=model, serializer_class=serializer, filterset_class=None, sorts=IN_ORDER, **further
    )


class Disputes(Moves, Versioned):
    """Disputes, by due date; without a status filter those that stand."""

    model = Dispute
    serializer_class = serializers.DisputeSerializer
    filterset_class = DisputeFilterSet
    sorts = BY_DUE_DATE
    moves = dict.fromkeys(("escalate_to_rto", "escalate_to_rerra", "refer", "withdraw"), Reason)

    def rows(self):
        rows = super().rows()
        listing = self.action == "list" and not self.request.query_params.get("status")
        return rows.filter(status__in=OPEN) if listing else rows

    def perform(self, actor, obj: Dispute, name: str, **said) -> None:
        levels.move(actor=actor, dispute=self._whole(obj), name=name, **said)

    def _whole(self, obj: Dispute) -> Dispute:
        return get_object_or_404(Dispute.objects.select_related("aggregator", "edc", "tso", "rerra"), pk=obj.pk)

    def _made(self, obj, name: str, serializer) -> Response:
        """201 with what was made, and where it is."""
        place = self.request.build_absolute_uri(reverse(f"api-{name}-detail", args=[obj.uuid]))
        return Response(serializer.lay(type(obj).objects.filter(pk=obj.pk))[obj.pk], status=201, headers={"Location": place})

    @extend_schema(request=serializers.OpenDispute, responses={201: serializers.DisputeSerializer}, summary="Open a dispute")
    @idempotent
    def create(self, request, **kwargs) -> Response:
        policy.require(request.user, PURSUE)
        body = serializers.OpenDispute(data=request.data)
        body.is_valid(raise_exception=True)
        said = body.validated_data
        if "review" in said:
            rows = UtilityReview.objects.visible_to(request.user).select_related("aggregator")
            subject = {"review": get_object_or_404(rows, uuid=said["review"])}
        elif "override" in said:
            rows = QualificationOverride.objects.visible_to(request.user).select_related("aggregator")
            subject = {"override": get_object_or_404(rows, uuid=said["override"])}
        else:
            rows = StagedDer.objects.visible_to(request.user).select_related("aggregator")
            subject = {"row": get_object_or_404(rows, submission__uuid=said["submission"], row_number=said["row"])}
        made = opening.open_dispute(actor=request.user, claim=said["claim"], **subject)
        response = self.answer(made, status=201)
        response["Location"] = request.build_absolute_uri(reverse("api-dispute-detail", args=[made.uuid]))
        return response

    @extend_schema(responses=serializers.DisputePartSerializer(many=True), summary="The file, as the caller may read it")
    @below("parts", DisputePart, serializers.DisputePartSerializer, parser_classes=[JSONParser, MultiPartParser])
    def parts(self, request, **kwargs) -> Response:
        return self.page(DisputePart.objects.filter(dispute=self.get_object()))

    @extend_schema(
        request={"application/json": serializers.FilePart, "multipart/form-data": serializers.FilePart},
        responses={201: serializers.DisputePartSerializer},
        summary="Put a statement, evidence, a question, an answer, a meeting or a note to the file",
    )
    @parts.mapping.post
    @idempotent
    def put_to_file(self, request, **kwargs) -> Response:
        dispute = self._whole(self.get_object())
        parties.require_side(request.user, dispute)
        body = serializers.FilePart(data=request.data)
        body.is_valid(raise_exception=True)
        said = dict(body.validated_data)
        said["upload"] = said.pop("file", None)
        if said["kind"] == DisputePart.Kind.ANSWER:
            rows = DisputePart.objects.visible_to(request.user).filter(dispute=dispute, kind=DisputePart.Kind.QUESTION)
            question = get_object_or_404(rows.select_related("dispute"), uuid=said.pop("answers"))
            del said["kind"]
            made = pleading.answer(actor=request.user, question=question, **said)
        else:
            made = pleading.file(actor=request.user, dispute=dispute, **said)
        return self._made(made, "dispute-part", serializers.DisputePartSerializer)

    @extend_schema(responses=serializers.ProposalSerializer(many=True), summary="Proposals to settle")
    @below("proposals", SettlementProposal, serializers.ProposalSerializer)
    def proposals(self, request, **kwargs) -> Response:
        return self.page(SettlementProposal.objects.filter(dispute=self.get_object()))

    @extend_schema(request=serializers.Propose, responses={201: serializers.ProposalSerializer}, summary="Propose a settlement")
    @proposals.mapping.post
    @idempotent
    def propose(self, request, **kwargs) -> Response:
        dispute = self._whole(self.get_object())
        policy.require(request.user, PURSUE, dispute)
        body = serializers.Propose(data=request.data)
        body.is_valid(raise_exception=True)
        made = settling.propose(actor=request.user, dispute=dispute, **body.validated_data)
        return self._made(made, "settlement-proposal", serializers.ProposalSerializer)

    @extend_schema(responses=serializers.DeterminationSerializer(many=True), summary="The determination; drafts for those who decide")
    @below("determinations", Determination, serializers.DeterminationSerializer)
    def determinations(self, request, **kwargs) -> Response:
        return self.page(Determination.objects.filter(dispute=self.get_object()))

    @extend_schema(request=serializers.Draft, responses={201: serializers.DeterminationSerializer}, summary="Draft a determination")
    @determinations.mapping.post
    @idempotent
    def draft(self, request, **kwargs) -> Response:
        dispute = self._whole(self.get_object())
        policy.require(request.user, HEAR, dispute)
        body = serializers.Draft(data=request.data)
        body.is_valid(raise_exception=True)
        made = determining.propose(actor=request.user, dispute=dispute, **body.validated_data)
        return self._made(made, "determination", serializers.DeterminationSerializer)

    @extend_schema(responses=serializers.BundleItemSerializer(many=True), summary="The records that were frozen when it was opened")
    @action(
        detail=True,
        url_path="bundle",
        url_name="bundle",
        model=BundleItem,
        serializer_class=serializers.BundleItemSerializer,
        filterset_class=BundleFilterSet,
        sorts=IN_ORDER,
    )
    def bundle(self, request, **kwargs) -> Response:
        return self.page(BundleItem.objects.filter(dispute=self.get_object()))


class DisputeParts(Resource):
    """Parts of files, newest first."""

    model = DisputePart
    serializer_class = serializers.DisputePartSerializer

    @extend_schema(responses=BINARY, summary="The file of the part")
    @action(detail=True, url_path="file", url_name="file")
    def file(self, request, **kwargs) -> StreamingHttpResponse:
        return file_of(pleading.evidence_of(self.get_object()), request)


class SettlementProposals(Moves):
    """Proposals to settle, newest first. The other party agrees or declines, the own withdraws."""

    model = SettlementProposal
    serializer_class = serializers.ProposalSerializer
    moves = dict.fromkeys(settling.MOVES, Reason)

    def perform(self, actor, obj: SettlementProposal, name: str, **said) -> None:
        rows = SettlementProposal.objects.select_related("dispute__aggregator", "dispute__edc")
        settling.move(actor=actor, proposal=get_object_or_404(rows, pk=obj.pk), name=name, **said)


class Determinations(Moves):
    """Determinations, newest first; drafts are seen by the authority only, and confirmed by a second person."""

    model = Determination
    serializer_class = serializers.DeterminationSerializer
    moves = dict.fromkeys(("confirm", "reject"), Reason)

    def perform(self, actor, obj: Determination, name: str, **said) -> None:
        rows = Determination.objects.select_related("dispute", "authority")
        determining.move(actor=actor, determination=get_object_or_404(rows, pk=obj.pk), name=name, **said)

    @extend_schema(responses=BINARY, summary="The letter, as it was printed once")
    @action(detail=True, url_path="letter", url_name="letter")
    def letter(self, request, **kwargs) -> StreamingHttpResponse:
        return file_of(determining.letter_of(self.get_object()), request)
