"""The aggregator's pages: the list of submissions, starting one, uploading, attesting, withdrawing, answering."""

from collections.abc import Iterator
from contextlib import ExitStack

from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.db import transaction
from django.http import Http404, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.functional import cached_property
from django.views.generic import View

from moc.access import policy
from moc.accesslog.models import AccessEntry
from moc.accesslog.services import note
from moc.documents.services import Destroyed, plain_path
from moc.portal import Create, List, Page, Sort, Transition, Update
from moc.portal.changes import REFUSALS
from moc.portal.shell import url_of
from moc.portal.streaming import Tally, streamed
from moc.portal.versions import Held
from moc.readers import annotate
from registry.submissions import blanks, reports
from registry.submissions.filters import SubmissionFilterSet
from registry.submissions.forms.filing import CorrectionForm, DraftForm, SubmitForm, UploadForm
from registry.submissions.models import Decision, Submission
from registry.submissions.services import filing, locks, staging, withdrawing
from registry.submissions.tables import SUBMISSION_TABLE
from registry.submissions.views.detail import SUBMISSIONS


class SubmissionList(List):
    """Every submission within reach, newest first."""

    model = Submission
    title = "Submissions"
    noun = "submissions"
    table = SUBMISSION_TABLE
    filterset_class = SubmissionFilterSet
    sorts = (Sort("-id", ("-id",)), Sort("id", ("id",)))
    counts_filtered = True

    def actions(self) -> list[tuple[str, str, bool]]:
        may = policy.allows(self.request.user, "file_ders")
        return [("New filing", reverse("registry:submission_new"), True)] if may else []

    def get_context_data(self, **kwargs) -> dict:
        shown = {"empty_text": "", "empty_url": reverse("registry:submission_new") if self.actions() else "", "empty_action": "New filing"}
        return super().get_context_data(**shown | kwargs)


class Filing(Page):
    """A page for those who file."""

    permission = "file_ders"
    parents = SUBMISSIONS

    def dispatch(self, request, *args, **kwargs) -> HttpResponse:
        if request.user.is_authenticated and not policy.allows(request.user, "file_ders"):
            raise Http404
        return super().dispatch(request, *args, **kwargs)


class NewFiling(Filing):
    """The three doors: form, file, API."""

    title = "New filing"
    lead = "The same rules check a form, a file and a call of the API. Nothing reaches a utility before you attest and submit it."
    template_name = "registry/submissions/new.html"

    def get_context_data(self, **kwargs) -> dict:
        shown = {
            "api_url": url_of("api_docs"),
            "dictionary_url": url_of("help_dictionary"),
            "public_url": self.request.build_absolute_uri("/"),
        }
        return super().get_context_data(**shown | kwargs)


class StartDraft(Create):
    """A draft for rows typed into the form."""

    title = "File by form"
    permission = "file_ders"
    parents = (*SUBMISSIONS, ("New filing", "registry:submission_new"))
    form_class = DraftForm
    submit_label = "Start with the first DER"

    def get_form_kwargs(self) -> dict:
        return {"user": self.request.user}

    def perform(self, form) -> Submission:
        return filing.create_draft(actor=self.request.user, aggregator=form.cleaned_data["aggregator"], title=form.cleaned_data["title"])

    def done_url(self, result: Submission) -> str:
        return reverse("registry:submission_row_new", args=[result.uuid])


class Upload(Create):
    """A file of DERs, read in the background."""

    title = "Upload a file"
    permission = "file_ders"
    parents = (*SUBMISSIONS, ("New filing", "registry:submission_new"))
    form_class = UploadForm
    submit_label = "Upload and check"
    template_name = "registry/submissions/upload.html"

    def get_form_kwargs(self) -> dict:
        return {"user": self.request.user}

    def perform(self, form) -> Submission:
        given = form.cleaned_data
        return filing.receive_file(actor=self.request.user, aggregator=given["aggregator"], upload=given["file"], title=given["title"])

    def done_url(self, result: Submission) -> str:
        return reverse("registry:submission_detail", args=[result.uuid])

    def get_context_data(self, **kwargs) -> dict:
        return super().get_context_data(**{"dictionary_url": url_of("help_dictionary")} | kwargs)


class FilingTemplate(LoginRequiredMixin, View):
    """An empty table with the header, an example and the data dictionary."""

    suffix = "csv"

    def get(self, request, *args, **kwargs) -> HttpResponse:
        content, kind = blanks.WRITERS[self.suffix]
        headers = {"Content-Disposition": f'attachment; filename="der-filing.{self.suffix}"'}
        return HttpResponse(content(), content_type=kind, headers=headers)


class Act(Held, LoginRequiredMixin, View):
    """POST: one act on one visible object in the version that was seen, by a service; then back to a page with a message."""

    http_method_names = ["post"]
    model = Submission
    key = "uuid"
    related: tuple[str, ...] = ()
    success = ""

    def perform(self, obj) -> None:
        raise NotImplementedError

    def done_url(self, obj) -> str:
        return reverse("registry:submission_detail", args=[obj.uuid])

    def get_object(self):
        rows = self.model.objects.visible_to(self.request.user).select_related(*self.related)
        return get_object_or_404(rows, **{self.key: self.kwargs[self.key]})

    def post(self, request, *args, **kwargs) -> HttpResponse:
        obj = self.get_object()
        url = self.done_url(obj)
        try:
            with transaction.atomic():
                self.require_opened(obj)
                self.perform(obj)
        except REFUSALS as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, self.success)
        return HttpResponseRedirect(url)


class CancelReading(Act):
    """Stop reading a file."""

    versioned = False  # the job ends, the submission's facts stay
    related = ("aggregator", "job")
    success = "Reading was asked to stop; nothing of the file is kept as rows."

    def perform(self, obj: Submission) -> None:
        filing.cancel_reading(actor=self.request.user, submission=obj)


class SubmissionTransition(Transition):
    """Withdrawal, the only move that is a button; submitting has its own page."""

    model = Submission
    detail_url = "registry:submission_detail"

    def move(self, actor, obj: Submission, name: str, reason: str) -> None:
        if name != "withdraw":
            raise Http404
        withdrawing.withdraw(actor=actor, submission=obj, reason=reason)

    def hold(self, obj: Submission) -> Submission:
        return locks.whole_of(obj)


class OfSubmission(Update):
    """A form about one submission."""

    model = Submission
    permission = "file_ders"

    @cached_property
    def object(self) -> Submission:
        return get_object_or_404(self.get_queryset().select_related("aggregator", "job"), uuid=self.kwargs["uuid"])

    def allowed(self) -> bool:
        return policy.allows(self.request.user, self.permission, self.object.aggregator)

    def hold(self, obj: Submission) -> Submission:
        return locks.submission_of(obj)

    def done_url(self, result) -> str:
        return reverse("registry:submission_detail", args=[self.object.uuid])

    def get_context_data(self, **kwargs) -> dict:
        url = self.done_url(self.object)
        trail = [("Submissions", reverse("registry:submission_list")), (self.object.title, url), (self.get_title(), "")]
        return super().get_context_data(**{"object": self.object, "cancel_url": url, "breadcrumbs": trail} | kwargs)


class Correct(OfSubmission):
    """A file with corrected rows for a draft."""

    title = "Upload corrected rows"
    lead = "Rows are replaced by their external_id; all rules are checked again."
    form_class = CorrectionForm
    submit_label = "Upload and check"

    def perform(self, form) -> Submission:
        return filing.receive_file(
            actor=self.request.user, aggregator=self.object.aggregator, upload=form.cleaned_data["file"], submission=self.object
        )


class Submit(OfSubmission):
    """The attestation in full, and the submission."""

    title = "Attest and submit"
    permission = "submit_ders"
    form_class = SubmitForm
    submit_label = "Attest and submit"
    template_name = "registry/submissions/submit.html"

    @cached_property
    def counts(self) -> reports.Counts:
        return reports.counts(self.object, self.request.user)

    def get_form_kwargs(self) -> dict:
        version, _, _ = filing.attestation()
        return {"good": self.counts.good, "bad": self.counts.bad, "initial": {"attestation_version": version}}

    def perform(self, form) -> Submission:
        return filing.submit(
            actor=self.request.user,
            submission=self.object,
            attestation_version=form.cleaned_data["attestation_version"],
            only_good=form.cleaned_data["rows"] == SubmitForm.GOOD,
        )

    def done_url(self, result: Submission) -> str:
        if self.request.method == "POST" and isinstance(result, Submission) and result is not self.object:
            self._say(result)
        return super().done_url(result)

    def _say(self, result: Submission) -> None:
        if result.status == Submission.Status.RETURNED:
            messages.warning(self.request, "The completeness check found new errors: the submission is returned. See the findings below.")
        else:
            messages.success(self.request, "Submitted. Each utility reviews its own DERs.")

    def get_context_data(self, **kwargs) -> dict:
        version, text, digest = filing.attestation()
        stale = self.object.checked_at is None
        shown = {"version": version, "attestation": text, "digest": digest, "counts": self.counts, "stale": stale}
        return super().get_context_data(**shown | kwargs)


class Answer(Act):
    """The answer to a request for information."""

    model = Decision
    related = ("review__submission", "review__aggregator", "review__edc")
    success = "Your answer was sent to the utility."

    def hold(self, obj: Decision) -> Decision:
        return locks.decision_of(obj)

    def get_object(self) -> Decision:
        rows = Decision.objects.visible_to(self.request.user).select_related(*self.related)
        return get_object_or_404(rows, uuid=self.kwargs["decision"], review__submission__uuid=self.kwargs["uuid"])

    def perform(self, obj: Decision) -> None:
        filing.answer(actor=self.request.user, decision=obj, text=self.request.POST.get(f"answer-{obj.uuid}-text", "")[:4000])

    def done_url(self, obj: Decision) -> str:
        return reverse("registry:submission_detail", args=[obj.review.submission.uuid])


class Annotated(LoginRequiredMixin, View):
    """The aggregator's own file with the findings in two added columns, streamed."""

    def get(self, request, *args, **kwargs) -> StreamingHttpResponse:
        rows = Submission.objects.visible_to(request.user).select_related("document", "aggregator")
        submission = get_object_or_404(rows.exclude(document=None), uuid=kwargs["uuid"])
        if not policy.allows(request.user, "file_ders", submission.aggregator):
            raise Http404
        document, opened = submission.document, ExitStack()
        try:
            path = opened.enter_context(plain_path(document))
        except (FileNotFoundError, Destroyed):
            raise Http404("The file is gone.") from None
        note(
            actor=request.user,
            holder=submission.aggregator_id,
            filed_by=submission.aggregator_id,
            record=f"File of submission {submission.uuid} with its findings",
            subject=document.key,
            columns=["file"],
            purpose=AccessEntry.Purpose.MEND,
        )
        blocks = _annotated(opened, path, submission)
        name = f"{document.name.rpartition('.')[0] or document.name}-findings.csv".replace('"', "")
        headers = {
            "Content-Disposition": f'attachment; filename="{name.encode("ascii", "replace").decode()}"',
            "Cache-Control": "no-store",
        }
        tally = Tally(f"{document.name} with its findings", "csv", holder=submission.aggregator_id, rows=None)
        response = StreamingHttpResponse(streamed(request, blocks, tally), content_type="text/csv; charset=utf-8", headers=headers)
        response.tally = tally
        return response


def _annotated(opened: ExitStack, path: str, submission: Submission) -> Iterator[bytes]:
    """The file's rows with their findings; its plain text is closed with the stream."""
    with opened:
        yield from annotate(path, name=submission.document.name, vocabulary=staging.vocabulary(), findings=reports.annotations(submission))
