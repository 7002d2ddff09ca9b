"""API of the utility's reviews: the queue, the rows, decisions by number or by filter, evidence, four eyes, answers."""

from django.db import transaction
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.http import urlencode
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.parsers import JSONParser, MultiPartParser
from rest_framework.response import Response

from moc.access import policy, presence
from moc.documents import services as documents
from moc.documents.api import DocumentSerializer
from moc.documents.models import Document
from moc.jobs.api import JobSerializer
from moc.jobs.models import Job
from moc.portal.paging import Sort
from moc.rest.bodies import TABLES, XLSX, file_of
from moc.rest.conditions import idempotent, tag_of, tagged
from moc.rest.letters import letter
from moc.rest.pages import filtered, parameters_of
from moc.rest.resources import Moves, Resource
from moc.rest.schema import MATCHED
from moc.rest.serializers import Reason
from registry.submissions import reports
from registry.submissions.api import rows as filed
from registry.submissions.api import serializers
from registry.submissions.filters import DECIDABLE, ReviewFilterSet, RowFilterSet
from registry.submissions.models import Decision, StagedDer, UtilityReview
from registry.submissions.services import bulk_decisions, classifying, decision_files, filing, locks, reviewing
from registry.submissions.views.reviewing import Letter

DECISION_FILE = {
    "multipart/form-data": serializers.DecisionUpload,
    **dict.fromkeys(("text/csv", "application/json", "application/x-ndjson", XLSX, "application/gzip"), OpenApiTypes.BINARY),
}
BY_DUE_DATE = (Sort("due_at", ("due_at", "id")), Sort("-due_at", ("-due_at", "-id")))


class Reviews(Resource):
    """Reviews, by due date; without a status filter those that are not closed."""

    model = UtilityReview
    serializer_class = serializers.ReviewSerializer
    filterset_class = ReviewFilterSet
    sorts = BY_DUE_DATE
    tag_by_content = True

    def rows(self) -> QuerySet:
        rows = super().rows()
        return rows if self.request.query_params.get("status") else rows.exclude(status=UtilityReview.Status.CLOSED)

    @extend_schema(responses=serializers.ReviewDetailSerializer)
    def retrieve(self, request, **kwargs) -> Response:
        return super().retrieve(request, **kwargs)

    def content(self, obj: UtilityReview) -> dict:
        counted = {status: number for status, _, number in reports.statuses(obj, self.request.user)}
        return super().content(obj) | {"rows_by_status": counted}

    def content_of(self, version) -> dict:
        return super().content_of(version) | {"rows_by_status": None}

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

    @extend_schema(
        request=Reason,
        responses=serializers.ReviewDetailSerializer,
        parameters=[MATCHED],
        summary="Review the unchanged DERs of its aggregations too",
    )
    @action(detail=True, methods=["post"])
    @idempotent
    def scope(self, request, **kwargs) -> Response:
        review = self.get_object()
        body = Reason(data=request.data)
        body.is_valid(raise_exception=True)
        policy.require(request.user, "review_ders", review.edc)
        with transaction.atomic():
            classifying.widen(actor=request.user, review=self.require_match(review), reason=body.validated_data["reason"])
        return self.answer(self.get_object())

    @extend_schema(responses=serializers.DecisionSerializer(many=True), summary="The decisions on this review")
    @action(detail=True, model=Decision, serializer_class=serializers.DecisionSerializer, filterset_class=None, sorts=Resource.sorts)
    def decisions(self, request, **kwargs) -> Response:
        return self.page(Decision.objects.filter(review=self.get_object()))

    @extend_schema(
        request=serializers.Decide,
        responses={201: serializers.DecisionSerializer, 202: JobSerializer},
        summary="Decide rows of this review; more than 2,000 rows are decided by a job",
    )
    @decisions.mapping.post
    @idempotent
    def decide(self, request, **kwargs) -> Response:
        review = self.get_object()
        policy.require(request.user, "review_ders", review.edc)
        body = serializers.Decide(data=request.data)
        body.is_valid(raise_exception=True)
        terms = dict(body.validated_data)
        if terms["kind"] == Decision.Kind.DENY:
            presence.demand(request)
        rows, selection = self._selected(review, terms.pop("rows", None), terms.pop("filter", None))
        evidence, number = self._evidence(review, terms.pop("evidence")), rows.count()
        if number > bulk_decisions.AT_ONCE:
            limits = [terms[name] for name in ("export_limit_kw", "import_limit_kw", "temporal_limits")]
            reviewing.require_complete(terms["kind"], terms["statement"], terms["reason_code"], evidence, tuple(limits))
            plans = [bulk_decisions.Plan(terms, selection, number)]
            return self._job(bulk_decisions.enqueue_decision(actor=request.user, review=review, plans=plans, evidence=evidence))
        decision = reviewing.decide(actor=request.user, review=review, rows=rows, evidence=evidence, **terms)
        content = serializers.DecisionSerializer.lay(Decision.objects.filter(pk=decision.pk))[decision.pk]
        latest = decision.history.order_by("-history_date", "-history_id").values_list("history_id", flat=True).first()
        response = tagged(request, content, tag_of(latest), status=201)
        response["Location"] = request.build_absolute_uri(reverse("api-decision-detail", args=[decision.uuid]))
        return response

    def _job(self, job: Job) -> Response:
        """202 with the job that decides."""
        place = self.request.build_absolute_uri(reverse("api-job-detail", args=[job.uuid]))
        return Response(JobSerializer.lay(Job.objects.filter(pk=job.pk))[job.pk], status=202, headers={"Location": place})

    def _selected(self, review: UtilityReview, numbers: list[int] | None, narrowed: dict | None) -> tuple[QuerySet[StagedDer], dict]:
        """The rows by number, all of which must be there, or those still to be decided behind a filter; and how a job finds them."""
        if numbers is None:
            unknown = set(narrowed) - set(parameters_of(RowFilterSet))
            if unknown:
                raise ValidationError({f"filter.{name}": ["There is no such filter."] for name in sorted(unknown)})
            rows = StagedDer.objects.visible_to(self.request.user).of_review(review).filter(status__in=DECIDABLE)
            return filtered(RowFilterSet, narrowed, rows, self.request.user), {"filter": urlencode(narrowed)}
        rows = StagedDer.objects.visible_to(self.request.user).of_review(review).filter(row_number__in=numbers)
        missing = set(numbers) - set(rows.values_list("row_number", flat=True))
        if missing:
            raise ValidationError({"rows": [f"Not rows of this review: {', '.join(map(str, sorted(missing)[:20]))}."]})
        return rows, {"rows": sorted(set(numbers))}

    def _evidence(self, review: UtilityReview, uuid) -> Document | None:
        if uuid is None:
            return None
        kept = Document.objects.visible_to(self.request.user).filter(kind=Document.Kind.EVIDENCE, owner=review.edc, uuid=uuid).first()
        if kept is None:
            raise ValidationError({"evidence": ["Your utility has no such evidence. Send the file to this review's documents first."]})
        if kept.superseded_at is not None:
            raise ValidationError({"evidence": ["A newer version took the place of this one. Name the latest version."]})
        return kept

    @extend_schema(
        request=DECISION_FILE,
        responses={201: serializers.DecisionSerializer(many=True), 202: JobSerializer},
        summary="Carry out a decision file as one: all its decisions, or none",
    )
    @action(detail=True, methods=["post"], url_path="decision-file", url_name="decision-file", parser_classes=TABLES, pagination_class=None)
    @idempotent
    def decision_file(self, request, **kwargs) -> Response:
        review = self.get_object()
        policy.require(request.user, "review_ders", review.edc)
        presence.demand(request)
        upload, evidence = file_of(request), request.FILES.get("evidence")
        outcome = decision_files.decide_by_file(actor=request.user, review=review, upload=upload, evidence_upload=evidence)
        if outcome.job:
            return self._job(outcome.job)
        made = Decision.objects.filter(pk__in=[decision.pk for decision in outcome.decisions])
        return Response(list(serializers.DecisionSerializer.lay(made).values()), status=201)

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


def _its_review(decision: Decision) -> dict:
    """The address of a decision's page."""
    return {"uuid": decision.review.uuid, "decision": decision.uuid}


class Decisions(Moves):
    """Decisions, newest first. A denial is confirmed or rejected by a second person; a request for information is answered."""

    model = Decision
    serializer_class = serializers.DecisionSerializer
    parser_classes = [JSONParser]
    moves = {"confirm": serializers.Nothing, "reject": Reason, "answer": serializers.Answer}
    letter = letter(Letter, "The utility's letter about the decision, as PDF", _its_review)

    def hold(self, obj: Decision) -> Decision:
        return locks.decision_of(obj)

    def perform(self, actor, obj: Decision, name: str, **said) -> None:
        obj = get_object_or_404(Decision.objects.select_related("review__edc", "review__aggregator"), pk=obj.pk)
        {"confirm": reviewing.confirm_denial, "reject": reviewing.reject_denial, "answer": filing.answer}[name](
            actor=actor, decision=obj, **said
        )
