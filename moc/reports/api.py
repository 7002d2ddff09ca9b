"""API: reports are defined, run and fetched; ready-made ones run by their code."""

from django.db import transaction
from django.shortcuts import get_object_or_404
from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.response import Response

from moc.access import policy
from moc.access.models import Organization
from moc.reports import services
from moc.reports.models import PERMISSION, Format, ReportDefinition, ReportRun
from moc.rest.conditions import idempotent
from moc.rest.resources import Moves, Resource
from moc.rest.serializers import Flat, Reason, moves, slug_of


class ReportSerializer(Flat):
    """A saved report; `spec` is its definition: columns, filters, group, measures, sort, chart, as_of, valid_on, or parameters."""

    id = serializers.UUIDField(source="uuid")
    organization = slug_of("organization")
    spec = serializers.JSONField()
    ways = serializers.ListField(child=serializers.CharField())

    class Meta:
        model = ReportDefinition
        fields = ["id", "organization", "name", "about", "source", "spec", "is_shared", "status", "format", "every", "ways", "next_at"]


class ReportRunSerializer(Flat):
    """One run of a report, and the file that came of it."""

    id = serializers.UUIDField(source="uuid")
    report = serializers.UUIDField(source="definition.uuid", allow_null=True)
    organization = slug_of("organization")
    spec = serializers.JSONField()
    document = serializers.UUIDField(source="document.uuid", allow_null=True, help_text="fetch its file below documents/")
    sha256 = serializers.CharField(source="document.sha256", allow_null=True)
    seal = serializers.IntegerField(source="seal.number", allow_null=True, help_text="the last seal before it was read")
    job = serializers.UUIDField(source="job.uuid", allow_null=True, help_text="follow it below jobs/")

    class Meta:
        model = ReportRun
        fields = ["id", "report", "organization", "title", "source", "spec", "format", "row_count"]
        fields += ["document", "sha256", "read_at", "seal", "job", "created_at"]


class ChangedReport(serializers.Serializer):
    """How a report is called, what it asks, and when it runs."""

    name = serializers.CharField(max_length=120)
    about = serializers.CharField(max_length=1000, required=False, allow_blank=True, default="")
    spec = serializers.DictField(help_text="columns, filters, group, measures, sort, chart, as_of, valid_on; or parameters")
    is_shared = serializers.BooleanField(default=True)
    format = serializers.ChoiceField(choices=Format.choices, default=Format.XLSX)
    every = serializers.ChoiceField(choices=ReportDefinition.Every.choices, allow_blank=True, default="")
    ways = serializers.ListField(child=serializers.ChoiceField(choices=ReportDefinition.Way.choices), default=list)


class NewReport(ChangedReport):
    """A report of an organisation."""

    organization = serializers.SlugField(help_text="the organisation's slug")
    source = serializers.SlugField(max_length=60, help_text="a dataset or ready-made report")


class Written(serializers.Serializer):
    """In which format; none: the report's own."""

    format = serializers.ChoiceField(choices=Format.choices, required=False)


class NewRun(serializers.Serializer):
    """A run of a ready-made report."""

    organization = serializers.SlugField(help_text="the organisation's slug")
    source = serializers.SlugField(max_length=60, help_text="a ready-made report")
    parameters = serializers.DictField(child=serializers.CharField(max_length=40), default=dict)
    format = serializers.ChoiceField(choices=Format.choices, default=Format.CSV)


def organization_of(user, slug: str) -> Organization:
    """One for which the user may run reports; 404 for another."""
    return get_object_or_404(Organization.objects.filter(pk__in=policy.reach(user, PERMISSION)), slug=slug)


def accepted(view, made: ReportRun) -> Response:
    """202 with the run, and its address."""
    content = ReportRunSerializer.lay(ReportRun.objects.filter(pk=made.pk))[made.pk]
    response = Response(content, status=202)
    response["Location"] = view.request.build_absolute_uri(reverse("api-report-run-detail", args=[made.uuid]))
    return response


class Reports(Moves):
    """Your reports, and those shared with your organisation."""

    model = ReportDefinition
    permission = PERMISSION
    serializer_class = ReportSerializer
    moves = dict.fromkeys(moves(ReportDefinition.lifecycle), Reason)

    def perform(self, actor, obj, name: str, reason: str = "") -> None:
        services.move(actor=actor, definition=obj, name=name, reason=reason)

    @extend_schema(request=NewReport, responses={201: ReportSerializer}, summary="Save a report")
    @idempotent
    def create(self, request, **kwargs) -> Response:
        body = NewReport(data=request.data)
        body.is_valid(raise_exception=True)
        said = dict(body.validated_data)
        organization = organization_of(request.user, said.pop("organization"))
        made = services.define(actor=request.user, organization=organization, **said)
        return self.answer(made, status=201)

    @extend_schema(request=ChangedReport, responses=ReportSerializer, summary="Change a report")
    def update(self, request, **kwargs) -> Response:
        report = self.get_object()
        body = ChangedReport(data=request.data)
        body.is_valid(raise_exception=True)
        with transaction.atomic():
            services.change(actor=request.user, definition=self.require_match(report), **body.validated_data)
        return self.answer(report)

    @extend_schema(request=Written, responses={202: ReportRunSerializer}, summary="Run a report now")
    @action(detail=True, methods=["post"])
    @idempotent
    def run(self, request, **kwargs) -> Response:
        report = self.get_object()
        body = Written(data=request.data)
        body.is_valid(raise_exception=True)
        return accepted(self, services.run(actor=request.user, definition=report, **body.validated_data))


class ReportRuns(Resource):
    """Runs of reports, newest first. POST runs a ready-made one: the answer is 202, its Location the status resource."""

    model = ReportRun
    permission = PERMISSION
    serializer_class = ReportRunSerializer

    @extend_schema(request=NewRun, responses={202: ReportRunSerializer}, summary="Run a ready-made report")
    @idempotent
    def create(self, request, **kwargs) -> Response:
        body = NewRun(data=request.data)
        body.is_valid(raise_exception=True)
        said = dict(body.validated_data)
        organization = organization_of(request.user, said.pop("organization"))
        return accepted(self, services.run_ready(actor=request.user, organization=organization, **said))
