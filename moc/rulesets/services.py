"""Load the shipped rule set rows; draft, schedule and withdraw changes of them."""

from datetime import date

from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils import timezone

from moc.access import policy, visibility
from moc.access.models import Organization, User
from moc.errors import Conflict, UserError
from moc.history import acting
from moc.rulesets.defaults import ROWS
from moc.rulesets.kinds import KINDS, check
from moc.rulesets.models import RuleChange, RuleSet

STARTS = date(2020, 1, 1)
PERMISSION = "set_law"


def load() -> int:
    """Add the shipped rows whose key and authority are not there yet; rows that people changed stay. Returns how many were added."""
    known = set(RuleSet.objects.values_list("key", "authority"))
    rows = [
        RuleSet(
            key=key, authority=authority, value=value, unit=unit, source=source, verified=verified, valid_during=DateRange(STARTS, None)
        )
        for key, authority, value, unit, source, verified in ROWS
        if (key, authority) not in known
    ]
    with acting(None, "system: load_rulesets"):
        return len(RuleSet.objects.bulk_create(rows))


@transaction.atomic
def draft(*, actor, organization: Organization, key: str, value, source: str, starts_on: date, authority: str = "") -> RuleChange:
    """Prepare a row for an authority from a day on. An RTO or a regulator drafts for itself, the operator for any authority.

    Raises UserError for a value of another type, for a day that is past and for an authority that is not the organisation's.
    """
    policy.require(actor, PERMISSION, organization)
    if organization.kind != Organization.Kind.OPERATOR:
        if authority not in ("", organization.slug):
            raise UserError(f"{organization} sets the law of {organization.slug} only.", "Leave the authority empty.", "RULESET-AUTHORITY")
        authority = organization.slug
    if key == visibility.KEY and organization.kind not in (Organization.Kind.OPERATOR, Organization.Kind.RERRA):
        raise UserError("A regulator tightens what is seen.", "Ask the regulator of the utilities concerned.", "VISIBILITY-AUTHORITY")
    check(key, value)
    if starts_on < timezone.localdate():
        raise UserError("A change begins today or later.", "Choose a later day.", "STARTS-ON")
    kind = KINDS.get(key)
    with acting(actor, f"Rule change drafted: {key} {authority}".strip()):
        return RuleChange.objects.create(
            organization=organization,
            key=key,
            authority=authority,
            value=value,
            unit=kind.unit if kind else "",
            source=source,
            starts_on=starts_on,
            drafted_by=actor,
        )


@transaction.atomic
def schedule(*, actor, change: RuleChange) -> RuleSet:
    """Put a draft in force from its day on, by another person than drafted it: the row before it ends on that day.

    Raises NotPermitted for a machine, UserError for one's own draft and for a day that has passed, Conflict where a row for later days
    stands already.
    """
    policy.require(actor, PERMISSION, change)
    if actor.kind != User.Kind.PERSON:  # else whoever drafted it could use a program of the same organisation
        raise policy.NotPermitted("A person puts a change of the law in force.")
    change = RuleChange.objects.select_for_update().get(pk=change.pk)
    if change.drafted_by_id == actor.pk:
        raise UserError("Another person puts a change in force than the one who drafted it.", "Ask a colleague.", "FOUR-EYES")
    if change.starts_on < timezone.localdate():
        raise UserError("The day from which it was to hold has passed.", "Draft it again with a later day.", "STARTS-ON")
    with acting(actor, f"Rule change in force from {change.starts_on}: {change.source}"[:300]):
        _end_before(change)
        row = change.as_row()
        row.save(force_insert=True)
        RuleChange.lifecycle.move(
            RuleChange.objects.filter(pk=change.pk), "schedule", actor=actor, reason=change.source[:300], scheduled_by=actor, row=row
        )
    return row


def _end_before(change: RuleChange) -> None:
    """End the row that is in force on the day on which the change begins."""
    rows = RuleSet.objects.select_for_update().filter(key=change.key, authority=change.authority)
    for row in rows.filter(valid_during__overlap=DateRange(change.starts_on, None)):
        if row.valid_during.lower is not None and row.valid_during.lower >= change.starts_on:
            raise Conflict(f"A row from {row.valid_during.lower} on stands already.", "Choose a later day, or change that row.")
        row.valid_during = DateRange(row.valid_during.lower, change.starts_on)
        row.save(update_fields=["valid_during"])


def withdraw(*, actor, change: RuleChange) -> None:
    """Give a draft up."""
    policy.require(actor, PERMISSION, change)
    RuleChange.lifecycle.move(RuleChange.objects.filter(pk=change.pk), "withdraw", actor=actor)
