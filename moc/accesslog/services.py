"""Write down who looked at what, and who exported what."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from moc import sight
from moc.access import policy
from moc.access.models import Organization
from moc.accesslog.models import AccessEntry, ExportEntry
from moc.errors import UserError


def note(
    *, actor, holder: int, filed_by: int | None, record: str, subject: UUID | None, columns: Iterable[str], purpose: str, text: str = ""
) -> AccessEntry:
    """One entry, in the caller's transaction: what was not written down was not shown.

    Raises UserError for a purpose that is not of the closed list.
    """
    if purpose not in AccessEntry.Purpose.values:
        raise UserError("Say what the personal data are needed for.", "Choose one of the purposes.", "PURPOSE")
    said = {"record": record, "subject": subject, "columns": columns, "purpose": purpose, "text": text}
    with sight.engine():
        made = _entry(actor=actor, holder=holder, filed_by=filed_by, **said)
        made.save(force_insert=True)
    return made


@sight.engine()
def note_all(entries: Iterable[dict]) -> int:
    """Entries as `note` takes them, in one statement for many; returns how many."""
    return len(AccessEntry.objects.bulk_create(_entry(**said) for said in entries))


def _entry(*, actor, holder: int, filed_by: int | None, record: str, columns: Iterable[str], text: str = "", **said) -> AccessEntry:
    shown = {"record": record[:120], "columns": list(columns), "note": text[:300]}
    return AccessEntry(actor=actor, holder_id=holder, filed_by_id=filed_by, **shown, **said)


def exported(
    *,
    actor,
    what: str,
    format: str,
    rows: int | None,
    organization: Organization | None = None,
    holder: int | None = None,
    filters: dict | None = None,
    as_of: datetime | None = None,
    address: str = "",
    complete: bool = True,
) -> ExportEntry:
    """One entry for what left the platform. Without `organization` it is that of the actor, of several the first; some belong to none."""
    mine = [organization] if organization else sorted(policy.own_organizations(actor), key=lambda each: each.pk)
    with sight.engine():
        return ExportEntry.objects.create(
            actor=actor,
            organization=mine[0] if mine else None,
            holder_id=holder,
            what=what[:200],
            address=address[:300],
            format=format,
            filters=filters or {},
            as_of=as_of,
            row_count=rows,
            complete=complete,
        )
