"""Whom to call at organisations that one has to do with; and pages on which personal data are shown in full: for a purpose, to those who
have shown lately who they are, and logged."""

from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils.functional import cached_property

from moc.access import policy
from moc.access.presence import Fresh
from moc.errors import UserError
from moc.portal import Detail, List, Page
from moc.vault.models import SealedFacts
from registry.participants import services
from registry.participants.filters import ContactFilterSet
from registry.participants.forms import PurposeForm
from registry.participants.models import Contact
from registry.participants.tables import CONTACT_TABLE

CONTACTS = (("Contacts", "registry:contact_list"),)


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


class ContactList(List):
    """One's own contacts, and those of the day of organisations that one has to do with."""

    model = Contact
    title = "Contacts"
    lead = "Whom to call, by purpose, at your own organization and at those that you have to do with."
    noun = "contacts"
    table = CONTACT_TABLE
    filterset_class = ContactFilterSet
    keeps_versions = False  # today's are what is called
    counts_filtered = True


class ContactDetail(Detail):
    """For what there is a contact; who it is stands on the page in full."""

    model = Contact
    key = "pk"
    related = ("organization",)
    parents = CONTACTS
    is_dated = False

    def actions(self) -> list[tuple[str, str, bool]]:
        may = services.may_reveal(self.request.user, self.object)
        return [("In full", reverse("registry:contact_personal", args=[self.object.pk]), True)] if may else []

    def facts(self) -> list:
        days = self.object.valid_during
        told = [
            ("Organization", self.object.organization.name),
            ("For", self.object.get_purpose_display()),
            ("From", days.lower),
            ("Until", days.upper),
        ]
        return [("Contact", [(label, value, None, None) for label, value in told]), ("", services.labelled(services.masked(self.object)))]


class ContactInFull(Reveal):
    """A contact in full: whom to call."""

    title = "Contact in full"
    lead = "Who looks, when, at what and what for stands in the access log of the contact's organization."

    def get_record(self) -> Contact | None:
        return Contact.objects.visible_to(self.request.user).select_related("organization").filter(pk=self.kwargs["pk"]).first()

    def may(self, record: Contact) -> bool:
        return services.may_reveal(self.request.user, record)

    def back(self) -> str:
        return reverse("registry:contact_detail", args=[self.kwargs["pk"]])
