"""The rows of a submission: their list, one row with its facts and findings, and the form of one DER."""

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.functional import cached_property

from moc.access import policy
from moc.portal import List, Page, Sort
from moc.portal.changes import REFUSALS
from moc.portal.shell import url_of
from moc.portal.versions import FIELD, Overtaken, VersionMissing
from registry.ders import reports as der_reports
from registry.ders.models import Der
from registry.submissions import reports
from registry.submissions.filters import RowFilterSet
from registry.submissions.forms.rows import STEPS, Step, StepForm, differing, step_by_slug, steps_with_errors, version_of
from registry.submissions.models import Decision, Finding, StagedDer, Submission, UtilityReview
from registry.submissions.services import filing
from registry.submissions.tables import ROW_TABLE
from registry.submissions.views.filing import Act

BY_NUMBER = Sort("row_number", ("row_number",))


def trail(submission: Submission, *last: tuple[str, str]) -> list[tuple[str, str]]:
    """Breadcrumbs below a submission."""
    own = reverse("registry:submission_detail", args=[submission.uuid])
    return [("Submissions", reverse("registry:submission_list")), (submission.title, own), *last]


class RowList(List):
    """The rows of a submission that the user may see."""

    model = StagedDer
    noun = "rows"
    table = ROW_TABLE
    filterset_class = RowFilterSet
    sorts = (BY_NUMBER,)
    counts_filtered = True

    @cached_property
    def submission(self) -> Submission:
        rows = Submission.objects.visible_to(self.request.user).select_related("aggregator")
        return get_object_or_404(rows, uuid=self.kwargs["uuid"])

    def rows(self):
        return StagedDer.objects.visible_to(self.request.user).filter(submission=self.submission)

    def branches(self) -> None:
        """One index range: the submission's rows, within the scope."""

    def get_title(self) -> str:
        return f"Rows of {self.submission.title}"

    def actions(self) -> list[tuple[str, str, bool]]:
        may = self.submission.status in filing.EDITABLE and policy.allows(self.request.user, "file_ders", self.submission.aggregator)
        return [("Add a DER", reverse("registry:submission_row_new", args=[self.submission.uuid]), False)] if may else []

    def get_context_data(self, **kwargs) -> dict:
        return super().get_context_data(**{"breadcrumbs": trail(self.submission, ("Rows", ""))} | kwargs)


class OfRow:
    """A page about one row within the scope."""

    @cached_property
    def row(self) -> StagedDer:
        rows = StagedDer.objects.visible_to(self.request.user).select_related(
            "submission__aggregator", "submission__job", "service_point__feeder", "edc"
        )
        return get_object_or_404(rows, submission__uuid=self.kwargs["uuid"], row_number=self.kwargs["number"])

    @property
    def may_edit(self) -> bool:
        submission = self.row.submission
        return submission.status in filing.EDITABLE and policy.allows(self.request.user, "file_ders", submission.aggregator)


class RowDetail(OfRow, Page):
    """One filed row: what was filed, what it changes, what the rules say, where it is, how it was decided."""

    template_name = "registry/submissions/row.html"

    def get_title(self) -> str:
        return f"Row {self.row.row_number}: {self.row.external_id or 'without id'}"

    def actions(self) -> list[tuple[str, str, bool]]:
        owner = getattr(self.row, "owner", None)
        if owner is not None and owner.filled and policy.allows(self.request.user, "view_personal", self.row):
            return [*self._acts(), ("Owner in full", reverse("registry:submission_row_owner", args=self.address), False)]
        return self._acts()

    def _acts(self) -> list[tuple[str, str, bool]]:
        if self.may_edit:
            return [("Edit", reverse("registry:submission_row_edit", args=[*self.address, STEPS[0].slug]), True)]
        if self.review and self.row.status in StagedDer.OPEN:
            url = reverse("registry:review_detail", args=[self.review.uuid])
            return [("Decide" if self.may_review else "To the review", f"{url}?row={self.row.row_number}", self.may_review)]
        return self._dispute()

    def _dispute(self) -> list[tuple[str, str, bool]]:
        """The way to a dispute over what the utility decided, where that part of the platform is installed."""
        ended = self.row.status in (StagedDer.Status.DENIED, StagedDer.Status.APPROVED_LIMITED)
        may = ended and policy.allows(self.request.user, "pursue_disputes", self.row.submission.aggregator)
        url = url_of("settlement:dispute_row", *self.address) if may else ""
        return [("Dispute the decision", url, False)] if url else []

    @property
    def address(self) -> tuple:
        return (self.row.submission.uuid, self.row.row_number)

    @cached_property
    def review(self) -> UtilityReview | None:
        return UtilityReview.objects.visible_to(self.request.user).filter(submission=self.row.submission, edc=self.row.edc_id).first()

    @property
    def may_review(self) -> bool:
        return self.review is not None and policy.allows(self.request.user, "review_ders", self.row.edc)

    def get_context_data(self, **kwargs) -> dict:
        row, user = self.row, self.request.user
        decided = row.decision_id and row.status not in StagedDer.OPEN
        record = Der.objects.visible_to(user).select_related("service_point").filter(pk=row.der_id).first() if row.der_id else None
        told = Decision.objects.visible_to(user).filter(pk=row.decision_id)
        found = Finding.objects.visible_to(user).filter(row=row).order_by("severity", "code", "column")
        shown = {
            "row": row,
            "record": record,
            "changes": reports.changes_of(row, record) if record and not decided else [],
            "facts": reports.row_facts(row, personal=policy.allows(user, "view_personal", row)),
            "findings": [reports.shown(finding) for finding in found],
            "map": _place(row),
            "decision": told.exclude(status=Decision.Status.REJECTED).first() if row.decision_id else None,
            "editable": self.may_edit,
            "breadcrumbs": self._trail(),
        }
        return super().get_context_data(**shown | kwargs)

    def _trail(self) -> list[tuple[str, str]]:
        if self.review and self.row.edc_id in policy.reach(self.request.user, "view_registry"):
            url = reverse("registry:review_detail", args=[self.review.uuid])
            return [("Reviews", reverse("registry:review_list")), (self.row.submission.title, url), (self.get_title(), "")]
        rows = reverse("registry:submission_rows", args=[self.row.submission.uuid])
        return trail(self.row.submission, ("Rows", rows), (self.get_title(), ""))


def _place(row: StagedDer) -> dict | None:
    """Where the row says that it is; without coordinates of its own, where its service point is."""
    own = der_reports.place(row)
    if own:
        return own | {"title": "Place as filed"}
    point = row.service_point
    if point is None or point.latitude is None or point.longitude is None:
        return None
    shown = {"lat": float(point.latitude), "lon": float(point.longitude), "label": f"Service point {point}, {point.address}", "url": ""}
    return {"title": "Place of the service point", "identity": "row-place", "data": {"points": [shown], "outline": None}}


class RowForm(OfRow, Page):
    """The form of one DER, a step a page; each step is saved as it is left, and a draft may be incomplete."""

    template_name = "registry/submissions/row_form.html"
    permission = "file_ders"

    @cached_property
    def submission(self) -> Submission:
        if "number" in self.kwargs:
            return self.row.submission
        rows = Submission.objects.visible_to(self.request.user).select_related("aggregator")
        return get_object_or_404(rows, uuid=self.kwargs["uuid"])

    @cached_property
    def existing(self) -> StagedDer | None:
        return self.row if "number" in self.kwargs else None

    @cached_property
    def step(self) -> Step:
        step = step_by_slug(self.kwargs["step"]) if "step" in self.kwargs else STEPS[0]
        if step is None:
            raise Http404
        return step

    @cached_property
    def form(self) -> StepForm:
        return StepForm(self.request.POST if self.request.method == "POST" else None, step=self.step, row=self.existing)

    def dispatch(self, request, *args, **kwargs) -> HttpResponse:
        if request.user.is_authenticated:
            if not policy.allows(request.user, "file_ders", self.submission.aggregator):
                raise Http404
            if self.submission.status not in filing.EDITABLE:
                messages.error(request, f"The submission is {self.submission.get_status_display().lower()}; only a draft can be changed.")
                return HttpResponseRedirect(reverse("registry:submission_detail", args=[self.submission.uuid]))
        return super().dispatch(request, *args, **kwargs)

    def get_title(self) -> str:
        return f"Row {self.existing.row_number}: {self.existing.external_id}" if self.existing else "A new DER"

    def post(self, request, *args, **kwargs) -> HttpResponse:
        if self.form.is_valid():
            try:
                row = filing.save_row(
                    actor=request.user, submission=self.submission, values=self.form.cleaned_data, row=self.existing, meant=self._meant
                )
            except Overtaken as refusal:
                del self.row  # it is shown as it stands
                self.form.add_error(None, str(refusal))
                return self.render_to_response(self.get_context_data(overtaken=refusal.changes), status=422)
            except REFUSALS as refusal:
                self.form.add_error(None, str(refusal))
            else:
                return HttpResponseRedirect(self._next(row))
        return self.render_to_response(self.get_context_data(), status=422)

    def _meant(self, row: StagedDer) -> None:
        """The row's values of this step are those that the form was opened with, or already those that are to be saved."""
        opened, changes = self.request.POST.get(FIELD), differing(self.form, row)
        if not opened:
            raise VersionMissing(row)
        if opened != version_of(row, self.step) and changes:
            raise Overtaken(row, changes, was="here")

    def _next(self, row: StagedDer) -> str:
        place = STEPS.index(self.step) + 1
        if "another" in self.request.POST:
            return reverse("registry:submission_row_new", args=[self.submission.uuid])
        if "close" in self.request.POST or place == len(STEPS):
            return reverse("registry:submission_row", args=[self.submission.uuid, row.row_number])
        return reverse("registry:submission_row_edit", args=[self.submission.uuid, row.row_number, STEPS[place].slug])

    def steps(self) -> list[tuple[str, str, str]]:
        """(label, url, state) of includes/steps.html."""
        wrong, current = steps_with_errors(self.existing), STEPS.index(self.step)
        return [(step.label, self._url(step), _state(place, current, step in wrong)) for place, step in enumerate(STEPS)]

    def _url(self, step: Step) -> str:
        if self.existing is None:
            return ""
        return reverse("registry:submission_row_edit", args=[self.submission.uuid, self.existing.row_number, step.slug])

    def get_context_data(self, **kwargs) -> dict:
        place = STEPS.index(self.step)
        last = place + 1 == len(STEPS)
        findings = Finding.objects.filter(row=self.existing).order_by("severity", "code", "column") if self.existing else []
        shown = {
            "form": self.form,
            "fieldsets": [(self.step.label, "", list(self.form))],
            "steps": self.steps(),
            "lead": f"Step {place + 1} of {len(STEPS)}: {self.step.label}. Each step is saved in the draft when you leave it.",
            "submit_label": "Save and finish" if last else f"Save and continue: {STEPS[place + 1].label}",
            "more_submits": [("Save, then another DER", "another")] if last else [("Save and close", "close")],
            "cancel_url": reverse("registry:submission_detail", args=[self.submission.uuid]),
            "row": self.existing,
            FIELD: version_of(self.existing, self.step) if self.existing else "",
            "row_version": version_of(self.existing) if self.existing else "",
            "overtaken_label": "As you have it",
            "findings": [reports.shown(finding) for finding in findings],
            "breadcrumbs": trail(self.submission, (self.get_title(), "")),
        }
        return super().get_context_data(**shown | kwargs)


def _state(place: int, current: int, is_wrong: bool) -> str:
    if place == current:
        return "current"
    if is_wrong:
        return "error"
    return "done" if place < current else "todo"


class RemoveRow(OfRow, Act):
    """Take a row out of a draft."""

    success = "The row was removed."

    def get_object(self) -> StagedDer:
        return self.row

    def perform(self, obj: StagedDer) -> None:
        filing.remove_row(actor=self.request.user, row=obj, meant=self._meant)

    def _meant(self, row: StagedDer) -> None:
        opened = self.request.POST.get(FIELD)
        if not opened:
            raise VersionMissing(row)
        if opened != version_of(row):
            raise Overtaken(row, [])

    def done_url(self, obj: StagedDer) -> str:
        return reverse("registry:submission_detail", args=[obj.submission.uuid])
