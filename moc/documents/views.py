"""A document is handed to those who may read it, always as a download: nothing that somebody uploaded is shown as a page of ours."""

from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import Http404, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.utils.http import content_disposition_header
from django.views.generic import View

from moc.accesslog.models import AccessEntry
from moc.accesslog.services import note
from moc.documents import services
from moc.documents.models import Document
from moc.portal.streaming import streamed


def download(request, document: Document) -> StreamingHttpResponse:
    """The file, opened while it is sent. Filings name people: reading one back is a look at personal data, and is written down."""
    try:
        chunks = services.plain(document)
    except (FileNotFoundError, services.Destroyed):
        raise Http404("The file is gone.") from None
    if document.kind == Document.Kind.UPLOAD:
        note(
            actor=request.user,
            holder=document.owner_id,
            filed_by=document.owner_id,
            record=f"Uploaded file {document.uuid}",
            subject=document.key,
            columns=["file"],
            purpose=AccessEntry.Purpose.MEND,
        )
    headers = {
        "Content-Disposition": content_disposition_header(True, document.name),
        "Content-Length": str(document.size),
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
    }
    return StreamingHttpResponse(streamed(request, chunks), content_type="application/octet-stream", headers=headers)


class Download(LoginRequiredMixin, View):
    """GET: the file."""

    def get(self, request, *args, **kwargs) -> StreamingHttpResponse:
        return download(request, get_object_or_404(Document.objects.readable_by(request.user), uuid=kwargs["uuid"]))
