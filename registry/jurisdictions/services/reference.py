"""Public reference data about utilities: jurisdictions, sales, affiliations. The operator keeps them, nobody that they are about."""

from datetime import date

from django.db.backends.postgresql.psycopg_any import DateRange

from moc.access import policy
from moc.errors import UserError
from moc.history import acting
from registry.jurisdictions.models import Affiliation, AnnualSales, Jurisdiction

PERMISSION = "manage_grid"
Record = Jurisdiction | AnnualSales | Affiliation


def _require(actor, record: Record) -> None:
    policy.require(actor, PERMISSION, record)
    if not policy.operates(actor, PERMISSION):
        raise policy.NotPermitted("The operator keeps public reference data.")


def add(*, actor, record: Record) -> Record:
    """Keep a new record. Raises ValidationError by field, also where it collides with another."""
    _require(actor, record)
    with acting(actor, f"Added: {record}"[:300]):
        record.full_clean()
        record.save(force_insert=True)
    return record


def end(*, actor, record: Jurisdiction | Affiliation, on: date) -> None:
    """The record holds until a day, the first without it. Raises UserError for a day before it began, or after its end."""
    _require(actor, record)
    days = record.valid_during
    if (days.lower is not None and on <= days.lower) or (days.upper is not None and on > days.upper):
        raise UserError("It does not hold on the day before.", "Choose a day after its first one.", "DAYS")
    with acting(actor, f"Ended on {on}"):
        type(record).objects.filter(pk=record.pk).update(valid_during=DateRange(days.lower, on))
