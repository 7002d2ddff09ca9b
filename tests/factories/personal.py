"""Owners and contacts with their personal values sealed, as filings leave them."""

from datetime import date

from django.db.backends.postgresql.psycopg_any import DateRange

from moc.access.models import Organization
from moc.history import acting
from moc.vault import services as vault
from registry.participants import services as participants
from registry.participants.models import Contact, DerOwner, about_owner
from registry.participants.services import NAMES
from registry.submissions.models import StagedDer
from registry.submissions.personal import StagedOwner
from registry.submissions.services import owners
from tests.factories.world import REASON


def registered_owner(aggregator: Organization, edc: Organization, **values: str) -> DerOwner:
    """An owner record with these personal values by column."""
    with acting(None, REASON):
        texts = [values.get(name, "") for name in NAMES]
        sealed = participants.seal_owner(vault.ring_of(edc.pk), about_owner(aggregator.pk, edc.pk), texts)
        owners.keep_keys([sealed])
        return DerOwner.objects.create(aggregator=aggregator, edc=edc, **sealed.columns(DerOwner))


def filed_owner(row: StagedDer, **values: str) -> StagedOwner:
    """The owner of a filed row."""
    with acting(None, REASON):
        return owners.file_owner(row, values)


def contact(organization: Organization, **values: str) -> Contact:
    """A contact of an organisation, from 2020 on."""
    made = Contact(organization=organization, purpose="registry", valid_during=DateRange(date(2020, 1, 1), None))
    return participants.save_contact(actor=None, contact=made, values=values, reason=REASON)
