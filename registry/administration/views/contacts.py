"""Pages of an organisation's contacts: whom others call, by purpose."""

from django.db import transaction
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.functional import cached_property

from moc.access.models import Organization
from moc.portal import Create, End, Page
from moc.portal.versions import FIELD, Held, version_of
from registry.administration.forms import ContactForm
from registry.administration.views.base import EVERY, OfOrganization, administered
from registry.aggregators.forms import EndForm
from registry.participants import services
from registry.participants.models import Contact
from registry.participants.views import Reveal


class Contacts(OfOrganization, Page):
    """The organisation's contacts of today, of days to come, and those that are over."""

    title = "Contacts"
    lead = "Name, e-mail and telephone are kept encrypted. Who has to do with the organization sees for what there is a contact today."
    template_name = "registry/administration/contacts.html"

    def actions(self) -> list[tuple[str, str, bool]]:
        return [("New contact", self.address("admin_contact_new"), True)]

    def get_context_data(self, **kwargs) -> dict:
        rows = Contact.objects.filter(organization=self.organization).order_by("purpose", "id")
        today = set(rows.on(timezone.localdate()).values_list("pk", flat=True))
        shown = [(row, services.masked(row), row.pk in today) for row in rows]
        return super().get_context_data(**{"contacts": shown} | kwargs)


class OfContacts(OfOrganization):
    """A page below the contacts."""

    model, key = Contact, "pk"
    back, back_title = "admin_contacts", "Contacts"

    @cached_property
    def contact(self) -> Contact:
        rows = Contact.objects.filter(organization=self.organization).select_related("organization")
        return get_object_or_404(rows, pk=self.kwargs["pk"])

    def done_url(self, result) -> str:
        return self.address(self.back)


class NewContact(OfContacts, Create):
    """A new contact."""

    title = "New contact"
    form_class = ContactForm
    success = "The contact is named."

    @cached_property
    def contact(self) -> Contact:
        return Contact(organization=self.organization)

    def get_form_kwargs(self) -> dict:
        return {"contact": self.contact}

    def perform(self, form) -> Contact:
        reason = "Changed a contact" if self.contact.pk else "Named a contact"
        values = form.filled()
        return services.save_contact(actor=self.request.user, contact=self.contact, values=values, reason=reason)


class ChangeContact(Held, NewContact):
    """Another person, purpose or day; what is left empty stays."""

    title = "Change a contact"
    success = "The contact is changed."
    contact = OfContacts.contact

    def carry_out(self) -> Contact:
        with transaction.atomic():
            self.require_opened(self.contact)
            return super().carry_out()

    def get_context_data(self, **kwargs) -> dict:
        return super().get_context_data(**{FIELD: version_of(self.contact)} | kwargs)


class RemoveContact(OfContacts, End):
    """A contact goes for good, with the key of who it was: asked once more."""

    title = "Take a contact out"
    template_name = "portal/confirm.html"
    form_class = EndForm
    submit_label = "Take it out"
    success = "The contact is taken out."

    @property
    def ended(self) -> Contact:
        return self.contact

    def perform(self, form) -> None:
        services.remove_contact(actor=self.request.user, contact=self.contact)

    def get_context_data(self, **kwargs) -> dict:
        return super().get_context_data(**{"danger": True, "message": str(self.contact)} | kwargs)


class RevealContact(Reveal):
    """A contact in full, for whoever may see personal data of the organisation."""

    title = "Contact in full"
    lead = "Who looks, when, at what and what for stands in the access log."

    @cached_property
    def organization(self) -> Organization:
        return get_object_or_404(administered(self.request.user, EVERY), slug=self.kwargs["slug"])

    def get_record(self) -> Contact | None:
        rows = Contact.objects.filter(organization=self.organization).select_related("organization")
        return rows.filter(pk=self.kwargs["pk"]).first()

    def may(self, record: Contact) -> bool:
        return services.may_reveal(self.request.user, record)

    def back(self) -> str:
        return OfOrganization.address(self, "admin_contacts")
