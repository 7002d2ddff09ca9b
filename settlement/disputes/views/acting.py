"""Forms of a dispute: open one, put something to its file, answer, propose a settlement, draft a determination."""

from django.http import Http404
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.functional import cached_property

from moc.access import policy
from moc.portal import Create
from registry.prequalification.models import QualificationOverride
from registry.submissions.models import StagedDer, UtilityReview
from settlement.disputes import forms
from settlement.disputes.endings import Determination, SettlementProposal
from settlement.disputes.models import HEAR, PARTIES, PURSUE, Dispute, DisputePart, Side
from settlement.disputes.services import determining, opening, parties, pleading, settling
from settlement.disputes.views.lists import DISPUTES, visible_dispute

Kind = DisputePart.Kind


class NewDispute(Create):
    """The claim over a subject of the user's own aggregator."""

    title = "Open a dispute"
    permission = PURSUE
    parents = DISPUTES
    form_class = forms.ClaimForm
    submit_label = "Open the dispute"
    success = "The dispute is open. Its bundle is frozen, and the utility is told."
    template_name = "settlement/disputes/new.html"

    @cached_property
    def subject(self) -> StagedDer | UtilityReview | QualificationOverride:
        raise NotImplementedError

    def allowed(self) -> bool:
        return policy.allows(self.request.user, PURSUE, self.subject.aggregator)

    def done_url(self, result: Dispute) -> str:
        return reverse("settlement:dispute", args=[result.uuid])

    def get_context_data(self, **kwargs) -> dict:
        subject = self.subject
        shown = {"subject": subject, "refusals": opening.refusals(type(subject).objects.filter(pk=subject.pk))}
        return super().get_context_data(**shown | kwargs)


class DisputeRow(NewDispute):
    """Over one filed DER."""

    @cached_property
    def subject(self) -> StagedDer:
        rows = StagedDer.objects.visible_to(self.request.user).select_related("aggregator", "submission", "edc")
        return get_object_or_404(rows, submission__uuid=self.kwargs["submission"], row_number=self.kwargs["number"])

    @property
    def lead(self) -> str:
        return f"DER {self.subject.external_id} of {self.subject.submission.title}: {self.subject.get_status_display().lower()}"

    def perform(self, form) -> Dispute:
        return opening.open_dispute(actor=self.request.user, row=self.subject, **form.cleaned_data)


class DisputeReview(NewDispute):
    """Over a whole review: all that the utility denied or limited in it, and what it did not decide in time."""

    @cached_property
    def subject(self) -> UtilityReview:
        rows = UtilityReview.objects.visible_to(self.request.user).select_related("aggregator", "submission", "edc")
        return get_object_or_404(rows, uuid=self.kwargs["uuid"])

    @property
    def lead(self) -> str:
        return f"{self.subject}: {self.subject.get_status_display().lower()}"

    def perform(self, form) -> Dispute:
        return opening.open_dispute(actor=self.request.user, review=self.subject, **form.cleaned_data)


class DisputeOverride(NewDispute):
    """Over an override that bars a DER or an aggregation from a service."""

    @cached_property
    def subject(self) -> QualificationOverride:
        rows = QualificationOverride.objects.visible_to(self.request.user).select_related("aggregator", "edc", "by", "service")
        return get_object_or_404(rows, uuid=self.kwargs["uuid"])

    @property
    def lead(self) -> str:
        return f"{self.subject.service}: {self.subject}"

    def perform(self, form) -> Dispute:
        return opening.open_dispute(actor=self.request.user, override=self.subject, **form.cleaned_data)


class OfDispute(Create):
    """A form about one dispute within the scope, for those who speak for a side of it."""

    permission = PURSUE
    sides: tuple[str, ...] = Side.values

    @cached_property
    def dispute(self) -> Dispute:
        return visible_dispute(self.request.user, self.kwargs["uuid"])

    @cached_property
    def side(self) -> str | None:
        return parties.side_of(self.request.user, self.dispute) if self.dispute.is_open else None

    def allowed(self) -> bool:
        return self.side in self.sides

    @property
    def lead(self) -> str:
        return str(self.dispute)

    def done_url(self, result) -> str:
        return reverse("settlement:dispute", args=[self.dispute.uuid])

    def get_context_data(self, **kwargs) -> dict:
        url = self.done_url(None)
        trail = [("Disputes", reverse("settlement:dispute_list")), (self.dispute.title, url), (self.get_title(), "")]
        return super().get_context_data(**{"cancel_url": url, "breadcrumbs": trail} | kwargs)

    def confidential(self) -> bool:
        """Whether there is somebody to read what the other party does not."""
        return self.side not in PARTIES or self.dispute.authority is not None


FILED = {
    Kind.STATEMENT: ("State your side", forms.StatementForm, "The statement is filed; it is the other party's turn."),
    Kind.EVIDENCE: ("Add evidence", forms.EvidenceForm, "The evidence is in the file."),
    Kind.QUESTION: ("Ask", forms.QuestionForm, "The question is in the file, and its answer has a date."),
    Kind.MEETING: ("Log a meeting", forms.MeetingForm, "The meeting is in the file."),
    Kind.NOTE: ("Add a note", forms.NoteForm, "The note is in the file; only your organisation reads it."),
}


class NewPart(OfDispute):
    """Put something of one kind to the file."""

    @property
    def kind(self) -> str:
        if self.kwargs["kind"] not in FILED:
            raise Http404
        return self.kwargs["kind"]

    def allowed(self) -> bool:
        deciders = self.side is not None and self.side not in PARTIES
        return super().allowed() and {Kind.STATEMENT: not deciders, Kind.NOTE: deciders}.get(Kind(self.kind), True)

    title = property(lambda self: FILED[self.kind][0])
    form_class = property(lambda self: FILED[self.kind][1])
    success = property(lambda self: FILED[self.kind][2])
    submit_label = "File it"

    def get_form_kwargs(self) -> dict:
        if self.kind == Kind.EVIDENCE:
            return {"confidential": self.confidential()}
        if self.kind == Kind.QUESTION:
            decider = parties.DECIDER.get(self.dispute.status)
            return {"others": forms.others_of(self.side, [*PARTIES, *([decider] if decider else [])])}
        return {}

    def perform(self, form) -> DisputePart:
        return pleading.file(actor=self.request.user, dispute=self.dispute, kind=self.kind, **form.cleaned_data)


class NewAnswer(OfDispute):
    """Answer a request for information."""

    title = "Answer"
    form_class = forms.AnswerForm
    submit_label = "Answer"
    success = "The answer is in the file."

    @cached_property
    def question(self) -> DisputePart:
        rows = DisputePart.objects.visible_to(self.request.user).select_related("dispute__aggregator", "dispute__edc", "dispute__tso")
        return get_object_or_404(rows, dispute=self.dispute, kind=Kind.QUESTION, uuid=self.kwargs["part"])

    @property
    def lead(self) -> str:
        return self.question.text

    def allowed(self) -> bool:
        return super().allowed() and self.side == self.question.asked

    def get_form_kwargs(self) -> dict:
        return {"confidential": self.confidential()}

    def perform(self, form) -> DisputePart:
        return pleading.answer(actor=self.request.user, question=self.question, **form.cleaned_data)


class NewProposal(OfDispute):
    """Propose terms to the other party."""

    title = "Propose a settlement"
    sides = PARTIES
    form_class = forms.ProposalForm
    submit_label = "Propose"
    success = "The other party has your proposal."

    def perform(self, form) -> SettlementProposal:
        return settling.propose(actor=self.request.user, dispute=self.dispute, **form.cleaned_data)


class NewDetermination(OfDispute):
    """Draft how the authority decides; another person confirms it."""

    title = "Draft a determination"
    permission = HEAR
    sides = (Side.TSO, Side.RERRA)
    form_class = forms.DeterminationForm
    submit_label = "Draft it"
    success = "The draft awaits its confirmation by another person; the parties do not see it yet."

    def perform(self, form) -> Determination:
        return determining.propose(actor=self.request.user, dispute=self.dispute, **form.cleaned_data)

    def done_url(self, result) -> str:
        return reverse("settlement:determination", args=[result.uuid]) if result else super().done_url(None)
