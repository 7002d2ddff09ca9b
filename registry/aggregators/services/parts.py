"""The parts of a registration by kind (officers, contacts, certifications, memberships), and its personal data in full."""

from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.db.models import Max
from django.utils import timezone

from moc.access import policy
from moc.access.models import Organization
from moc.accesslog.services import note
from moc.errors import UserError
from moc.vault.models import SealedFacts
from registry.aggregators.models import AggregatorRegistration
from registry.aggregators.services import registering
from registry.participants import services as participants
from registry.participants.models import Contact
from registry.participants.services import REVEALING

SOURCES = {
    "officers": lambda aggregator: aggregator.officers.all(),
    "contacts": lambda aggregator: aggregator.contacts.order_by("purpose", "id"),
    "certifications": lambda aggregator: aggregator.certifications.standing(),
    "memberships": lambda aggregator: aggregator.rto_memberships.select_related("tso").order_by("-valid_during"),
}


def rows(kind: str, aggregator: Organization) -> list:
    """The parts of a kind that stand."""
    return list(SOURCES[kind](aggregator))


def latest_version(parts: list) -> int:
    """The number of the latest version of any of some parts of a kind; 0 for none."""
    if not parts:
        return 0
    versions = type(parts[0]).history.model.objects.filter(id__in=[part.pk for part in parts])
    return versions.aggregate(latest=Max("history_id"))["latest"] or 0


def add(*, actor, aggregator: Organization, part: str, **given):
    """Add a part (its name in SOURCES) by the service of its kind; raises as that does."""
    if part == "contacts":
        return _add_contact(actor, aggregator, **given)
    service = {
        "officers": registering.add_officer,
        "certifications": registering.add_certification,
        "memberships": registering.add_membership,
    }[part]
    return service(actor=actor, aggregator=aggregator, **given)


def _add_contact(actor, aggregator: Organization, purpose: str, **personal: str) -> Contact:
    policy.require(actor, registering.WRITES, aggregator)
    contact = Contact(organization=aggregator, purpose=purpose, valid_during=DateRange(timezone.localdate(), None))
    return participants.save_contact(actor=actor, contact=contact, values=personal, reason="Named a contact")


def end(*, actor, kind: str, part) -> None:
    """Take a part out by the service of its kind."""
    if kind == "contacts":
        policy.require(actor, registering.WRITES, part.organization)
        participants.remove_contact(actor=actor, contact=part)
    elif kind == "officers":
        registering.remove_officer(actor=actor, officer=part)
    elif kind == "certifications":
        registering.withdraw_certification(actor=actor, certification=part)
    else:
        registering.end_membership(actor=actor, membership=part)


def may_reveal(user, registration: AggregatorRegistration) -> bool:
    """Those who write the registration, and those who review it."""
    writes = policy.allows(user, registering.WRITES, registration.aggregator)
    return writes or policy.allows(user, registering.DECIDES, registration.rerra)


def personal(registration: AggregatorRegistration) -> list[tuple[str, SealedFacts]]:
    """(title, record) of everything sealed in a registration."""
    aggregator = registration.aggregator
    found = [("Company", registration)]
    found += [(officer.title, officer) for officer in rows("officers", aggregator)]
    return found + [(contact.get_purpose_display(), contact) for contact in rows("contacts", aggregator)]


def masked(registration: AggregatorRegistration) -> list[tuple]:
    """Groups of facts: that there are values."""
    return [(title, participants.labelled(participants.masked(record))) for title, record in personal(registration)]


def reveal(*, actor, registration: AggregatorRegistration, purpose: str, text: str = "") -> list[tuple]:
    """Groups of facts in full, once the look is in the access log. Raises NotPermitted; UserError without a purpose."""
    if actor is not None and not may_reveal(actor, registration):
        raise policy.NotPermitted(f"{actor} may not see these personal data.")
    if purpose not in REVEALING:
        raise UserError("Say what the personal data are needed for.", "Choose one of the purposes.", "PURPOSE")
    found = personal(registration)
    with transaction.atomic():
        values = [participants.opened(record) for _, record in found]
        note(
            actor=actor,
            holder=registration.aggregator_id,
            filed_by=None,
            record=str(registration._meta.verbose_name),
            subject=registration.subject,
            columns=sorted({name for each in values for name, value in each.items() if value}),
            purpose=purpose,
            text=text,
        )
    return [(title, participants.labelled(each)) for (title, _), each in zip(found, values, strict=True)]
