"""Owners and contacts as people gave them: sealed, indexed blindly, masked, opened (N12). Utilities' profiles by day (R6)."""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import NamedTuple
from uuid import UUID

from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.db.models import QuerySet
from django.utils import timezone

from moc import sight
from moc.access import policy
from moc.accesslog.models import AccessEntry
from moc.accesslog.services import note
from moc.errors import UserError
from moc.history import acting
from moc.vault import services as vault
from moc.vault.models import DataKey, SealedFacts
from moc.vault.services import Ring, open_all, pack
from registry.participants.models import (
    OWNER_FIELDS,
    UTILITY_FACTS,
    Consent,
    Contact,
    DerOwner,
    OwnerFacts,
    UtilityPeriod,
    UtilityProfile,
)

PROFILES, CONTACTS = "manage_grid", "manage_members"
MASK, ERASED = "••••••", "erased"
REVEALING = [purpose for purpose in AccessEntry.Purpose if purpose not in (AccessEntry.Purpose.ERASURE, AccessEntry.Purpose.TAKEOUT)]
NAMES = tuple(OWNER_FIELDS)
LABELS = {
    "edc_account_no": "Utility account",
    "owner_name": "Name",
    "owner_email": "E-mail",
    "owner_phone": "Telephone",
    "tax_id": "Tax id",
    "name": "Name",
    "email": "E-mail",
    "phone": "Telephone",
}
LENGTHS = tuple(field.max_length for field in OWNER_FIELDS.values())
ODD_EMAIL = 1 << len(NAMES)  # flaws: a bit for each column whose text is too long, and this one
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")


class OwnerSealed(NamedTuple):
    """The columns of OwnerFacts and the wrapped key. `flaws` and `earlier_index` as StagedOwner has them."""

    subject: UUID | None
    wrapped: bytes | None
    sealed: bytes
    filled: int
    data_key_id: int
    account_index: bytes | None
    digest: bytes | None
    flaws: int
    earlier_index: bytes | None

    def columns(self, of: type[OwnerFacts]) -> dict[str, object]:
        """The values by column, as far as the model has them."""
        names = {field.attname for field in of._meta.concrete_fields}
        return {name: value for name, value in self._asdict().items() if name in names}


def seal_owner(ring: Ring, about: bytes, given: Sequence[str], former: Ring | None = None, noise: bytes = b"") -> OwnerSealed:
    """An owner's texts in the order of NAMES, sealed under a key of their own; nothing is written. One that is too long counts as empty.

    `former` is the data key that the ring's is replacing, while it does; `noise` as Ring.seal has it.
    """
    values, flaws, filled = [], 0, 0
    for place, (text, longest) in enumerate(zip(given, LENGTHS, strict=True)):
        if len(text) > longest:
            flaws |= 1 << place
            text = ""
        if text:
            filled |= 1 << place
        values.append(text)
    if not filled:
        return OwnerSealed(None, None, b"", 0, ring.pk, None, None, flaws, None)
    account, _, email, _ = values
    if email and not _EMAIL.fullmatch(email):
        flaws |= ODD_EMAIL
    packed = pack(values)
    kept = ring.seal(packed, about, noise)
    return OwnerSealed(
        kept.subject,
        kept.wrapped,
        kept.sealed,
        filled,
        ring.pk,
        account_index(ring, account) if account else None,
        _digest(ring, packed),
        flaws,
        account_index(former, account) if account and former else None,
    )


def account_index(ring: Ring, account: str) -> bytes:
    """The blind index of an account number."""
    return ring.blind(b"account", account.encode())


def indexes(ring: Ring, values: Sequence[str]) -> tuple[bytes | None, bytes]:
    """`account_index` and `digest` of an owner's values in the order of NAMES."""
    return account_index(ring, values[0]) if values[0] else None, _digest(ring, pack(values))


def _digest(ring: Ring, packed: bytes) -> bytes:
    return ring.blind(b"record", packed)


@sight.engine()
def account_indexes(account: str) -> list[bytes]:
    """An account number's blind index under every utility's data key: the number alone does not say whose it is."""
    utilities = list(UtilityProfile.objects.values_list("edc_id", flat=True))
    held = DataKey.objects.filter(organization__in=utilities, retired_at__isnull=True)
    return [account_index(vault.ring(key), account) for key in held]


def opened(record: SealedFacts | None) -> dict[str, str]:
    """The personal values of one record; empty texts where there are none."""
    found = open_all([record])[0] if record is not None else None
    return found or dict.fromkeys(record.personal if record is not None else NAMES, "")


def masked(record: SealedFacts) -> dict[str, str]:
    """What everybody sees of personal values who may know of them: whether there is one."""
    if getattr(record, "erased_at", None):
        return dict.fromkeys(record.personal, ERASED)
    return {name: MASK if record.is_filled(name) else "" for name in record.personal}


def labelled(values: Mapping[str, str]) -> list[tuple]:
    """Personal values as the rows of a group of facts."""
    return [(LABELS[name], value, None, None) for name, value in values.items()]


def may_reveal(actor, record: SealedFacts) -> bool:
    """Whether the actor may see the personal values of a record; contacts are seen by who keeps them too."""
    kept = isinstance(record, Contact) and policy.allows(actor, CONTACTS, record.organization)
    return kept or policy.allows(actor, "view_personal", record)


def reveal(*, actor, record: SealedFacts, purpose: str, text: str = "") -> dict[str, str]:
    """The personal values of one record in full, once the look is in the access log. Raises UserError without a purpose, or when erased.

    The actor is the system, or one who may_reveal the record.
    """
    if actor is not None and not may_reveal(actor, record):
        raise policy.NotPermitted(f"{actor} may not see these personal data.")
    if purpose not in REVEALING:
        raise UserError("Say what the personal data are needed for.", "Choose one of the purposes.", "PURPOSE")
    _require_consent(actor, record)
    with transaction.atomic():
        found = open_all([record])[0]
        if found is None:
            raise UserError("There are no personal data here: they were erased, or none were given.", "Nothing can be shown.", "ERASED")
        note(
            actor=actor,
            holder=record.holder_id,
            filed_by=record.filed_by_id,
            record=str(record._meta.verbose_name),
            subject=record.subject,
            columns=[name for name, value in found.items() if value],
            purpose=purpose,
            text=text,
        )
    return found


@sight.engine()
def _require_consent(actor, record: SealedFacts) -> None:
    """An aggregator whom the owner no longer lets see them is refused; the utility has its customer's data of its own."""
    if not isinstance(record, DerOwner) or actor is None or record.edc_id in policy.reach(actor, "view_personal"):
        return
    if Consent.objects.bars(record.pk, record.aggregator_id, Consent.Scope.CONTACT, timezone.localdate()):
        raise UserError("The owner has revoked the consent, or it has expired.", "Ask the owner for another one.", "CONSENT")


def days(first: date | None, last: date | None) -> DateRange:
    """Days from the first to the last, which is not among them. Raises UserError for none."""
    if first is not None and last is not None and last <= first:
        raise UserError("It would end before it begins.", "Choose a later day without it, or none.", "DAYS")
    return DateRange(first, last)


def save_contact(*, actor, contact: Contact, values: Mapping[str, str], reason: str) -> Contact:
    """Write a contact; personal values left out keep theirs. The actor administers the organisation's members."""
    policy.require(actor, CONTACTS, contact.organization)
    with acting(actor, reason):
        before = Contact.objects.filter(pk=contact.pk).first() if contact.pk else None
        kept = opened(before) if before else dict.fromkeys(contact.personal, "")
        _seal_contact(contact, kept | dict(values))
        contact.save()
    return contact


def remove_contact(*, actor, contact: Contact, reason: str = "Removed a contact") -> None:
    """Take a contact out, and destroy the key of who it was. The actor administers the organisation's members."""
    policy.require(actor, CONTACTS, contact.organization)
    with acting(actor, reason):
        vault.destroy([contact.subject])
        contact.delete()


def _seal_contact(contact: Contact, values: Mapping[str, str]) -> None:
    texts = [values[name] for name in contact.personal]
    sealed = vault.ring_of(contact.organization_id).seal(pack(texts), contact.about())
    vault.keep([sealed])
    contact.subject, contact.sealed = sealed.subject, sealed.sealed
    contact.filled = sum(bool(text) << place for place, text in enumerate(texts))


def _require_keeper(actor, profile: UtilityProfile) -> None:
    policy.require(actor, PROFILES, profile)
    if actor is not None and not policy.operates(actor, PROFILES):
        raise policy.NotPermitted("The operator keeps utilities' profiles.")


def add_profile(*, actor, **facts) -> UtilityProfile:
    """A utility's profile: `edc`, `eia_id` and UTILITY_FACTS. Raises ValidationError by field."""
    made = UtilityProfile(**facts)
    _require_keeper(actor, made)
    with acting(actor, f"Added: {made}"):
        made.full_clean()
        made.save(force_insert=True)
    return made


def change_profile(*, actor, profile: UtilityProfile, starts_on: date | None = None, **facts) -> bool:
    """Some UTILITY_FACTS are others from a day on (None: today), until the next change on record; days before keep theirs.

    The profile has them once the day has come. Returns whether anything changed; raises ValidationError by field.
    """
    _require_keeper(actor, profile)
    day = starts_on or timezone.localdate()
    with acting(actor, f"{'' if actor else 'system: '}profile from {day}"):
        held = UtilityProfile.objects.select_for_update().get(pk=profile.pk)
        standing = _standing(held, day)
        changed = {name: value for name, value in facts.items() if getattr(standing, name) != value}
        if changed:
            _begin(standing, day, changed)
            _bring_up(UtilityPeriod.objects.filter(edc=held.edc_id))
    return bool(changed)


def _standing(profile: UtilityProfile, day: date) -> UtilityPeriod:
    """The facts of a day; before the first change the profile's own, of all days."""
    known = UtilityPeriod.objects.filter(edc=profile.edc_id)
    if not known.exists():
        return UtilityPeriod(edc_id=profile.edc_id, valid_during=DateRange(None, None), **_facts_of(profile))
    return known.on(day).get()


def _begin(standing: UtilityPeriod, day: date, changed: dict) -> None:
    """From a day on the facts are others; those that began on it were wrong."""
    first, last = standing.valid_during.lower, standing.valid_during.upper
    if first == day:
        after = standing
    else:
        after = UtilityPeriod(edc_id=standing.edc_id, valid_during=DateRange(day, last), **_facts_of(standing))
        standing.valid_during = DateRange(first, day)
        standing.save()
    for name, value in changed.items():
        setattr(after, name, value)
    after.full_clean()
    after.save()


def _facts_of(facts: UtilityProfile | UtilityPeriod) -> dict:
    return {name: getattr(facts, name) for name in UTILITY_FACTS}


def take_effect() -> int:
    """Profiles have the facts of today; returns how many changed. Idempotent."""
    with acting(None, "system: profiles of the day"):
        return _bring_up(UtilityPeriod.objects.all())


def _bring_up(known: QuerySet[UtilityPeriod]) -> int:
    """Profiles that say otherwise than their period of today get its facts; inside acting()."""
    periods = {period.edc_id: period for period in known.on(timezone.localdate()).select_related("tso")}
    late = []
    for profile in UtilityProfile.objects.select_related("tso").filter(edc__in=periods):
        facts = _facts_of(periods[profile.edc_id])
        if facts != _facts_of(profile):
            late.append(profile)
            for name, value in facts.items():
                setattr(profile, name, value)
    return UtilityProfile.objects.bulk_update(late, UTILITY_FACTS)
