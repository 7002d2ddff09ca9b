"""Hash everything again and compare: first the chain of seals, then each table of each seal, then what stands outside of all blocks.

Data count as proven when their hashes lead to the signed root, whatever the stored hashes say; these serve to find what differs: a leaf
names the row and, of a block of up to 512 rows, the hash of a column names the field.
"""

import json
from dataclasses import dataclass

from django.db.models import Q

from moc.seals import archives, canon, keys
from moc.seals.checker import block_hash, columns_digest, is_signed, root_of, sha256
from moc.seals.findings import Findings
from moc.seals.gone import Gone, cut, gone_of, leaves_of
from moc.seals.models import Seal, SealedBlock, SealedTable

AT_ONCE = 1024  # blocks: half a million rows, some 24 MB of hashes
LISTED = 1000


def verify(*, progress=None, kept: list[str] | None = None) -> Findings:
    """Verify all seals and all rows under them; `progress(done, total, phase)` is told along the way.

    `kept`, lines of a published file of seals, also reveals seals that were made anew by whoever holds the key, or taken away.
    """
    canon.hold_still(alone=False)
    found = Findings()
    seals = list(Seal.objects.order_by("number"))
    statements = _chain(seals, found)
    _compare_kept(seals, kept or [], found)
    found.total = sum(table["rows"] for statement in statements.values() for table in statement["tables"].values())
    for model in canon.tables().values():
        _verify_table(model, statements, found, progress)
    known = canon.tables().keys()
    for number, statement in statements.items():
        for table in statement["tables"].keys() - known:
            found.add("lost", f"The table {table} is gone: what seal {number} says of it cannot be verified.", seal=number, table=table)
    return found


def _chain(seals: list[Seal], found: Findings) -> dict[int, dict]:
    """The statements by number, as they were signed; every link, signature and column of the seals themselves is checked."""
    trusted, statements, previous, since = keys.trusted(), {}, "", 0
    for place, seal in enumerate(seals, 1):
        said = statements[seal.number] = json.loads(seal.statement)
        if seal.number != place and seal.number - 1 not in statements:
            found.add("chain", f"Before seal {seal.number} a seal is missing.", seal=seal.number)
        elif (said["previous"], said["since"]) != (previous, since):
            found.add("chain", f"Seal {seal.number} does not hold the digest of the seal before it.", seal=seal.number)
        if said["key"] not in trusted:
            found.add("signature", f"Seal {seal.number} is signed with a key that is none of ours: {said['key']}.", seal=seal.number)
        elif not is_signed(seal.statement, seal.signature, trusted[said["key"]]):
            found.add("signature", f"The signature of seal {seal.number} is not good.", seal=seal.number)
        previous, since = sha256(seal.statement.encode()).hex(), said["before"]
        columns = {"number": seal.number, "since": seal.since, "before": seal.before, "key": seal.key}
        beside = [name for name, value in columns.items() if said[name] != value]
        beside += ["digest"] if seal.digest != previous else []
        beside += ["sealed_at"] if seal.sealed_at.isoformat() != said["sealed_at"] else []
        if beside:
            found.add("seal", f"Seal {seal.number} was altered beside its statement.", seal=seal.number, fields=tuple(beside))
    return statements


def _compare_kept(seals: list[Seal], kept: list[str], found: Findings) -> None:
    standing = {seal.number: seal.statement for seal in seals}
    for line in filter(str.strip, kept):
        statement = json.loads(line)["statement"]
        number = json.loads(statement)["number"]
        if number not in standing:
            found.add("kept", f"Seal {number} of the kept file is gone.", seal=number)
        elif standing[number] != statement:
            found.add("kept", f"Seal {number} is another than in the kept file.", seal=number)


def _verify_table(model, statements: dict[int, dict], found: Findings, progress) -> None:
    """All periods of one table, and the rows that stand in none."""
    table, read, complete = model._meta.db_table, 0, True
    archived, moved = archives.loaded(model, found)
    gone = gone_of(table, found)
    before = max((said["before"] for said in statements.values()), default=0)
    for number, said in statements.items():
        if table in said["tables"]:
            count = _verify_period(model, number, said, found, progress, archived, gone)
            read, complete = read + (count or 0), complete and count is not None
    sealed = Q(transaction_id__lt=before) | Q(transaction_id=None)
    rows = model._base_manager.all()
    standing = rows.filter(sealed).count() + moved
    found.unsealed += rows.exclude(sealed).count()
    if complete and standing > read:
        for key in canon.outside(model, before, LISTED, archived):
            found.add("inserted", f"Row {key} of {table} was inserted into a period that is sealed.", table=table, row=key)


def _verify_period(model, number: int, said: dict, found: Findings, progress, archived: str, gone: Gone) -> int | None:
    """One table of one seal. Returns how many rows there are now; None when that cannot be told any more."""
    table = model._meta.db_table
    stored = SealedTable.objects.filter(seal=number, table=table).first()
    signed = said["tables"][table]
    if stored is None or columns_digest(stored.columns) != signed["columns"]:
        found.add("seal", f"The column list of {table} in seal {number} was altered: its rows cannot be hashed.", seal=number, table=table)
        return None
    if said["format"] not in canon.DIGESTS:
        found.add("seal", f"Seal {number} is of a format that is not known here: {said['format']}.", seal=number, table=table)
        return None
    columns = [canon.Column(*each) for each in stored.columns]
    if lost := canon.lost(table, columns):
        sentence = f"A migration took columns of {table} away: its rows in seal {number} cannot be hashed."
        found.add("lost", sentence, seal=number, table=table, fields=tuple(lost))
        return None
    if (stored.root, stored.row_count) != (signed["root"], signed["rows"]):
        found.add("seal", f"What seal {number} says of {table} was altered beside its statement.", seal=number, table=table)
    period = Period(model, number, said, columns, archived, gone)
    return period.verify(signed["root"], found, progress)


@dataclass(frozen=True)
class Period:
    """One table in one seal."""

    model: type
    number: int
    said: dict
    columns: list[canon.Column]
    archived: str = ""
    gone: Gone = Gone()

    @property
    def table(self) -> str:
        return self.model._meta.db_table

    def verify(self, root: str, found: Findings, progress) -> int:
        """Hash all blocks again; where that leads to another root than was signed, say what differs. Returns how many rows there are."""
        blocks = SealedBlock.objects.filter(seal=self.number, table=self.table)
        kept = {number: bytes(digest) for number, digest in blocks.order_by("number").values_list("number", "hash")}
        hashes, differing, rows = [], [], 0
        for start in range(0, max(kept, default=-1) + 1, AT_ONCE):
            numbers = range(start, start + AT_ONCE)
            hashed = canon.read_blocks(self.model, self.columns, self.number, self.said, numbers, self.archived)
            count = sum(len(block.keys) // 8 for block in hashed)
            hashed = self._completed(hashed, kept)
            hashes += [block.hash for block in hashed]
            differing += [block for block in hashed if block.hash != kept[block.number]]
            rows, found.rows = rows + count, found.rows + count
            if progress:
                progress(min(found.rows, found.total), found.total, f"Verifying {self.table}")
        intact = root_of(list(kept.values())).hex() == root
        if not intact or (differing and root_of(hashes).hex() == root):
            found.add("seal", self._said("The stored hashes of {} were altered"), seal=self.number, table=self.table)
        if root_of(hashes).hex() != root:
            self._explain(differing, intact, found)
        return rows

    def _completed(self, hashed: list[canon.Hashed], kept: dict[int, bytes]) -> list[canon.Hashed]:
        """The blocks, with what was sealed of rows that were destroyed since."""
        short = [block.number for block in hashed if block.hash != kept[block.number] and self.gone.touches(block.first, block.last)]
        if not short:
            return hashed
        rows = SealedBlock.objects.filter(seal=self.number, table=self.table, number__in=short)
        stored = {each.number: each for each in rows}
        return [self.gone.completed(block, stored[block.number]) if block.number in stored else block for block in hashed]

    def _said(self, words: str) -> str:
        return f"{words.format(self.table)} (seal {self.number})."

    def _explain(self, differing: list[canon.Hashed], intact: bool, found: Findings) -> None:
        """Name the rows and fields in which blocks differ from what was sealed."""
        named = len(found)
        for block in differing:
            stored = SealedBlock.objects.get(seal=self.number, table=self.table, number=block.number)
            self._compare(stored, block, found)
            if intact and bytes(stored.hash) != block_hash(sha256(bytes(stored.fields)), bytes(stored.leaves)):
                sentence = self._said(f"The hashes of rows {stored.first} to {stored.last} of {{}} were altered too")
                found.add("seal", sentence, seal=self.number, table=self.table)
        if len(found) == named:
            sentence = self._said("Rows of {} were altered, and their stored hashes with them: which rows cannot be told")
            found.add("altered", sentence, seal=self.number, table=self.table)

    def _compare(self, stored: SealedBlock, block: canon.Hashed, found: Findings) -> None:
        then, now = (leaves_of(each.keys, each.leaves) for each in (stored, block))
        whole = then.keys() == now.keys()
        pairs = zip(self.columns, cut(stored.fields), cut(block.fields), strict=False)
        fields = tuple(column.name for column, old, new in pairs if old != new) if whole else ()
        for key in sorted(then.keys() | now.keys()):
            if key not in now:
                found.add("removed", self._said(f"Row {key} of {{}} was removed after it was sealed"), **self._at(key))
            elif key not in then:
                found.add("inserted", self._said(f"Row {key} of {{}} was inserted into a sealed period"), **self._at(key))
            elif then[key] != now[key]:
                beside = "" if whole else "; which field cannot be told, for rows beside it were removed or inserted"
                found.add(
                    "altered", self._said(f"Row {key} of {{}} was altered after it was sealed{beside}"), **self._at(key), fields=fields
                )

    def _at(self, key: int) -> dict:
        return {"seal": self.number, "table": self.table, "row": key}
