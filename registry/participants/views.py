"""Pages on which personal data are shown in full: for a purpose, to those who have shown lately who they are, and logged."""

from django.http import Http404, HttpResponse
from django.utils.functional import cached_property

from moc.access import policy
from moc.access.presence import Fresh
from moc.errors import UserError
from moc.portal import Page
from moc.vault.models import SealedFacts
from registry.participants import services
from registry.participants.forms import PurposeForm


class Reveal(Fresh, Page):
    """GET: asks what for. POST: the values, on a page that no browser keeps."""

    title = "Owner in full"
    lead = "Who looks, when, at what and what for stands in the access log, for the utility and its regulator."
    permission = "view_personal"
    template_name = "registry/participants/reveal.html"

    def get_record(self) -> SealedFacts | None:
        """The record within the scope."""
        raise NotImplementedError

    def back(self) -> str:
        """Where one came from."""
        raise NotImplementedError

    @cached_property
    def record(self) -> SealedFacts:
        record = self.get_record()
        if record is None or not self.may(record):
            raise Http404
        return record

    def may(self, record: SealedFacts) -> bool:
        """May the user see it in full?"""
        return policy.allows(self.request.user, self.permission, record)

    def masked(self) -> list:
        """The groups of facts before anybody says what for."""
        return [("", services.labelled(services.masked(self.record)))]

    def open(self, said: dict) -> list:
        """The groups of facts in full, by the service that logs the look."""
        found = services.reveal(actor=self.request.user, record=self.record, purpose=said["purpose"], text=said["note"])
        return [("", services.labelled(found))]

    @cached_property
    def form(self) -> PurposeForm:
        return PurposeForm(self.request.POST if self.request.method == "POST" else None)

    def get(self, request, *args, **kwargs) -> HttpResponse:
        return self._answer(self.masked())

    def post(self, request, *args, **kwargs) -> HttpResponse:
        masked = self.masked()
        if self.form.is_valid():
            try:
                found = self.open(self.form.cleaned_data)
            except UserError as refusal:
                self.form.add_error(None, str(refusal))
            else:
                return self._answer(found, shown=True)
        return self._answer(masked, status=422)

    def _answer(self, facts: list, *, shown: bool = False, status: int = 200) -> HttpResponse:
        context = self.get_context_data(facts=facts, form=None if shown else self.form, cancel_url=self.back(), shown=shown)
        return self.render_to_response(context, status=status, headers={"Cache-Control": "no-store"})
