"""A document is handed to those who may read it, always as a download: nothing that somebody uploaded is shown as a page of ours."""

from django import forms
from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import Http404, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.views.generic import View

from moc.access import policy
from moc.accesslog.models import AccessEntry
from moc.accesslog.services import note
from moc.documents import reports, services
from moc.documents.models import Document
from moc.portal import Detail, Update
from moc.portal.streaming import Tally, streamed

ACCEPTED = ".pdf,.docx,.xlsx,.csv,.txt,.png,.jpg,.jpeg"


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
    suffix = document.name.rpartition(".")[2][:10]
    tally = Tally(f"{document.get_kind_display()}: {document.name}", suffix, holder=document.owner_id, rows=None)
    response = StreamingHttpResponse(streamed(request, chunks, tally), content_type="application/octet-stream", headers=headers)
    response.tally = tally
    return response


class Download(LoginRequiredMixin, View):
    """GET: the file."""

    def get(self, request, *args, **kwargs) -> StreamingHttpResponse:
        return download(request, get_object_or_404(Document.objects.readable_by(request.user), uuid=kwargs["uuid"]))


class VersionForm(forms.Form):
    """A newer version of evidence."""

    file = forms.FileField(
        max_length=200, widget=forms.FileInput(attrs={"accept": ACCEPTED}), help_text="those who read the older one read it too"
    )


class Versions(Detail):
    """Every version of a piece of evidence, and which records rest on which."""

    model = Document
    template_name = "documents/versions.html"
    related = ("owner", "counterparty")

    def get_queryset(self):
        return Document.objects.readable_by(self.request.user).filter(kind=Document.Kind.EVIDENCE)

    def actions(self) -> list[tuple[str, str, bool]]:
        one = self.object
        may = one.superseded_at is None and policy.allows(self.request.user, services.PERMISSION, one.owner)
        return [("New version", reverse("document_version_new", args=[one.uuid]), True)] if may else []

    def facts(self) -> list:
        one = self.object
        shared = str(one.counterparty) if one.counterparty else "nobody else"
        return [("The evidence", [("Version", one.version, None, ""), ("Of", str(one.owner), None, ""), ("Read by", shared, None, "")])]

    def get_context_data(self, **kwargs) -> dict:
        return super().get_context_data(**{"versions": reports.versions(self.object, self.request.user)} | kwargs)


class NewVersion(Update):
    """A newer version, beside the older ones."""

    model = Document
    title = "New version"
    lead = "The older ones stay readable; decisions go on to rest on the version that they were made with."
    permission = services.PERMISSION
    form_class = VersionForm
    submit_label = "Keep the new version"
    success = "The new version is kept."

    def allowed(self) -> bool:
        return self.object.kind == Document.Kind.EVIDENCE and policy.allows(self.request.user, self.permission, self.object.owner)

    def perform(self, form) -> Document:
        return services.supersede(actor=self.request.user, document=self.object, upload=form.cleaned_data["file"])

    def done_url(self, result: Document) -> str:
        return reverse("document_versions", args=[result.uuid])

    def get_context_data(self, **kwargs) -> dict:
        place = reverse("document_versions", args=[self.object.uuid])
        return super().get_context_data(**{"cancel_url": place, "breadcrumbs": [(str(self.object), place), (self.title, "")]} | kwargs)
