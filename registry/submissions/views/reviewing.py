"""The utility's pages: the queue, a review with its rows and decisions, denials, letters."""

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.functional import cached_property

from moc.access import policy, presence
from moc.access.presence import Fresh
from moc.documents.letters import print_letter
from moc.jobs.models import Job
from moc.jobs.views import RUNNING, progress_of
from moc.portal import List, Page, Sort, Update
from moc.portal.changes import REFUSALS
from moc.portal.moments import moment_of
from moc.portal.shell import url_of
from moc.portal.versions import FIELD, Held, version_of
from moc.units import counted
from registry.rosters import services as rosters
from registry.submissions import reports
from registry.submissions.filters import ReviewFilterSet, RowFilterSet, selected_rows
from registry.submissions.forms.reviewing import DecisionFileForm, DecisionForm, RejectForm, selection_of
from registry.submissions.involvement import RegulatorPart
from registry.submissions.models import Decision, StagedDer, Submission, UtilityReview
from registry.submissions.services import bulk_decisions, decision_files, locks, regulators, reviewing
from registry.submissions.tables import READ_ONLY_REVIEW_TABLE, REVIEW_EXPORT, REVIEW_ROW_TABLE, REVIEW_TABLE, export_of_switch, of_switch
from registry.submissions.views.filing import Act
from registry.submissions.views.rows import BY_NUMBER
from registry.submissions.views.then import ReviewThen

REVIEWS = (("Reviews", "registry:review_list"),)


class ReviewList(List):
    """The reviews within reach by due date; closed ones only when asked for."""

    model = UtilityReview
    title = "Reviews"
    lead = "A utility decides the DERs of a submission within the time that the rule set names."
    noun = "reviews"
    table = REVIEW_TABLE
    filterset_class = ReviewFilterSet
    sorts = (Sort("due_at", ("due_at", "id")), Sort("-due_at", ("-due_at", "-id")))
    counts_filtered = True

    def filtered(self):
        rows = super().filtered()
        return rows if self.request.GET.get("status") else rows.exclude(status=UtilityReview.Status.CLOSED)


def visible_review(user, uuid) -> UtilityReview:
    """A review within the scope, or 404."""
    rows = UtilityReview.objects.visible_to(user).select_related("submission", "edc", "aggregator", "clock_rule")
    return get_object_or_404(rows, uuid=uuid)


class ReviewDetail(Held, List):
    """A review: its clock, its rows in a fast table, and the decision on those that are ticked or all of the filter."""

    model = StagedDer
    held_model, key = UtilityReview, "uuid"
    template_name = "registry/reviews/detail.html"
    noun = "rows"
    filterset_class = RowFilterSet
    sorts = (BY_NUMBER, Sort("-row_number", ("-row_number",)))
    counts_filtered = True
    page_size = 100
    exports = (("CSV", "registry:review_csv"), ("XLSX", "registry:review_xlsx"))
    export_name = "review"

    def get(self, request, *args, **kwargs) -> HttpResponse:
        """The page; as of a past moment the review as it stood then."""
        if moment_of(request.GET.get("as_of", "")):
            return ReviewThen.as_view()(request, **kwargs)
        return super().get(request, *args, **kwargs)

    @cached_property
    def review(self) -> UtilityReview:
        return visible_review(self.request.user, self.kwargs["uuid"])

    @property
    def title(self) -> str:
        return self.review.submission.title

    @property
    def is_open(self) -> bool:
        return self.review.status != UtilityReview.Status.CLOSED

    @property
    def may_decide(self) -> bool:
        return self.is_open and policy.allows(self.request.user, "review_ders", self.review.edc)

    @property
    def table(self):
        table = REVIEW_ROW_TABLE if self.may_decide else READ_ONLY_REVIEW_TABLE
        return of_switch(table) if self.is_switch else table

    @property
    def is_switch(self) -> bool:
        return self.review.submission.kind == Submission.Kind.SWITCH

    @property
    def export_columns(self) -> dict[str, str]:
        return export_of_switch() if self.is_switch else REVIEW_EXPORT

    def rows(self):
        return StagedDer.objects.visible_to(self.request.user).of_review(self.review)

    def hold(self, obj: UtilityReview) -> UtilityReview:
        return locks.review_of(obj)

    def branches(self) -> None:
        """One index range: the rows of the review, within the scope."""

    @cached_property
    def form(self) -> DecisionForm:
        bound = {"data": self.request.POST, "files": self.request.FILES} if self.request.method == "POST" else {}
        return DecisionForm(**bound)

    def post(self, request, *args, **kwargs) -> HttpResponse:
        if not self.may_decide and not policy.allows(request.user, "review_ders", self.review.edc):
            raise Http404
        if self.form.is_valid():
            if self.form.cleaned_data["kind"] == Decision.Kind.DENY:
                presence.demand(request)
            try:
                with transaction.atomic():
                    self.require_opened(self.review)
                    outcome = self._decide()
                return self._decided(outcome)
            except REFUSALS as refusal:
                self.form.add_error(None, str(refusal))
        return self.render_to_response(self.get_context_data(), status=422)

    def _decide(self) -> bulk_decisions.Outcome:
        user, review = self.request.user, self.review
        return bulk_decisions.decide_selection(
            actor=user,
            review=review,
            selection=selection_of(self.request.POST, self.request.GET.urlencode()),
            rows_of=lambda selection: selected_rows(review, user, selection),
            terms=self.form.terms,
            evidence_upload=self.form.cleaned_data["evidence"],
        )

    def _decided(self, outcome: bulk_decisions.Outcome) -> HttpResponse:
        messages.success(self.request, said(outcome))
        return HttpResponseRedirect(self.request.get_full_path())

    def get_context_data(self, **kwargs) -> dict:
        review, user = self.review, self.request.user
        decisions = self._decisions().select_related("decided_by", "confirmed_by", "evidence")
        job = self._job()
        shown = {
            "review": review,
            "last_day": reports.last_day(review.due_at),
            "is_open": self.is_open,
            "statuses": reports.statuses(review, user),
            "decisions": decisions[:50],
            "parts": self._parts(),
            "denials": self._denials(),
            "names": policy.allows(user, "review_ders", review.edc) or policy.allows(user, "audit", review),
            "progress": progress_of(job) if job and job.status in RUNNING else None,
            "failed": job if job and job.status == Job.Status.FAILED and self.is_open else None,
            "decision_form": self.form if self.may_decide else None,
            FIELD: version_of(review) if self.may_decide else "",
            "may_widen": self.may_decide and review.submission.reason and review.scope == UtilityReview.Scope.CHANGED,
            "dispute_url": self._dispute_url(),
            "screen_url": url_of("operations:screens_of_review", review.uuid),
            "authorisation": reports.authorisation_of(review.submission, user),
            "breadcrumbs": [("Reviews", reverse("registry:review_list")), (self.get_title(), "")],
            "as_of_form": True,
        }
        shown["roster_count"], shown["roster_differences"] = rosters.of_review(review.submission_id, review.edc_id)
        shown = super().get_context_data(**shown | kwargs)
        if ticked := self._ticked():
            for row in shown["table"].rows:
                row.selected = str(row.selected_value) in ticked or "row" in ticked
        return shown

    def _ticked(self) -> set[str]:
        """Which boxes are ticked: those that were before an error, or the one row that a link asked for."""
        if self.request.method == "POST":
            return set(self.request.POST.getlist("selected"))
        return {"row"} if self.request.GET.get("row") else set()

    def _decisions(self):
        return Decision.objects.visible_to(self.request.user).filter(review=self.review)

    def _dispute_url(self) -> str:
        """The way to a dispute over the whole review, where that part of the platform is installed."""
        if self.review.status not in (UtilityReview.Status.CLOSED, UtilityReview.Status.ESCALATED):
            return ""
        may = policy.allows(self.request.user, "pursue_disputes", self.review.aggregator)
        return url_of("settlement:dispute_review", self.review.uuid) if may else ""

    def _parts(self) -> list[dict]:
        """What regulators may say, or said, of the review, with its clock."""
        parts = RegulatorPart.objects.visible_to(self.request.user).filter(review=self.review).select_related("rerra")
        may = policy.reach(self.request.user, regulators.PERMISSION)
        return [{"part": one, "until": reports.last_day(one.due_at), "may": one.is_running and one.rerra_id in may} for one in parts]

    def _denials(self) -> list[dict]:
        """Denials that wait for a second person."""
        proposed = self._decisions().filter(status=Decision.Status.PROPOSED)
        may = self.is_open and policy.allows(self.request.user, "confirm_denials", self.review.edc)
        return [
            {
                "decision": one,
                "own": one.decided_by_id == self.request.user.pk,
                "may": may and one.decided_by_id != self.request.user.pk,
                "version": version_of(one),
            }
            for one in proposed.select_related("decided_by", "evidence")[:50]
        ]

    def _job(self) -> Job | None:
        """The user's latest job on this review."""
        rows = Job.objects.visible_to(self.request.user).filter(user=self.request.user, task=bulk_decisions.TASK)
        return rows.filter(arguments__review=self.review.pk).order_by("-id").first()


def said(outcome: bulk_decisions.Outcome) -> str:
    """What a wish to decide led to, in a sentence."""
    if outcome.job:
        return "The decision is about many rows and runs in the background; this page shows how far it is."
    proposed = [decision for decision in outcome.decisions if decision.status == Decision.Status.PROPOSED]
    if proposed:
        rows = sum(decision.row_count for decision in proposed)
        return f"{counted(outcome.row_count, 'rows')}; {rows:,} of them proposed for denial, which a second person confirms."
    return f"Decided: {counted(outcome.row_count, 'rows')}."


class OfReview(Update):
    """A form about one review."""

    model = UtilityReview
    permission = "review_ders"

    @cached_property
    def object(self) -> UtilityReview:
        return visible_review(self.request.user, self.kwargs["uuid"])

    def allowed(self) -> bool:
        return policy.allows(self.request.user, self.permission, self.object.edc)

    def done_url(self, result) -> str:
        return reverse("registry:review_detail", args=[self.object.uuid])

    def get_context_data(self, **kwargs) -> dict:
        url = self.done_url(None)
        trail = [("Reviews", reverse("registry:review_list")), (self.object.submission.title, url), (self.get_title(), "")]
        return super().get_context_data(**{"cancel_url": url, "breadcrumbs": trail, "review": self.object} | kwargs)


class DecisionFile(Fresh, OfReview):
    """Decisions, denials among them, by an uploaded table."""

    title = "Upload a decision file"
    versioned = False
    form_class = DecisionFileForm
    submit_label = "Check and decide"
    template_name = "registry/reviews/decision_file.html"
    problems: tuple = ()

    def perform(self, form) -> bulk_decisions.Outcome:
        given = form.cleaned_data
        try:
            outcome = decision_files.decide_by_file(
                actor=self.request.user, review=self.object, upload=given["file"], evidence_upload=given["evidence"]
            )
        except decision_files.DecisionFileRefused as refused:
            self.problems = refused.problems
            raise
        messages.success(self.request, said(outcome))
        return outcome

    def get_context_data(self, **kwargs) -> dict:
        shown = {"problems": self.problems, "reasons": Decision.Reason.choices, "columns": decision_files.COLUMNS}
        return super().get_context_data(**shown | kwargs)


class OfDecision:
    """A decision of a review within the scope."""

    model = Decision
    permission = "confirm_denials"

    def find(self) -> Decision:
        rows = Decision.objects.visible_to(self.request.user).select_related(
            "review__submission", "review__edc", "review__aggregator", "decided_by", "confirmed_by", "evidence", "letter_template__edc"
        )
        return get_object_or_404(rows, uuid=self.kwargs["decision"], review__uuid=self.kwargs["uuid"])

    def done_url(self, obj) -> str:
        return reverse("registry:review_detail", args=[self.kwargs["uuid"]])


class ConfirmDenial(OfDecision, Act):
    """A second person makes a denial effective."""

    success = "The denial is confirmed, and the aggregator is told."

    def hold(self, obj: Decision) -> Decision:
        return locks.decision_of(obj)

    def get_object(self) -> Decision:
        return self.find()

    def perform(self, obj: Decision) -> None:
        presence.demand(self.request)
        reviewing.confirm_denial(actor=self.request.user, decision=obj)


class RejectDenial(OfDecision, Update):
    """A second person does not confirm a denial."""

    title = "Do not confirm the denial"
    lead = "The rows are open again; the reason stays with the decision."
    form_class = RejectForm
    submit_label = "Do not confirm"
    success = "The denial is not confirmed; its rows are open again."

    @cached_property
    def object(self) -> Decision:
        return self.find()

    def allowed(self) -> bool:
        return policy.allows(self.request.user, self.permission, self.object.review.edc)

    def hold(self, obj: Decision) -> Decision:
        return locks.decision_of(obj)

    def perform(self, form) -> Decision:
        return reviewing.reject_denial(actor=self.request.user, decision=self.object, reason=form.cleaned_data["reason"])

    def get_context_data(self, **kwargs) -> dict:
        return super().get_context_data(**{"cancel_url": self.done_url(None)} | kwargs)


class Letter(OfDecision, Page):
    """The utility's letter about a decision, as PDF: to the aggregator, with the DERs that it is about."""

    permission = "view_registry"

    def get(self, request, *args, **kwargs) -> HttpResponse:
        decision = self.find()
        if decision.status in (Decision.Status.PROPOSED, Decision.Status.REJECTED):
            raise Http404
        context, logo = reports.letter(decision, reviewing.decided_rows(decision).visible_to(request.user))
        parties = {"issuer": decision.review.edc, "recipient": decision.review.aggregator, "given": {"logo": logo}}
        name = f"decision-{decision.uuid}.pdf"
        return print_letter(request, "decision", "documents/decision_letter.html", context, name, **parties)
