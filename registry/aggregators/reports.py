"""What stands between an aggregator and filing, and what its registration shows."""

from dataclasses import dataclass
from datetime import date
from hashlib import sha256

from django.utils import timezone

from moc.access.models import Organization
from moc.errors import UserError
from moc.rulesets.models import RuleSet
from registry.aggregators.models import (
    AggregatorRegistration,
    AgreementSignature,
    Certification,
    Officer,
    RtoMembership,
    Suspension,
)
from registry.participants import services as participants
from registry.participants.models import Contact

KEY = "participation_agreement"
PURPOSES = (Contact.Purpose.MARKET, Contact.Purpose.OPERATIONS, Contact.Purpose.CYBER, Contact.Purpose.BILLING)


@dataclass(frozen=True)
class Agreement:
    """The participation agreement in force: the rule set row, its version, text and hash."""

    row: RuleSet
    version: str
    text: str
    digest: str


def agreement(day: date | None = None) -> Agreement:
    """The text that aggregators sign, in force on a day."""
    row = RuleSet.objects.row_of(KEY, day or timezone.localdate())
    return Agreement(row, row.value["version"], row.value["text"], sha256(row.value["text"].encode()).hexdigest())


def signature(aggregator: int) -> AgreementSignature | None:
    """The aggregator's signature under the text in force."""
    found = AgreementSignature.objects.filter(aggregator=aggregator, text_sha256=agreement().digest)
    return found.select_related("signed_by").first()


def obstacles(aggregator: Organization, *, edcs=(), tso: int | None = None, day: date | None = None) -> list[UserError]:
    """Why the aggregator may not file now, the gravest first; nothing when it may. `edcs` and `tso`: with whom (ids)."""
    day = day or timezone.localdate()
    found = _suspended(aggregator, edcs, tso)
    status = AggregatorRegistration.objects.filter(aggregator=aggregator).values_list("status", flat=True).first()
    if status != AggregatorRegistration.Status.REGISTERED:
        words = AggregatorRegistration.Status(status).label.lower() if status else "not begun"
        found.append(
            UserError(
                f"{aggregator} is not registered as an aggregator: its registration is {words}.",
                "Complete the registration; the regulator reviews it.",
                "AGGREGATOR-UNREGISTERED",
            )
        )
    if signature(aggregator.pk) is None:
        found.append(
            UserError(
                f"The participation agreement in force (version {agreement(day).version}) is not signed.",
                "An administrator signs it on the page of the registration.",
                "AGREEMENT-UNSIGNED",
            )
        )
    return found + _expired(aggregator, day)


def _suspended(aggregator: Organization, edcs, tso: int | None) -> list[UserError]:
    rows = Suspension.objects.barring(aggregator.pk, edcs=edcs, tso=tso).select_related("authority")
    return [
        UserError(
            f"{row.authority} has suspended {aggregator} ({row.get_level_display().lower()}): {row.get_reason_display()}.",
            f"Ask {row.authority} for reinstatement; registered DERs stay as they are.",
            "AGGREGATOR-SUSPENDED",
        )
        for row in rows
    ]


def _expired(aggregator: Organization, day: date) -> list[UserError]:
    return [
        UserError(
            f"The certification “{Certification.Kind(kind).label}” of {aggregator} expired on {last:%d %b %Y}.",
            "Add its renewal to the registration; registered DERs stay as they are.",
            "CERTIFICATION-EXPIRED",
        )
        for kind, last in Certification.objects.last_days(aggregator.pk).items()
        if last < day
    ]


def missing(registration: AggregatorRegistration) -> list[str]:
    """What a registration lacks before the regulator can review it, in words."""
    aggregator = registration.aggregator
    contacts = set(Contact.objects.on(timezone.localdate()).filter(organization=aggregator).values_list("purpose", flat=True))
    named = (
        ("the tax id", registration.is_filled("tax_id")),
        ("the legal form", registration.legal_form),
        ("the state of formation", registration.formed_in),
        ("the registered address", registration.address),
        ("an officer who may sign", aggregator.officers.filter(signs=True).exists()),
        ("a certification with its evidence", aggregator.certifications.standing().filter(evidence__isnull=False).exists()),
        ("the signed participation agreement", signature(aggregator.pk)),
    )
    lacking = [f"a contact for {Contact.Purpose(purpose).label.lower()}" for purpose in PURPOSES if purpose not in contacts]
    return [words for words, given in named if not given] + lacking


def facts(registration: AggregatorRegistration) -> list:
    """A registration, or a version of it, as groups of facts; the tax id is masked."""
    company = registration.aggregator
    filled = registration.filled & 1
    about = [
        ("Legal name", company.legal_name or company.name),
        ("Legal form", registration.legal_form),
        ("State of formation", registration.formed_in),
        ("Registered address", registration.address),
        ("Website", registration.website),
        ("Tax id", participants.MASK if filled else ""),
    ]
    review = [("Regulator", registration.rerra.name), ("Registered on", registration.registered_on)]
    return [(title, [(label, value, None, None) for label, value in group]) for title, group in (("Company", about), ("Review", review))]


def part_facts(part) -> list[tuple[str, object]]:
    """(label, value) of an officer, a contact, a certification or a membership; personal values are masked."""
    if isinstance(part, Certification):
        return [("Kind", part.get_kind_display()), ("Issuer", part.issuer), ("Number", part.number), ("Valid until", part.expires_on)]
    if isinstance(part, RtoMembership):
        days = part.valid_during
        return [("RTO", part.tso.name), ("Member number", part.member_no), ("From", days.lower), ("Until", days.upper)]
    head = [("Office", part.title), ("May sign", part.signs)] if isinstance(part, Officer) else [("Purpose", part.get_purpose_display())]
    return head + [(participants.LABELS[name], value) for name, value in participants.masked(part).items()]


def suspension_facts(one: Suspension) -> list:
    """A suspension, or a version of it, as groups of facts."""
    about = [
        ("Aggregator", one.aggregator.name),
        ("By", one.authority.name),
        ("Level", one.get_level_display()),
        ("Reason", one.get_reason_display()),
        ("Statement", one.statement),
        ("Since", one.imposed_at),
        ("Lifted", one.lifted_at),
    ]
    return [("Suspension", [(label, value, None, None) for label, value in about])]
