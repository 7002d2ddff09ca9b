"""API of the utility's reviews: the queue, the rows, decisions by number or by filter, evidence, four eyes, answers."""

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.parsers import JSONParser, MultiPartParser
from rest_framework.response import Response

from moc.access import policy
from moc.documents import services as documents
from moc.documents.api import DocumentSerializer
from moc.documents.models import Document
from moc.portal.paging import Sort
from moc.rest.bodies import file_of
from moc.rest.conditions import idempotent, tag_of, tagged
from moc.rest.pages import filtered, parameters_of
from moc.rest.resources import Moves, Resource
from moc.rest.serializers import Reason
from registry.submissions import reports
from registry.submissions.api import rows as filed
from registry.submissions.api import serializers
from registry.submissions.filters import DECIDABLE, ReviewFilterSet, RowFilterSet
from registry.submissions.models import Decision, StagedDer, UtilityReview
from registry.submissions.services import filing, reviewing

BY_DUE_DATE = (Sort("due_at", ("due_at", "id")), Sort("-due_at", ("-due_at", "-id")))


class Reviews(Resource):
    """Reviews, by due date; without a status filter those that are not closed."""

    model = UtilityReview
    serializer_class = serializers.ReviewSerializer
    filterset_class = ReviewFilterSet
    sorts = BY_DUE_DATE
    tag_by_content = True

    def rows(self) -> QuerySet:
        return UtilityReview.objects.all() if self.request.query_params.get("status") else UtilityReview.objects.undecided()

    @extend_schema(responses=serializers.ReviewDetailSerializer)
    def retrieve(self, request, **kwargs) -> Response:
        return super().retrieve(request, **kwargs)

    def content(self, obj: UtilityReview) -> dict:
        counted = {status: number for status, _, number in reports.statuses(obj, self.request.user)}
        return super().content(obj) | {"rows_by_status": counted}

    @extend_schema(responses=serializers.RowSerializer(many=True), summary="The review's rows")
    @action(
        detail=True,
        url_path="rows",
        url_name="rows",
        model=StagedDer,
        serializer_class=serializers.RowSerializer,
        filterset_class=RowFilterSet,
        sorts=filed.BY_ROW,
    )
    def rows_of(self, request, **kwargs) -> Response:
        return self.page(StagedDer.objects.of_review(self.get_object()))

    @extend_schema(responses=serializers.DecisionSerializer(many=True), summary="The decisions on this review")
    @action(detail=True, model=Decision, serializer_class=serializers.DecisionSerializer, filterset_class=None, sorts=Resource.sorts)
    def decisions(self, request, **kwargs) -> Response:
        return self.page(Decision.objects.filter(review=self.get_object()))

    @extend_schema(request=serializers.Decide, responses={201: serializers.DecisionSerializer}, summary="Decide rows of this review")
    @decisions.mapping.post
    @idempotent
    def decide(self, request, **kwargs) -> Response:
        review = self.get_object()
        policy.require(request.user, "review_ders", review.edc)
        body = serializers.Decide(data=request.data)
        body.is_valid(raise_exception=True)
        said = dict(body.validated_data)
        rows = self._selected(review, said.pop("rows", None), said.pop("filter", None))
        evidence = self._evidence(review, said.pop("evidence"))
        decision = reviewing.decide(actor=request.user, review=review, rows=rows, evidence=evidence, **said)
        content = serializers.DecisionSerializer.lay(Decision.objects.filter(pk=decision.pk))[decision.pk]
        latest = decision.history.order_by("-history_date", "-history_id").values_list("history_id", flat=True).first()
        response = tagged(request, content, tag_of(latest), status=201)
        response["Location"] = request.build_absolute_uri(reverse("api-decision-detail", args=[decision.uuid]))
        return response

    def _selected(self, review: UtilityReview, numbers: list[int] | None, narrowed: dict | None) -> QuerySet[StagedDer]:
        """The rows by number, all of which must be there, or those still to be decided that a filter lets through."""
        rows = StagedDer.objects.visible_to(self.request.user).of_review(review)
        if numbers is None:
            unknown = set(narrowed) - set(parameters_of(RowFilterSet))
            if unknown:
                raise ValidationError({f"filter.{name}": ["There is no such filter."] for name in sorted(unknown)})
            return filtered(RowFilterSet, narrowed, rows.filter(status__in=DECIDABLE), self.request.user)
        chosen = rows.filter(row_number__in=numbers)
        missing = set(numbers) - set(chosen.values_list("row_number", flat=True))
        if missing:
            raise ValidationError({"rows": [f"Not rows of this review: {', '.join(map(str, sorted(missing)[:20]))}."]})
        return chosen

    def _evidence(self, review: UtilityReview, uuid) -> Document | None:
        if uuid is None:
            return None
        kept = Document.objects.visible_to(self.request.user).filter(kind=Document.Kind.EVIDENCE, owner=review.edc, uuid=uuid).first()
        if kept is None:
            raise ValidationError({"evidence": ["Your utility has no such evidence. Send the file to this review's documents first."]})
        return kept

    @extend_schema(
        request={"multipart/form-data": serializers.EvidenceUpload},
        responses={201: DocumentSerializer},
        summary="Add evidence for a denial",
    )
    @action(detail=True, methods=["post"], parser_classes=[MultiPartParser])
    @idempotent
    def documents(self, request, **kwargs) -> Response:
        review = self.get_object()
        policy.require(request.user, "review_ders", review.edc)
        kept = documents.store(
            actor=request.user, owner=review.edc, counterparty=review.aggregator, kind=Document.Kind.EVIDENCE, upload=file_of(request)
        )
        content = DocumentSerializer.lay(Document.objects.filter(pk=kept.pk))[kept.pk]
        place = request.build_absolute_uri(reverse("api-document-detail", args=[kept.uuid]))
        return Response(content, status=201, headers={"Location": place})

    def lay(self, rows, keys: list) -> list[dict]:
        return filed.lay(rows, keys, self.request.user) if rows.model is StagedDer else super().lay(rows, keys)


class Decisions(Moves):
    """Decisions, newest first. A denial is confirmed or rejected by a second person; a request for information is answered."""

    model = Decision
    serializer_class = serializers.DecisionSerializer
    parser_classes = [JSONParser]
    moves = {"confirm": serializers.Nothing, "reject": Reason, "answer": serializers.Answer}

    def perform(self, actor, obj: Decision, name: str, **said) -> None:
        obj = get_object_or_404(Decision.objects.select_related("review__edc", "review__aggregator"), pk=obj.pk)
        {"confirm": reviewing.confirm_denial, "reject": reviewing.reject_denial, "answer": filing.answer}[name](
            actor=actor, decision=obj, **said
        )
