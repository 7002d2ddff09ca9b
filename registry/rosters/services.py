"""Utilities give rosters; registry and rosters are matched as sets, at once and nightly."""

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass

from django.utils import timezone

from moc import sight
from moc.access import policy
from moc.access.models import Organization
from moc.bulk import fetch_sql, run_sql
from moc.errors import UserError
from moc.history import acting
from moc.readers.shape import fold
from moc.rules import Rule, registry
from moc.vault import services as vault
from registry.participants.services import account_index
from registry.rosters import rules  # noqa: F401 (the codes that the statements write)
from registry.rosters.models import Roster, RosterEntry

PERMISSION, MOST, SHOWN, BATCH = "manage_utility", 500_000, 50, 5_000
ACCOUNT = {fold(name) for name in ("edc_account_no", "account", "account number", "utility account")}


def read(upload) -> list[str]:
    """The account numbers of a CSV file with a column edc_account_no. Raises UserError."""
    text = io.TextIOWrapper(upload.file if hasattr(upload, "file") else upload, encoding="utf-8-sig", newline="")
    try:
        rows = csv.reader(text)
        heads = [fold(cell) for cell in next(rows, [])]
        place = next((place for place, name in enumerate(heads) if name in ACCOUNT), None)
        if place is None:
            raise UserError("The file has no column edc_account_no.", "Give a CSV file with that column.", "ROSTER-COLUMN")
        return [row[place].strip() for row in rows if len(row) > place and row[place].strip()]
    except (UnicodeDecodeError, csv.Error) as error:
        raise UserError("The file is not a CSV file in UTF-8.", "Save it as CSV (UTF-8).", "ROSTER-FILE") from error
    finally:
        text.detach()


def give(*, actor, edc: Organization, program: str, accounts: Iterable[str]) -> Roster:
    """Put the accounts of a programme in the place of those before, and match at once; an empty list ends the programme's roster.

    The numbers are not kept: only their blind indexes under the utility's data key. Raises UserError.
    """
    policy.require(actor, PERMISSION, edc)
    wanted = {account.strip() for account in accounts} - {""}
    if len(wanted) > MOST:
        raise UserError(f"A roster has at most {MOST:,} accounts.", "Split the programme by code.", "ROSTER-SIZE")
    if edc.kind != Organization.Kind.EDC or not program.strip():
        raise UserError("A roster is a utility's, for a programme.", "Name the programme by the code of filings.", "ROSTER-PROGRAM")
    with acting(actor, f"Roster of {program}"):
        ring = vault.ring_of(edc.pk)
        facts = {"account_count": len(wanted), "received_by": actor, "received_at": timezone.now()}
        roster, _ = Roster.objects.update_or_create(edc=edc, program=program.strip(), defaults=facts)
        RosterEntry.objects.filter(roster=roster).delete()
        rows = (
            RosterEntry(roster=roster, edc=edc, data_key_id=ring.pk, account_index=account_index(ring, account))
            for account in sorted(wanted)
        )
        RosterEntry.objects.bulk_create(rows, batch_size=BATCH)
        match(edc)
    return roster


def match(edc: Organization | None = None) -> int:
    """Find the differences of one utility, or of all; those that are gone go. Returns how many are new. Idempotent.

    A roster given before the utility's key was replaced is not matched until it is given again: nothing is guessed.
    """
    with acting(None, "system: rosters matched"):
        about = {"edc": edc.pk if edc else None}
        run_sql("differences", about)
        run_sql("resolved", about)
        return run_sql("found")


@dataclass(frozen=True)
class Difference:
    """A filed row on whose programme the roster differs."""

    row_number: int
    external_id: str
    program: str
    rule: Rule


@sight.engine()  # the review is seen by the caller; the entries are the utility's
def of_review(submission: int, edc: int) -> tuple[int, list[Difference]]:
    """(how many filed rows of a review differ from the utility's rosters, the first of them)."""
    rows = fetch_sql("filed_differences", {"submission": submission, "edc": edc, "most": SHOWN})
    return rows[0][4] if rows else 0, [Difference(number, name, program, registry[code]) for number, name, program, code, _ in rows]
