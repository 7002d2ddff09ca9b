"""Write down who looked at what."""

from collections.abc import Iterable
from uuid import UUID

from moc import sight
from moc.accesslog.models import AccessEntry
from moc.errors import UserError


def note(
    *, actor, holder: int, filed_by: int | None, record: str, subject: UUID | None, columns: Iterable[str], purpose: str, text: str = ""
) -> AccessEntry:
    """One entry, in the caller's transaction: what was not written down was not shown.

    Raises UserError for a purpose that is not of the closed list.
    """
    if purpose not in AccessEntry.Purpose.values:
        raise UserError("Say what the personal data are needed for.", "Choose one of the purposes.", "PURPOSE")
    with sight.engine():
        return AccessEntry.objects.create(
            actor=actor,
            holder_id=holder,
            filed_by_id=filed_by,
            record=record[:120],
            subject=subject,
            columns=list(columns),
            purpose=purpose,
            note=text[:300],
        )
