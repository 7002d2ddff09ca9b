"""Utilities give rosters; registry and rosters are matched as sets, at once and nightly."""

import csv
import io
import json
from collections.abc import Callable, Iterable
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
from moc.vault.models import DataKey
from registry.participants.services import account_index
from registry.rosters import rules  # noqa: F401 (the codes that the statements write)
from registry.rosters.models import Roster, RosterEntry, RosterSheet

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

    The numbers are kept sealed, and met by their blind indexes under the utility's data key. Raises UserError.
    """
    policy.require(actor, PERMISSION, edc)
    wanted = {account.strip() for account in accounts} - {""}
    if len(wanted) > MOST:
        raise UserError(f"A roster has at most {MOST:,} accounts.", "Split the programme by code.", "ROSTER-SIZE")
    if edc.kind != Organization.Kind.EDC or not program.strip():
        raise UserError("A roster is a utility's, for a programme.", "Name the programme by the code of filings.", "ROSTER-PROGRAM")
    with acting(actor, f"Roster of {program}"):
        facts = {"account_count": len(wanted), "received_by": actor, "received_at": timezone.now()}
        roster, _ = Roster.objects.update_or_create(edc=edc, program=program.strip(), defaults=facts)
        _keep(roster, wanted)
        match(edc)
    return roster


def _keep(roster: Roster, accounts: Iterable[str]) -> None:
    """The accounts in the place of those before: indexed, and sealed under a key of their own; the former key is destroyed."""
    ring, accounts = vault.ring_of(roster.edc_id), sorted(accounts)
    RosterEntry.objects.filter(roster=roster).delete()
    rows = (
        RosterEntry(roster=roster, edc_id=roster.edc_id, data_key_id=ring.pk, account_index=account_index(ring, account))
        for account in accounts
    )
    RosterEntry.objects.bulk_create(rows, batch_size=BATCH)
    sheet = RosterSheet.objects.filter(roster=roster).first() or RosterSheet(roster=roster, edc_id=roster.edc_id)
    former, kept = sheet.subject, ring.seal(vault.pack([json.dumps(accounts)]), sheet.about())
    vault.keep([kept])
    sheet.subject, sheet.sealed, sheet.filled = kept.subject, kept.sealed, 1
    sheet.save()
    vault.destroy([former] if former else [])


def _accounts(roster: Roster) -> list[str] | None:
    """The account numbers of a roster; None for one that was given before they were kept."""
    sheet = RosterSheet.objects.filter(roster=roster).first()
    values = vault.open_all([sheet])[0] if sheet else None
    return None if values is None else json.loads(values["accounts"])


def reindex(former: DataKey, progress: Callable[[int], None]) -> int:
    """Index the rosters of a party anew under its current data key, each in a transaction, and match; returns how many accounts were.

    One that was given before account numbers were kept is not matched until it is given again: nothing is guessed.
    """
    done = 0
    behind = RosterEntry.objects.filter(data_key=former).values("roster")
    for key in Roster.objects.filter(pk__in=behind).order_by("pk").values_list("pk", flat=True):
        with acting(None, "system: key rotation"):
            roster = Roster.objects.select_for_update().get(pk=key)
            if (accounts := _accounts(roster)) is None:
                continue
            _keep(roster, accounts)
        done += len(accounts)
        progress(len(accounts))
    if done:
        match(former.organization)
    return done


def forget(edc: int, account: str) -> None:
    """Take the account of a person who was erased out of the utility's rosters; inside acting(). Backups of them become noise."""
    rings = [*vault.rings([edc]).values(), *vault.former_rings([edc]).values()]
    known = RosterEntry.objects.filter(edc=edc, account_index__in=[account_index(ring, account) for ring in rings])
    for roster in Roster.objects.select_for_update().filter(pk__in=known.values("roster")):
        accounts = _accounts(roster)
        if accounts is None:
            known.filter(roster=roster).delete()
        else:
            _keep(roster, set(accounts) - {account})


def match(edc: Organization | None = None) -> int:
    """Find the differences of one utility, or of all; those that are gone go. Returns how many are new. Idempotent."""
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
