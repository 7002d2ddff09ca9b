"""Write a registration with its parts, sign the agreement, and decide it."""

from collections.abc import Mapping
from datetime import date

from django.db import IntegrityError
from django.db.backends.postgresql.psycopg_any import DateRange
from django.urls import reverse
from django.utils import timezone

from moc.access import policy
from moc.access.models import Organization, User
from moc.documents.models import Document
from moc.documents.services import store
from moc.errors import Conflict, UserError
from moc.history import acting
from moc.notices.services import tell
from moc.vault import services as vault
from moc.vault.models import SealedFacts
from moc.vault.services import pack
from registry.aggregators import reports
from registry.aggregators.models import AggregatorRegistration, AgreementSignature, Certification, Officer, RtoMembership
from registry.participants.services import opened

WRITES, DECIDES = "register_aggregator", "admit_aggregators"
FACTS = ("rerra", "legal_form", "formed_in", "address", "website")
Status = AggregatorRegistration.Status


def start(*, actor, aggregator: Organization, rerra: Organization, tax_id: str = "", **facts) -> AggregatorRegistration:
    """Begin a registration with a regulator; `facts` are of FACTS. Raises Conflict when there is one already."""
    policy.require(actor, WRITES, aggregator)
    _regulates(rerra)
    with acting(actor, "Began the registration"):
        if AggregatorRegistration.objects.filter(aggregator=aggregator).exists():
            raise Conflict(f"{aggregator} has a registration already.", "Change that one.", "REGISTRATION-ONCE")
        made = AggregatorRegistration(aggregator=aggregator, rerra=rerra, **facts)
        if tax_id:
            _seal(made, {"tax_id": tax_id})
        made.save(force_insert=True)
    return made


def change(*, actor, registration: AggregatorRegistration, tax_id: str = "", **facts) -> AggregatorRegistration:
    """Change the company's facts; an empty tax id keeps the one on record. The regulator of a registered company is told."""
    policy.require(actor, WRITES, registration.aggregator)
    _regulates(facts.get("rerra", registration.rerra))
    with acting(actor, "Changed the registration"):
        held = _editable(registration)
        if held.status == Status.REGISTERED and facts.get("rerra", held.rerra) != held.rerra:
            raise UserError("A registered aggregator keeps its regulator.", "Ask the regulator.", "REGISTRATION-REGULATOR")
        for name, value in facts.items():
            setattr(held, name, value)
        if tax_id:
            _seal(held, {"tax_id": tax_id})
        held.save()
        if held.status == Status.REGISTERED:
            _tell(held.rerra, DECIDES, held, f"{held.aggregator} changed its registration")
    return held


def move(*, actor, registration: AggregatorRegistration, name: str, reason: str = "") -> None:
    """Submit, take back, register or return. One that lacks something is not submitted. Raises UserError, Conflict."""
    transition_ = AggregatorRegistration.lifecycle.transitions[name]
    deciding = transition_.permission == DECIDES
    policy.require(actor, transition_.permission, registration.rerra if deciding else registration.aggregator)
    values = {"decided_by": actor} if deciding else {"submitted_by": actor, "decided_by": None}
    if name == "register":
        values["registered_on"] = timezone.localdate()
    with acting(actor, reason or transition_.title):
        if name in ("submit", "register") and (lacking := reports.missing(registration)):
            raise UserError(f"The registration lacks {', '.join(lacking)}.", "Add what is missing.", "REGISTRATION-INCOMPLETE")
        rows = AggregatorRegistration.objects.filter(pk=registration.pk)
        AggregatorRegistration.lifecycle.move(rows, name, actor=actor, reason=reason, **values)
        if deciding:
            said = "registered" if name == "register" else f"returned: {reason}"
            _tell(registration.aggregator, WRITES, registration, f"The registration of {registration.aggregator} is {said}")
        elif name == "submit":
            _tell(registration.rerra, DECIDES, registration, f"{registration.aggregator} submitted its registration")


def sign(*, actor: User, aggregator: Organization, version: str, signed_as: str) -> AgreementSignature:
    """Sign the participation agreement in force, which attests compliance (¶352). A person signs, not a program.

    Raises UserError when another version is in force, Conflict when it is signed already.
    """
    policy.require(actor, WRITES, aggregator)
    if actor.kind == User.Kind.MACHINE:
        raise policy.NotPermitted("A person signs for the aggregator.")
    with acting(actor, f"Signed the participation agreement ({version})"):
        text = reports.agreement()
        if version != text.version:
            raise UserError(f"The agreement in force is version {text.version}.", "Read it again, then sign it.", "AGREEMENT-VERSION")
        if reports.signature(aggregator.pk):
            raise Conflict("This version is signed already.", "Nothing is to be done.", "AGREEMENT-SIGNED")
        return AgreementSignature.objects.create(
            aggregator=aggregator,
            agreement=text.row,
            version=text.version,
            text=text.text,
            text_sha256=text.digest,
            signed_by=actor,
            signed_as=signed_as,
        )


def add_officer(*, actor, aggregator: Organization, title: str, signs: bool, **personal: str) -> Officer:
    """Name an officer; `personal` are name, email and phone, which are sealed."""
    policy.require(actor, WRITES, aggregator)
    with acting(actor, "Named an officer"):
        officer = Officer(aggregator=aggregator, title=title, signs=signs)
        _seal(officer, personal)
        officer.save(force_insert=True)
    return officer


def remove_officer(*, actor, officer: Officer) -> None:
    """Take an officer out; the key is destroyed, so that history names nobody."""
    policy.require(actor, WRITES, officer.aggregator)
    with acting(actor, "Removed an officer"):
        vault.destroy([officer.subject])
        officer.delete()


def add_certification(
    *, actor, aggregator: Organization, kind: str, issuer: str, expires_on: date, number: str = "", evidence=None
) -> Certification:
    """Add a certification; `evidence` is an upload, which the regulator may read. Raises UserError for one that has expired."""
    policy.require(actor, WRITES, aggregator)
    if expires_on < timezone.localdate():
        raise UserError("The certification has expired.", "Add one that is valid.", "CERTIFICATION-EXPIRED")
    with acting(actor, f"Added a certification: {Certification.Kind(kind).label}"):
        regulator = AggregatorRegistration.objects.filter(aggregator=aggregator).select_related("rerra").first()
        reader = regulator.rerra if regulator else None
        kept = evidence and store(actor=actor, owner=aggregator, kind=Document.Kind.EVIDENCE, upload=evidence, counterparty=reader)
        given = {"kind": kind, "issuer": issuer, "expires_on": expires_on, "number": number}
        return Certification.objects.create(aggregator=aggregator, evidence=kept or None, **given)


def withdraw_certification(*, actor, certification: Certification) -> None:
    """A certification no longer counts; a required one is renewed first, or filing stops."""
    policy.require(actor, WRITES, certification.aggregator)
    with acting(actor, "Withdrew a certification"):
        Certification.objects.standing().filter(pk=certification.pk).update(withdrawn_on=timezone.localdate())


def add_membership(*, actor, aggregator: Organization, tso: Organization, member_no: str, starts_on: date) -> RtoMembership:
    """The aggregator is a member of an RTO from a day on. Raises Conflict when it is already."""
    policy.require(actor, WRITES, aggregator)
    if tso.kind != Organization.Kind.TSO:
        raise UserError("Only an RTO or ISO has members.", "Choose a transmission operator.", "MEMBERSHIP-RTO")
    try:
        with acting(actor, f"Became a member of {tso}"):
            days = DateRange(starts_on, None)
            return RtoMembership.objects.create(aggregator=aggregator, tso=tso, member_no=member_no, valid_during=days)
    except IntegrityError as error:
        raise Conflict(
            f"{aggregator} is a member of {tso} on some of these days.", "End that membership first.", "MEMBERSHIP-ONCE"
        ) from error


def end_membership(*, actor, membership: RtoMembership) -> None:
    """The membership ends today. Raises Conflict when it has ended."""
    policy.require(actor, WRITES, membership.aggregator)
    with acting(actor, f"Left {membership.tso}"):
        first, last, today = membership.valid_during.lower, membership.valid_during.upper, timezone.localdate()
        if last is not None and last <= today:
            raise Conflict("The membership has ended already.", "Nothing is to be done.", "MEMBERSHIP-ENDED")
        RtoMembership.objects.filter(pk=membership.pk).update(valid_during=DateRange(first, max(first, today)))


def _regulates(rerra: Organization) -> None:
    if rerra.kind != Organization.Kind.RERRA or not rerra.is_active:
        raise UserError("Only a retail regulator registers aggregators.", "Choose a regulator.", "REGISTRATION-REGULATOR")


def _editable(registration: AggregatorRegistration) -> AggregatorRegistration:
    held = AggregatorRegistration.objects.select_for_update(of=("self",)).select_related("aggregator", "rerra").get(pk=registration.pk)
    if held.status == Status.SUBMITTED:
        raise Conflict("The registration is under review.", "Take it back first.", "REGISTRATION-REVIEW")
    return held


def _seal(record: SealedFacts, given: Mapping[str, str]) -> None:
    """Other personal values under a new key; what is not given is kept, and the key before is destroyed."""
    former = record.subject
    values = opened(record) | {name: given[name] for name in record.personal if name in given}
    sealed = vault.ring_of(record.holder_id).seal(pack(list(values.values())), record.about())
    vault.keep([sealed])
    record.subject, record.sealed = sealed.subject, sealed.sealed
    record.filled = sum(bool(values[name]) << place for place, name in enumerate(record.personal))
    if former:
        vault.destroy([former])


def _tell(organization: Organization, permission: str, registration: AggregatorRegistration, subject: str) -> None:
    url = reverse("registry:aggregator_detail", args=[registration.uuid])
    tell(organization, permission, event="registration", subject=subject, url=url)
