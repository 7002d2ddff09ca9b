"""API: the caller's background work."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.response import Response

from moc.jobs import services
from moc.jobs.models import Job
from moc.rest.conditions import idempotent
from moc.rest.resources import Resource
from moc.rest.serializers import Flat

FIELDS = "id title status phase done total outcome error cancel_requested created_at ended_at".split()


class JobSerializer(Flat):
    """How far a job is: `done` of `total` in the units of its phase (total is null while nobody knows it)."""

    id = serializers.UUIDField(source="uuid")
    outcome = serializers.JSONField(help_text="what came of it; for a failure its code and remedy")

    class Meta:
        model = Job
        fields = FIELDS


class Jobs(Resource):
    """Your jobs, newest first."""

    model = Job
    serializer_class = JobSerializer

    @extend_schema(request=None, responses=JobSerializer, summary="Ask a job to stop")
    @action(detail=True, methods=["post"])
    @idempotent
    def cancel(self, request, **kwargs) -> Response:
        job = self.get_object()
        services.cancel(actor=request.user, job=job)
        return self.answer(self.get_object())
