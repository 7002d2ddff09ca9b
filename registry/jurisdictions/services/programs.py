"""Terms of retail programs: drafted by one person, put in force by another."""

from django.db import IntegrityError, transaction
from django.db.backends.postgresql.psycopg_any import DateRange

from moc.access import policy
from moc.access.models import Organization, User
from moc.errors import Conflict, UserError
from moc.history import acting
from registry.jurisdictions.models import RetailProgram

PERMISSION = "manage_grid"


def draft(*, actor, edc: Organization, **terms) -> RetailProgram:
    """Terms to be, of a utility's program; `terms` are the columns that people fill in. Raises ValidationError by field."""
    made = RetailProgram(edc=edc, drafted_by=actor, **terms)
    policy.require(actor, PERMISSION, made)
    with acting(actor, f"Terms drafted: {made.code}"):
        made.full_clean()
        made.save(force_insert=True)
    return made


@transaction.atomic
def change(*, actor, program: RetailProgram, **terms) -> RetailProgram:
    """Change a draft, which becomes the changer's. Raises ValidationError by field, Conflict where the terms are a draft no more."""
    policy.require(actor, PERMISSION, program)
    held = RetailProgram.objects.select_for_update().get(pk=program.pk)
    if held.status != RetailProgram.Status.DRAFT:
        raise Conflict("Terms that were put in force stay as they are.", "Draft the terms that follow them.", "PROGRAM-SETTLED")
    with acting(actor, "Terms changed"):
        for name, value in (terms | {"drafted_by": actor}).items():
            setattr(held, name, value)
        held.full_clean()
        held.save()
    return held


@transaction.atomic
def move(*, actor, program: RetailProgram, name: str, reason: str = "") -> None:
    """Approve or withdraw a draft. Approved terms take the place of those before them from their first day on.

    Raises NotPermitted for a machine, UserError for one's own draft, Conflict where terms for later days stand already.
    """
    policy.require(actor, PERMISSION, program)
    if name == "approve" and actor.kind != User.Kind.PERSON:
        raise policy.NotPermitted("A person puts terms in force.")
    held = RetailProgram.objects.select_for_update().get(pk=program.pk)
    if name == "withdraw":
        RetailProgram.lifecycle.move(RetailProgram.objects.filter(pk=held.pk), name, actor=actor, reason=reason)
        return
    if held.drafted_by_id == actor.pk:
        raise UserError("Another person puts terms in force than the one who drafted them.", "Ask a colleague.", "FOUR-EYES")
    try:
        with transaction.atomic(), acting(actor, reason or f"Terms in force from {held.valid_during.lower}"):
            _end_before(held)
            RetailProgram.lifecycle.move(
                RetailProgram.objects.filter(pk=held.pk), name, actor=actor, reason=reason or "Terms approved", approved_by=actor
            )
    except IntegrityError as error:
        if "program_terms_once" not in str(error):
            raise
        sentence = "Other terms of this program are in force on some of these days."
        raise Conflict(sentence, "Choose other days.", "PROGRAM-OVERLAP") from error


def _end_before(program: RetailProgram) -> None:
    """The terms that are in force when these begin, and began before them, end there."""
    begins = program.valid_during.lower
    if begins is None:
        return
    same = RetailProgram.objects.approved().select_for_update().filter(edc=program.edc_id, code=program.code)
    for before in same.filter(valid_during__contains=begins, valid_during__startswith__lt=begins):
        before.valid_during = DateRange(before.valid_during.lower, begins)
        before.save(update_fields=["valid_during"])
