"""API of the aggregator's filings: send a table, follow it, mend rows, attest and submit, withdraw."""

from dataclasses import asdict

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.shortcuts import get_object_or_404
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.generics import GenericAPIView
from rest_framework.parsers import JSONParser
from rest_framework.response import Response

from moc.access import policy
from moc.access.models import Organization
from moc.documents.models import Document
from moc.errors import UserError
from moc.jobs.api import JobSerializer
from moc.jobs.models import Job
from moc.portal.paging import Sort
from moc.rest.bodies import TABLES, XLSX, file_of
from moc.rest.conditions import idempotent, key_of, require_match, tag_of, tagged
from moc.rest.permissions import SignedIn
from moc.rest.resources import Moves
from moc.rest.serializers import Reason
from registry.ders.models import Der
from registry.participants.api import OwnerSerializer, Purpose, revealed
from registry.submissions import reports
from registry.submissions.api import rows as filed
from registry.submissions.api import serializers
from registry.submissions.api.members import MemberFilings
from registry.submissions.filters import RowFilterSet, SubmissionFilterSet
from registry.submissions.models import Finding, StagedDer, Submission, UtilityReview
from registry.submissions.personal import StagedOwner
from registry.submissions.services import changes, filing, locks, withdrawing
from registry.utilities.rules import rule_of

TABLE_BODIES = {
    "application/json": serializers.TableEnvelope,
    "multipart/form-data": serializers.TableUpload,
    **dict.fromkeys(("application/x-ndjson", "text/csv", XLSX, "application/gzip"), OpenApiTypes.BINARY),
}
SAID = [
    OpenApiParameter("title", str, description="your own name for the filing"),
    OpenApiParameter("aggregator", str, description="whose filing, by slug; needed by those who file for several"),
]
BY_FINDING = (Sort("row", ("row_number", "id")),)


class Submissions(MemberFilings, Moves):
    """Filings, newest first. POST a table to start one: the answer is 202, its Location the status resource."""

    model = Submission
    serializer_class = serializers.SubmissionSerializer
    filterset_class = SubmissionFilterSet
    tag_by_content = True
    moves = {"submit": serializers.Submit, "withdraw": Reason}

    def get_parsers(self) -> list:
        takes_tables = (
            self.request and self.request.method == "POST" and self.action_map.get("post") in ("create", "correct", "members_file")
        )
        return [parser() for parser in (TABLES if takes_tables else (JSONParser,))]

    @extend_schema(
        request=TABLE_BODIES, parameters=SAID, responses={202: serializers.SubmissionDetailSerializer}, summary="File a table of DERs"
    )
    def create(self, request, **kwargs) -> Response:
        aggregator, key = aggregator_of(request), key_of(request)
        upload = file_of(request)
        submission = filing.receive_file(
            actor=request.user, aggregator=aggregator, upload=upload, title=_said(request, "title"), source="api", idempotency_key=key
        )
        if key:
            _require_same(submission, upload)
        return self._accepted(submission)

    @extend_schema(
        request=serializers.StartChange,
        responses={201: serializers.SubmissionDetailSerializer},
        summary="Start a change of registered DERs, as a draft",
    )
    @action(detail=False, methods=["post"], url_path="changes", url_name="changes")
    @idempotent
    def changes(self, request, **kwargs) -> Response:
        aggregator = aggregator_of(request)
        body = serializers.StartChange(data=request.data)
        body.is_valid(raise_exception=True)
        said = body.validated_data
        values = {each["der"]: each["values"] for each in said["rows"]}
        ders = Der.objects.visible_to(request.user, "file_ders").filter(uuid__in={*said["ders"], *values})
        keys = dict(ders.order_by().values_list("uuid", "pk"))
        submission = changes.start(
            actor=request.user,
            aggregator=aggregator,
            ders=Der.objects.filter(pk__in=keys.values()),
            values={keys[uuid]: columns for uuid, columns in values.items() if uuid in keys},
            source="api",
            **{name: said[name] for name in ("kind", "reason", "day")},
        )
        return self.answer(submission, status=201)

    def _accepted(self, submission: Submission) -> Response:
        response = self.answer(submission, status=202)
        response["Location"] = self.request.build_absolute_uri(reverse("api-submission-detail", args=[submission.uuid]))
        return response

    @extend_schema(responses=serializers.SubmissionDetailSerializer)
    def retrieve(self, request, **kwargs) -> Response:
        return super().retrieve(request, **kwargs)

    def content(self, obj: Submission) -> dict:
        user = self.request.user
        job = JobSerializer.lay(Job.objects.filter(pk=obj.job_id)).get(obj.job_id) if obj.job_id else None
        counts = reports.counts(obj, user)
        found = Finding.objects.visible_to(user).filter(submission=obj).counts_by_rule()
        reviews = UtilityReview.objects.visible_to(user).filter(submission=obj)
        return super().content(obj) | {
            "job": job,
            "unknown_columns": obj.sheet.get("unknown", []),
            "counts": {"good": counts.good, **asdict(counts)},
            "findings_by_rule": [_rule_count(*row) for row in found],
            "reviews": list(serializers.ReviewSerializer.lay(reviews).values()),
        }

    def hold(self, obj: Submission) -> Submission:
        return locks.whole_of(obj)

    def perform(self, actor, obj: Submission, name: str, **said) -> None:
        {"submit": filing.submit, "withdraw": withdrawing.withdraw}[name](actor=actor, submission=obj, **said)

    @extend_schema(responses=serializers.FindingSerializer(many=True), summary="What the rules found, row by row")
    @action(
        detail=True,
        model=Finding,
        serializer_class=serializers.FindingSerializer,
        filterset_class=None,
        sorts=BY_FINDING,
    )
    def findings(self, request, **kwargs) -> Response:
        return self.page(Finding.objects.filter(submission=self.get_object()))

    @extend_schema(responses=serializers.RowSerializer(many=True), summary="The filed rows")
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
        return self.page(StagedDer.objects.filter(submission=self.get_object()))

    @extend_schema(
        request=TABLE_BODIES,
        responses={202: serializers.SubmissionDetailSerializer},
        summary="File corrected rows into a draft, by external_id",
    )
    @rows_of.mapping.post
    @idempotent
    def correct(self, request, **kwargs) -> Response:
        submission = self.get_object()
        policy.require(request.user, "file_ders", submission)
        upload = file_of(request)
        with transaction.atomic():
            self.require_match(submission)
            filing.receive_file(actor=request.user, aggregator=submission.aggregator, upload=upload, source="api", submission=submission)
        return self._accepted(self.get_object())

    @extend_schema(responses=serializers.RowSerializer, summary="One filed row")
    @action(detail=True, url_path="rows/<int:row>", url_name="row")
    def row(self, request, row: int, **kwargs) -> Response:
        content = filed.one(self._row(row), request.user)
        return tagged(request, content, tag_of(0, content))

    @extend_schema(request=Purpose, responses=OwnerSerializer, summary="The owner of a row in full, for a purpose; the look is logged")
    @action(detail=True, methods=["post"], url_path="rows/<int:row>/owner/reveal", url_name="row-owner-reveal")
    def reveal(self, request, row: int, **kwargs) -> Response:
        owners = StagedOwner.objects.visible_to(request.user, "view_personal").select_related("row")
        return revealed(request, get_object_or_404(owners, row=self._row(row)))

    @extend_schema(request=serializers.RowValues, responses=serializers.RowSerializer, summary="Mend a row of a draft")
    @row.mapping.patch
    def mend(self, request, row: int, **kwargs) -> Response:
        found = self._row(row)
        policy.require(request.user, "file_ders", found.submission.aggregator)
        body = serializers.RowValues(data=request.data, partial=True)
        body.is_valid(raise_exception=True)
        filing.save_row(actor=request.user, submission=found.submission, values=body.validated_data, row=found, meant=self._meant)
        content = filed.one(found, request.user)
        return tagged(request, content, tag_of(0, content))

    @extend_schema(request=None, responses={204: None}, summary="Take a row out of a draft")
    @row.mapping.delete
    def remove(self, request, row: int, **kwargs) -> Response:
        found = self._row(row)
        policy.require(request.user, "file_ders", found.submission.aggregator)
        filing.remove_row(actor=request.user, row=found, meant=self._meant)
        return Response(status=204)

    def _row(self, number: int) -> StagedDer:
        rows = StagedDer.objects.visible_to(self.request.user).select_related("submission__aggregator")
        return get_object_or_404(rows, submission=self.get_object(), row_number=number)

    def _meant(self, row: StagedDer) -> None:
        """The row, locked, is in the version that the client means."""
        content = filed.one(row, self.request.user)
        require_match(self.request, tag_of(0, content), content)

    def lay(self, rows, keys: list) -> list[dict]:
        if rows.model is StagedDer:
            return filed.lay(rows, keys, self.request.user)
        laid = super().lay(rows, keys)
        return [each | _words(each["code"]) for each in laid] if rows.model is Finding else laid


class AttestationInForce(GenericAPIView):
    """The attestation in force."""

    permission_classes = [SignedIn]
    serializer_class = serializers.Attestation

    def get(self, request) -> Response:
        version, text, digest = filing.attestation()
        return Response({"version": version, "text": text, "sha256": digest})


def _said(request, name: str) -> str:
    """What an envelope, a form or the query string says."""
    value = request.data.get(name) or request.query_params.get(name) or ""
    if not isinstance(value, str):
        raise ValidationError({name: ["This is a text."]})
    return value


def aggregator_of(request) -> Organization:
    """In whose name the caller files: the one that is named, or the only one that there is."""
    mine = Organization.objects.filter(pk__in=policy.reach(request.user, "file_ders"), kind=Organization.Kind.AGGREGATOR)
    known = {organization.slug: organization for organization in mine.order_by("slug")}
    if not known:
        raise policy.NotPermitted("You may not file DERs.")
    wanted = _said(request, "aggregator") or (next(iter(known)) if len(known) == 1 else "")
    if wanted not in known:
        raise ValidationError({"aggregator": [f"Name one of those that you file for: {', '.join(known)}."]})
    return known[wanted]


def _require_same(submission: Submission, upload: UploadedFile) -> None:
    """A key that was used for another file is a mistake of the client, not a repetition."""
    first = submission.history.filter(history_type="+").values_list("document_id", flat=True).first()
    if Document.objects.filter(pk=first).exclude(sha256=upload.sha256).exists():
        raise UserError("This Idempotency-Key was used for another file.", "Use a new key for a new file.", "IDEMPOTENCY-KEY")


def _words(code: str) -> dict:
    rule = rule_of(code)
    return {"sentence": rule.sentence, "remedy": rule.remedy, "cites": rule.cites}


def _rule_count(code: str, severity: str, findings: int, rows: int) -> dict:
    rule = rule_of(code)
    return {"code": code, "severity": severity, "findings": findings, "rows": rows, "sentence": rule.sentence, "remedy": rule.remedy}
