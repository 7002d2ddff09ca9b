"""A document is handed to those who may read it, always as a download: nothing that somebody uploaded is shown as a page of ours."""

from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import FileResponse, Http404
from django.shortcuts import get_object_or_404
from django.views.generic import View

from moc.documents.models import Document
from moc.portal.streaming import streamed


class Download(LoginRequiredMixin, View):
    """GET: the file."""

    def get(self, request, *args, **kwargs) -> FileResponse:
        document = get_object_or_404(Document.objects.readable_by(request.user), uuid=kwargs["uuid"])
        try:
            file = document.file.open("rb")
        except FileNotFoundError:
            raise Http404("The file is gone.") from None
        answer = FileResponse(file, as_attachment=True, filename=document.name, content_type="application/octet-stream")
        answer.headers["X-Content-Type-Options"] = "nosniff"
        answer.streaming_content = streamed(request, file.chunks())
        return answer
