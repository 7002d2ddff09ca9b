"""Overrides: a utility or its regulator qualifies or bars a DER or an aggregation against the rules, with a reason, until it ends."""

from django.db import transaction
from django.utils import timezone

from moc.access import policy
from moc.access.models import Organization, Oversight, User
from moc.errors import Conflict, UserError
from moc.history import acting
from registry.aggregations.models import Aggregation
from registry.catalogue.models import GridService
from registry.ders.models import Der
from registry.prequalification.models import Offer, QualificationOverride
from registry.prequalification.services import passes

PERMISSION = "override_qualification"


def utility_of(subject: Der | Aggregation) -> Organization | None:
    """The utility whose word counts: a DER's own; of an aggregation the one of its offers, none where its members are at several."""
    if isinstance(subject, Der):
        return subject.edc
    offer = Offer.objects.filter(aggregation=subject).exclude(edc=None).select_related("edc").first()
    return offer.edc if offer else None


def authority_over(actor, subject: Der | Aggregation) -> Organization | None:
    """The utility of a subject, or a regulator of that utility, for which the actor may override; None for anybody else."""
    reach, edc = policy.reach(actor, PERMISSION), utility_of(subject)
    if edc is None:
        return None
    if edc.pk in reach:
        return edc
    over = Oversight.objects.filter(overseen=edc, overseer__in=reach).select_related("overseer").first()
    return over.overseer if over else None


def _required(actor, subject: Der | Aggregation) -> Organization:
    by = authority_over(actor, subject)
    if by is None:
        raise policy.NotPermitted("Its utility overrides a verdict, or that utility's regulator.")
    return by


@transaction.atomic
def override(*, actor, subject: Der | Aggregation, service: GridService, eligible: bool, reason: str) -> QualificationOverride:
    """Qualify or bar a subject for a service against the rules, in the place of an override that stands; its verdicts follow at once.

    Raises UserError without a reason, or for a service that an aggregation does not seek; NotPermitted for whoever is neither its
    utility nor that utility's regulator.
    """
    by = _required(actor, subject)
    if not reason.strip():
        raise UserError("An override needs a reason.", "Write why the rules do not decide here.", "OVERRIDE-REASON")
    if isinstance(subject, Aggregation) and service.pk not in subject.services:
        raise UserError(f"{subject} does not seek {service}.", "Choose a service that it seeks.", "OVERRIDE-SERVICE")
    with acting(actor, reason):
        _end(subject, service)
        made = QualificationOverride.objects.create(
            **_named(subject),
            service=service,
            aggregator_id=subject.aggregator_id,
            edc=utility_of(subject),
            by=by,
            eligible=eligible,
            reason=reason,
            made_by=actor,
        )
    _judge(subject)
    return made


@transaction.atomic
def end_override(*, actor, override: QualificationOverride) -> None:
    """Let the rules decide again. Raises Conflict for one that has ended."""
    subject = override.der or override.aggregation
    _required(actor, subject)
    with acting(actor, f"Override ended: {override.reason}"[:300]):
        if not _end(subject, override.service, pk=override.pk):
            raise Conflict("The override has ended already.", "Reload the page.")
    _judge(subject)


@transaction.atomic
def lift(*, actor, override: QualificationOverride, statement: str, decided_by: User, authority: Organization | None = None) -> None:
    """Let the rules decide again at the end of a dispute: by the word of two people, of an authority or of both parties (¶299).

    Raises UserError for one person's word, Conflict for an override that has ended.
    """
    policy.require(actor, "determine_disputes" if authority else "pursue_disputes", authority or override)
    if actor == decided_by:
        raise UserError("What ends a dispute is the word of two people.", "Ask the other.", "FOUR-EYES")
    subject = override.der or override.aggregation
    with acting(actor, f"Override ended by a dispute: {statement}"[:300]):
        if not _end(subject, override.service, pk=override.pk):
            raise Conflict("The override has ended already.", "Reload the page.")
    _judge(subject)


def _named(subject: Der | Aggregation) -> dict:
    return {"der" if isinstance(subject, Der) else "aggregation": subject}


def _end(subject: Der | Aggregation, service: GridService, **which) -> int:
    rows = QualificationOverride.objects.filter(**_named(subject), service=service, ended_at=None, **which)
    return rows.update(ended_at=timezone.now())


def _judge(subject: Der | Aggregation) -> None:
    """The verdicts that an override changes, and those of aggregations that the DER is in."""
    if isinstance(subject, Der):
        passes.qualify(ders=[subject.pk])
    else:
        passes.qualify(ders=[], aggregations=[subject.pk])
