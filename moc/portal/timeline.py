"""The timeline of a recorded object: every version, who, when, why, and what changed, field by field; for any model in one query.

Names of related records cost one query per foreign key that ever changed, however many versions there are.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

from django.db.models import ForeignKey, QuerySet

KINDS = {"+": "created", "~": "changed", "-": "removed"}
LIMIT = 200


@dataclass
class VersionShown:
    """One version: `changes` are (label, before, after) against the version before it that the reader may see."""

    kind: str
    when: datetime
    who: str
    why: str
    changes: list[tuple[str, object, object]]
    history_id: int


def timeline(versions: QuerySet, *, names: bool = True, limit: int = LIMIT) -> list[VersionShown]:
    """The newest `limit` versions of one object, newest first. Without `names` people are not named."""
    people = versions.select_related("history_user") if names else versions
    rows = list(people.order_by("-history_date", "-history_id")[: limit + 1])
    differences = [_changed(new, old) for new, old in zip(rows, [*rows[1:], None], strict=False)]  # none where the reader sees no version
    labels = _related(rows, differences)
    return [
        VersionShown(
            kind=KINDS[row.history_type],
            when=row.history_date,
            who=_who(row, names),
            why=row.history_change_reason or "",
            changes=[_shown(field, old, new, labels) for field, old, new in changes],
            history_id=row.history_id,
        )
        for row, changes in zip(rows[:limit], differences, strict=False)
    ]


def differences(new, old) -> list[tuple[str, object, object]]:
    """What changed from one version to another, as (label, before, after)."""
    changes = _changed(new, old)
    labels = _related([new, old], [changes])
    return [_shown(field, before, after, labels) for field, before, after in changes]


def _changed(new, old) -> list[tuple]:
    """(field, before, after) of every tracked field that differs; nothing for a first version."""
    if old is None:
        return []
    pairs = ((field, getattr(old, field.attname), getattr(new, field.attname)) for field in type(new).tracked_fields)
    return [(field, before, after) for field, before, after in pairs if before != after]


def _who(row, names: bool) -> str:
    if row.history_user_id is None:
        return "the system"
    return str(row.history_user) if names else "a person (named to auditors)"


def _related(rows: list, differences: list[list]) -> dict:
    """What changed foreign keys point at, by field name and key."""
    keys = defaultdict(set)
    fields = {}
    for changes in differences:
        for field, *values in changes:
            if isinstance(field, ForeignKey):
                fields[field.name] = field
                keys[field.name] |= {value for value in values if value is not None}
    return {name: fields[name].related_model._base_manager.in_bulk(found) for name, found in keys.items()}


def _shown(field, before, after, labels: dict) -> tuple[str, object, object]:
    label = str(field.verbose_name)
    return label[:1].upper() + label[1:], _value(field, before, labels), _value(field, after, labels)


def _value(field, value, labels: dict):
    """A value in words: a choice's label, a related record's name."""
    if isinstance(field, ForeignKey):
        return labels[field.name].get(value, value)
    choices = dict(getattr(field, "base_field", field).flatchoices or ())
    if not choices:
        return value
    return [choices.get(part, part) for part in value] if isinstance(value, list) else choices.get(value, value)
