"""API: documents that one's organisations put in or were given."""

from django.http import StreamingHttpResponse
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action

from moc.documents.models import Document
from moc.documents.views import download
from moc.rest.resources import Resource
from moc.rest.serializers import Flat, slug_of


class DocumentSerializer(Flat):
    id = serializers.UUIDField(source="uuid")
    owner = slug_of("owner", "the organisation that put it in")
    counterparty = slug_of("counterparty", "the organisation that may read it too", allow_null=True)

    class Meta:
        model = Document
        fields = ["id", "kind", "name", "size", "sha256", "owner", "counterparty", "created_at"]


class Documents(Resource):
    """Documents, newest first. Evidence is added where it belongs: at a review."""

    model = Document
    serializer_class = DocumentSerializer

    @extend_schema(responses={(200, "application/octet-stream"): OpenApiTypes.BINARY}, summary="The file itself")
    @action(detail=True, url_path="file", url_name="file")
    def file(self, request, **kwargs) -> StreamingHttpResponse:
        return download(request, get_object_or_404(Document.objects.readable_by(request.user), uuid=kwargs["uuid"]))
