"""A submission's page: how far it is, what was found, what each utility says; and its progress alone."""

from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.generic import TemplateView

from moc.access import policy
from moc.jobs.models import Job
from moc.jobs.views import RUNNING, progress_of
from moc.portal import Detail
from moc.portal.timeline import timeline
from moc.portal.versions import version_of
from registry.submissions import reports
from registry.submissions.forms.filing import AnswerForm
from registry.submissions.kinds import TERMS
from registry.submissions.models import Decision, Finding, Submission, UtilityReview
from registry.submissions.services import filing

WORKINGS = ("Sheet", "Job", "Checked at")  # fields of the engine, shown as facts where they matter
SUBMISSIONS = (("Submissions", "registry:submission_list"),)


class SubmissionDetail(Detail):
    """A submission: how far it is, what was found, what each utility says."""

    model = Submission
    template_name = "registry/submissions/detail.html"
    parents = SUBMISSIONS
    related = ("aggregator", "job", "document", "created_by", "submitted_by", "continues")
    transition_url = "registry:submission_transition"

    @property
    def may_file(self) -> bool:
        return policy.allows(self.request.user, "file_ders", self.object.aggregator)

    @property
    def is_editable(self) -> bool:
        return self.may_file and self.object.status in filing.EDITABLE

    @property
    def takes_facts(self) -> bool:
        """Whether rows of facts may be added and mended: some kinds only name DERs."""
        return self.is_editable and TERMS[self.object.kind].facts

    def address(self, **changes) -> str:
        """This page with other parameters, on the first page of findings unless a cursor is given."""
        query = self.request.GET.copy()
        for name in ("after", "before"):
            query.pop(name, None)
        for name, value in changes.items():
            query.pop(name, None)
            if value is not None:
                query[name] = value
        return f"?{query.urlencode()}#findings"

    def transitions(self) -> list[dict]:
        return [move for move in super().transitions() if move["name"] == "withdraw"]

    def timeline(self):
        versions = self.versions
        if not policy.allows(self.request.user, "view_registry", self.object.aggregator):
            versions = versions.filter(submitted_at__isnull=False)  # how it was drafted is the aggregator's business
        shown = timeline(versions, names=self.may_audit)
        for version in shown:
            version.changes = [change for change in version.changes if change[0] not in WORKINGS]
        return [version for version in shown if version.changes or version.kind != "changed"]

    def facts(self) -> list:
        submission, names = self.object, policy.allows(self.request.user, "view_personal", self.object) or self.may_audit
        who = [
            ("Aggregator", submission.aggregator, None, None),
            ("Kind", submission.get_kind_display(), None, None),
            ("Aggregation", submission.aggregation_id and reports.aggregation_of(submission, self.request.user), None, None),
            ("Reason", submission.reason, None, None),
            ("Source", submission.get_source_display(), None, None),
            ("Started", submission.created_at, None, None),
            ("Started by", str(submission.created_by) if names and submission.created_by else None, None, None),
            ("Submitted", submission.submitted_at, None, None),
            ("Submitted by", str(submission.submitted_by) if names and submission.submitted_by else None, None, None),
            ("Attestation", submission.attestation_version, None, None),
        ]
        if submission.status == Submission.Status.RETURNED:
            who.append(("To be mended by", reports.last_day(submission.resubmit_due_at), None, None))
        sheet = reports.sheet_facts(submission) if submission.aggregator_id in policy.reach(self.request.user, "view_registry") else []
        return [("Filing", who), *sheet]

    @property
    def may_audit(self) -> bool:
        return policy.allows(self.request.user, "audit", self.object)

    def get_context_data(self, **kwargs) -> dict:
        submission, user = self.object, self.request.user
        shown = {"progress": _progress(submission, self.may_file), "may_file": self.may_file, "editable": self.is_editable}
        shown["takes_facts"] = self.takes_facts
        shown["authorisation"] = reports.authorisation_of(submission, user)
        if submission.status != Submission.Status.STAGING:
            shown |= self._found() | self._reviewed()
            shown["may_submit"] = self.is_editable and policy.allows(user, "submit_ders", submission.aggregator)
            shown["refusal"] = _refusal(submission)
        return super().get_context_data(**shown | kwargs)

    def _found(self) -> dict:
        submission, user = self.object, self.request.user
        rule = self.request.GET.get("rule", "")
        rows = Finding.objects.visible_to(user).filter(submission=submission)
        found, page = reports.findings_page(rows.filter(code=rule) if rule else rows, self.request.GET, self.address)
        for finding in found:
            finding["url"] = reverse("registry:submission_row", args=[submission.uuid, finding["row_number"]])
        return {
            "counts": reports.counts(submission, user),
            "finding_counts": reports.by_rule(submission, user, lambda code: self.address(rule=code), rule),
            "findings": found,
            "findings_page": page,
            "rule": rule,
            "annotated": self.may_file and submission.document_id and "columns" in submission.sheet,
            "left_out": reports.left_out(submission) if self.may_file else None,
        }

    def _reviewed(self) -> dict:
        submission, user = self.object, self.request.user
        decisions = Decision.objects.visible_to(user).filter(review__submission=submission)
        told = decisions.exclude(status__in=[Decision.Status.PROPOSED, Decision.Status.REJECTED]).select_related("review__edc", "evidence")
        reviews = list(UtilityReview.objects.visible_to(user).filter(submission=submission).select_related("edc").order_by("due_at", "id"))
        for review in reviews:
            review.last_day = reports.last_day(review.due_at)
        asked = reports.unanswered(decisions).select_related("review__edc")[:20] if self.may_file else ()
        return {
            "reviews": reviews,
            "decisions": told[:100],
            "answers": [(one, AnswerForm(prefix=f"answer-{one.uuid}"), version_of(one)) for one in asked],
        }


def _progress(submission: Submission, may_file: bool) -> dict | None:
    """What includes/progress.html shows while the submission's file is read; everybody who may see the submission may see that."""
    job = submission.job
    if submission.status != Submission.Status.STAGING or job is None:
        return None
    shown = progress_of(job)
    running = job.status in RUNNING
    cancel = reverse("registry:submission_cancel", args=[submission.uuid]) if may_file and running and not job.cancel_requested else ""
    return shown | {
        "id": "submission-progress",
        "url": reverse("registry:submission_progress", args=[submission.uuid]),
        "cancel_url": cancel,
        "unit": "bytes" if job.phase == "Reading the file" else "rules" if job.total else "",
    }


def _refusal(submission: Submission) -> dict | None:
    """Why the last file was not read: sentence, remedy, code and row, for as long as no other file was read."""
    job = submission.job
    if job is None or job.status not in (Job.Status.FAILED, Job.Status.CANCELLED):
        return None
    if job.status == Job.Status.CANCELLED:
        return {"sentence": "Reading the file was cancelled.", "remedy": "Nothing of it was kept. Upload it again to have it read."}
    said = {name: job.outcome.get(name) for name in ("sentence", "remedy", "code", "row")}
    return said if said["sentence"] else {"sentence": job.error, "remedy": "Upload the file again; if this repeats, tell the operator."}


class SubmissionProgress(LoginRequiredMixin, TemplateView):
    """The progress alone, fetched while the file is read; the page is reloaded once when it has ended."""

    template_name = "includes/progress.html"

    def get(self, request, *args, **kwargs) -> HttpResponse:
        rows = Submission.objects.visible_to(request.user).select_related("job", "aggregator")
        submission = get_object_or_404(rows, uuid=kwargs["uuid"])
        progress = _progress(submission, policy.allows(request.user, "file_ders", submission.aggregator))
        if progress is None or not progress["running"]:
            return HttpResponse(headers={"HX-Refresh": "true"})
        return self.render_to_response(self.get_context_data(progress=progress))
