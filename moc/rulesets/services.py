"""Load the shipped rule set rows."""

from datetime import date

from django.db.backends.postgresql.psycopg_any import DateRange

from moc.history import acting
from moc.rulesets.defaults import ROWS
from moc.rulesets.models import RuleSet

STARTS = date(2020, 1, 1)


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
