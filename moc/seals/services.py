"""Seal what is new, and have everything verified."""

import base64
import json

from django.db import transaction
from django.db.models.functions import Length
from django.utils import timezone

from moc import sight
from moc.access import policy
from moc.errors import UserError
from moc.history import horizon
from moc.jobs import services as jobs
from moc.jobs.models import Job
from moc.seals import canon, keys
from moc.seals.checker import columns_digest, root_of, sha256
from moc.seals.findings import Findings
from moc.seals.models import Seal, SealedBlock, SealedTable, Verification
from moc.seals.verification import verify

SHOWN = 1000
SEALING, VERIFYING = "moc.seals.tasks.seal_now", "moc.seals.tasks.verify_all"
BEHIND = UserError(
    "The database's transaction counter stands behind the last seal: it was restored into another cluster.",
    "Advance it past the last seal's with pg_resetwal --next-transaction-id, then seal.",
    "COUNTER",
)


@sight.engine()
@transaction.atomic
def seal(*, actor=None) -> Seal | None:
    """Seal every row of the transactions that ended since the last seal; None when there is nothing new.

    One statement a table hashes the rows in the database. What a transaction wrote that is still open waits for the next seal.
    """
    policy.require(actor, "administer")
    canon.hold_still(alone=True)
    former = Seal.objects.first()
    number, since = (former.number + 1, former.before) if former else (1, 0)
    before = horizon()
    if before < since:
        raise BEHIND
    filled = canon.with_rows(since, before)
    models = [model for name, model in canon.tables().items() if name in filled]
    tables = [table for model in models if (table := _seal_table(model, number, since, before))]
    if not tables:
        return None
    made = _signed(number, since, before, former, tables)
    made.save(force_insert=True)
    SealedTable.objects.bulk_create(tables)
    return made


def _seal_table(model, number: int, since: int, before: int) -> SealedTable | None:
    table, columns = model._meta.db_table, canon.columns_of(model)
    canon.write_blocks(model, columns, number, since, before)
    blocks = SealedBlock.objects.filter(seal=number, table=table).order_by("number").values_list("hash", Length("keys"))
    hashes, lengths = zip(*blocks, strict=True) if blocks else ((), ())
    if not hashes:
        return None
    root = root_of([bytes(each) for each in hashes]).hex()
    return SealedTable(seal_id=number, table=table, columns=[list(each) for each in columns], row_count=sum(lengths) // 8, root=root)


def _signed(number: int, since: int, before: int, former: Seal | None, tables: list[SealedTable]) -> Seal:
    """The seal with its statement and signature, not yet written."""
    key, now = keys.signing(), timezone.now()
    name = keys.identity(keys.public(key))
    statement = json.dumps(
        {
            "format": canon.FORMAT,
            "number": number,
            "sealed_at": now.isoformat(),
            "since": since,
            "before": before,
            "previous": former.digest if former else "",
            "key": name,
            "tables": {each.table: {"columns": columns_digest(each.columns), "rows": each.row_count, "root": each.root} for each in tables},
        },
        sort_keys=True,
        separators=(",", ":"),
    )
    return Seal(
        number=number,
        sealed_at=now,
        since=since,
        before=before,
        row_count=sum(each.row_count for each in tables),
        statement=statement,
        signature=base64.b64encode(key.sign(statement.encode())).decode(),
        key=name,
        digest=sha256(statement.encode()).hex(),
    )


def published(made: Seal) -> dict:
    """A seal as it is published: what was signed, and the signature."""
    return {"statement": made.statement, "signature": made.signature, "key": made.key}


def ask_seal(*, actor) -> Job:
    """Have what is new sealed now."""
    policy.require(actor, "administer")
    return jobs.enqueue(actor=actor, task=SEALING, title="Seal what is new")


def ask_verification(*, actor) -> Job:
    """Have all sealed history verified."""
    policy.require(actor, "verify_seals")
    return jobs.enqueue(actor=actor, task=VERIFYING, title="Verify all sealed history")


@sight.engine()
@transaction.atomic
def run_verification(*, actor=None, job: Job | None = None, progress=None, kept: list[str] | None = None) -> tuple[Verification, Findings]:
    """Verify everything and keep what was found. `kept` are lines of the published file, as somebody stored them elsewhere."""
    policy.require(actor, "verify_seals")
    found = verify(progress=progress, kept=kept)
    verification = Verification.objects.create(
        asked_by=actor,
        job=job,
        last_seal=Seal.objects.first(),
        row_count=found.rows,
        unsealed=found.unsealed,
        finding_count=len(found),
        findings=[each.as_dict() for each in found[:SHOWN]],
    )
    return verification, found
