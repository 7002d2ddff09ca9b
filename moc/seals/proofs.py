"""The proof that one row stood in the registry when a seal was made."""

import json

from moc import sight
from moc.access import policy
from moc.errors import UserError
from moc.seals import canon, keys
from moc.seals.checker import SIZE, Unproven, check, path_to, sha256
from moc.seals.models import Seal, SealedBlock, SealedTable
from moc.seals.services import published

PERMISSION = "audit"


def proof(*, actor, table: str, row: int) -> dict | None:
    """The proof of a row by its table and key, for moc.seals.checker; None for a row that the actor may not see.

    Raises UserError for one that is not sealed yet, or not any more as it was sealed.
    """
    model = canon.tables().get(table)
    if model is None or not policy.allows(actor, PERMISSION):
        return None
    found = policy.scope(model._default_manager.all(), actor, PERMISSION).filter(pk=row).first()
    if found is None:
        return None
    with sight.engine():
        return _proof(model, found)


def _proof(model, found) -> dict:
    table, written = model._meta.db_table, found.transaction_id
    seal = Seal.objects.filter(since__lte=written, before__gt=written).first()
    if seal is None:
        raise UserError("This version is not sealed yet.", "Ask again after the next seal; one is made every hour.", "UNSEALED")
    blocks = SealedBlock.objects.filter(seal=seal, table=table)
    block = blocks.filter(first__lte=found.pk).order_by("-first").first()
    sealed = SealedTable.objects.filter(seal=seal, table=table).first()
    if block is None or sealed is None:
        raise ALTERED
    canon.hold_still(alone=False)
    text = canon.row_text(model, [canon.Column(*each) for each in sealed.columns], found.pk)
    leaves = bytes(block.leaves)
    hashes = [bytes(each) for each in blocks.order_by("number").values_list("hash", flat=True)]
    made = {
        "table": table,
        "key": found.pk,
        "columns": sealed.columns,
        "row": text,
        "position": _position(leaves, sha256(text.encode())),
        "leaves": leaves.hex(),
        "column_hashes": sha256(bytes(block.fields)).hex(),
        "path": path_to(hashes, block.number),
        "seal": published(seal),
    }
    trusted = keys.trusted().get(json.loads(seal.statement)["key"])
    try:
        check(made, trusted or b"")
    except Unproven as error:
        raise ALTERED from error
    return made


ALTERED = UserError(
    "This version is not as it was sealed: there is no proof of it.",
    "Have all sealed history verified; it names what was altered.",
    "ALTERED",
)


def _position(leaves: bytes, leaf: bytes) -> int:
    """Where a leaf stands in its block; -1 when it does not."""
    found = [at for at in range(0, len(leaves), SIZE) if leaves[at : at + SIZE] == leaf]
    return found[0] // SIZE if found else -1
