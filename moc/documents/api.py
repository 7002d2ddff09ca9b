"""API: documents that one's organisations put in or were given."""

from django.http import StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.parsers import MultiPartParser
from rest_framework.response import Response

from moc.access import policy
from moc.documents import services
from moc.documents.models import Document
from moc.documents.views import download
from moc.rest.bodies import file_of
from moc.rest.conditions import idempotent
from moc.rest.resources import Resource
from moc.rest.serializers import Flat, slug_of


class DocumentSerializer(Flat):
    id = serializers.UUIDField(source="uuid")
    owner = slug_of("owner", "the organisation that put it in")
    counterparty = slug_of("counterparty", "the organisation that may read it too", allow_null=True)

    first = serializers.UUIDField(source="first.uuid", allow_null=True, help_text="the document that it is a later version of")

    class Meta:
        model = Document
        fields = ["id", "kind", "name", "size", "sha256", "owner", "counterparty", "created_at", "version", "first", "superseded_at"]


class VersionUpload(serializers.Serializer):
    """A newer version of evidence."""

    file = serializers.FileField()


class Documents(Resource):
    """Documents, newest first. Evidence is added where it belongs, such as at a review, and newer versions of it here."""

    model = Document
    serializer_class = DocumentSerializer

    @extend_schema(responses={(200, "application/octet-stream"): OpenApiTypes.BINARY}, summary="The file itself")
    @action(detail=True, url_path="file", url_name="file")
    def file(self, request, **kwargs) -> StreamingHttpResponse:
        return download(request, get_object_or_404(Document.objects.readable_by(request.user), uuid=kwargs["uuid"]))

    @extend_schema(responses=DocumentSerializer(many=True), summary="Every version of a piece of evidence, newest first")
    @action(detail=True, url_path="versions", url_name="versions", parser_classes=[MultiPartParser], pagination_class=None)
    def versions(self, request, **kwargs) -> Response:
        document = self._evidence()
        rows = Document.objects.readable_by(request.user).versions_of(document)
        laid = DocumentSerializer.lay(rows)
        return Response([laid[pk] for pk in rows.values_list("pk", flat=True)])

    @extend_schema(
        request={"multipart/form-data": VersionUpload},
        responses={201: DocumentSerializer},
        summary="Keep a newer version beside the older ones",
    )
    @versions.mapping.post
    @idempotent
    def supersede(self, request, **kwargs) -> Response:
        document = self._evidence()
        policy.require(request.user, services.PERMISSION, document.owner)
        made = services.supersede(actor=request.user, document=document, upload=file_of(request))
        place = request.build_absolute_uri(reverse("api-document-detail", args=[made.uuid]))
        return Response(DocumentSerializer.lay(Document.objects.filter(pk=made.pk))[made.pk], status=201, headers={"Location": place})

    def _evidence(self) -> Document:
        rows = Document.objects.readable_by(self.request.user).filter(kind=Document.Kind.EVIDENCE)
        return get_object_or_404(rows.select_related("owner"), uuid=self.kwargs["uuid"])
