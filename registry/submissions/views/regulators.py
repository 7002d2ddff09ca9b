"""The regulator's page: a comment on a review, or the answer to its question."""

from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.functional import cached_property

from moc.access import policy
from moc.portal import Update
from registry.submissions.forms.reviewing import RegulatorForm
from registry.submissions.involvement import RegulatorPart
from registry.submissions.reports import last_day
from registry.submissions.services import regulators


class AnswerPart(Update):
    """What the regulator says, until its day."""

    model = RegulatorPart
    title = "The regulator's answer"
    permission = regulators.PERMISSION
    form_class = RegulatorForm
    submit_label = "Answer"
    success = "Utility and aggregator were told."

    @cached_property
    def object(self) -> RegulatorPart:
        return get_object_or_404(self.get_queryset().select_related("rerra", "review"), uuid=self.kwargs["uuid"])

    @property
    def lead(self) -> str:
        return f"{self.object.text} Until {last_day(self.object.due_at)}; the review does not wait longer."

    def allowed(self) -> bool:
        return policy.allows(self.request.user, self.permission, self.object.rerra)

    def get_form_kwargs(self) -> dict:
        return {"decides": bool(self.object.question)}

    def perform(self, form) -> RegulatorPart:
        return regulators.answer(actor=self.request.user, part=self.object, **form.said)

    def done_url(self, result) -> str:
        return reverse("registry:review_detail", args=[self.object.review.uuid])

    def get_context_data(self, **kwargs) -> dict:
        return super().get_context_data(**{"cancel_url": self.done_url(None)} | kwargs)
