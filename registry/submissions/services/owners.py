"""The owners of filed rows: sealed while a file streams by, so that no table ever holds their plain text (N12)."""

import os
from collections.abc import Iterable, Iterator, Mapping

from django.db.models import F

from moc.vault import services as vault
from registry.participants import services as participants
from registry.participants.models import UtilityProfile, about_owner
from registry.participants.services import NAMES, OwnerSealed
from registry.submissions.models import StagedDer, Submission
from registry.submissions.personal import StagedOwner

# the columns that take the place of the personal ones in a block for COPY, with their types
COLUMNS = {
    "subject": "uuid",
    "wrapped": "bytea",
    "sealed": "bytea",
    "filled": "smallint",
    "data_key_id": "bigint",
    "account_index": "bytea",
    "digest": "bytea",
    "flaws": "smallint",
    "earlier_index": "bytea",
}
UNESCAPED = {"\\\\": "\\", "\\t": "\t", "\\n": "\n", "\\r": "\r"}
BATCH = 2_000


class Sealer:
    """Replaces the personal columns of COPY blocks by their ciphertext. `recognised` are the block's columns after number and problem.

    Data keys are fetched before the first block: while a COPY runs its connection answers nothing else.
    """

    def __init__(self, recognised: tuple[str, ...], aggregator: int):
        place = {name: position + 2 for position, name in enumerate(recognised)}
        self.aggregator, self.utility = aggregator, place.get("utility_id_eia")
        self.places = [place.get(name) for name in NAMES]
        self.gone = sorted((position for position in self.places if position is not None), reverse=True)
        self.edcs = dict(UtilityProfile.objects.values_list("eia_id", "edc_id"))
        parties = {aggregator, *self.edcs.values()} if self.gone else ()
        self.rings, self.formers = vault.rings(parties), vault.former_rings(parties)
        self.abouts = {party: about_owner(aggregator, party) for party in parties}

    def blocks(self, blocks: Iterable[bytes]) -> Iterator[bytes]:
        """The blocks without plain personal text; as they are when the file has none."""
        for block in blocks:
            yield self._sealed(block.decode()) if self.gone else block

    def _sealed(self, text: str) -> bytes:
        lines = text[:-1].split("\n")
        noise = os.urandom(vault.NOISE * len(lines))  # drawn once a block, never kept
        for number, line in enumerate(lines):
            cells = line.split("\t")
            holder = self._holder(cells[self.utility] if self.utility else "")
            given = ["" if place is None else _plain(cells[place]) for place in self.places]
            drawn = noise[number * vault.NOISE : (number + 1) * vault.NOISE]
            owner = participants.seal_owner(self.rings[holder], self.abouts[holder], given, self.formers.get(holder), drawn)
            for place in self.gone:
                del cells[place]
            cells.append(_cells(owner))
            lines[number] = "\t".join(cells)
        lines.append("")
        return "\n".join(lines).encode()

    def _holder(self, eia_id: str) -> int:
        """Under whose data key a row is sealed: its utility's or, while it names none, the aggregator's.

        Where the database reads the id otherwise than Python, it takes no owner from the row (stage.sql).
        """
        try:
            return self.edcs.get(int(eia_id), self.aggregator)
        except ValueError:
            return self.aggregator


def _plain(cell: str) -> str:
    """A cell without the escapes of COPY text."""
    if "\\" not in cell:
        return cell
    pieces = iter(cell)
    return "".join(UNESCAPED[piece + next(pieces)] if piece == "\\" else piece for piece in pieces)


def _cells(owner: OwnerSealed) -> str:
    """The columns of OwnerSealed as COPY text; nothing is NULL."""
    if owner.subject is None:
        return f"\t\t\t0\t{owner.data_key_id}\t\t\t{owner.flaws}\t"
    return (
        f"{owner.subject.hex}\t{_bytes(owner.wrapped)}\t{_bytes(owner.sealed)}\t{owner.filled}\t{owner.data_key_id}\t"
        f"{_bytes(owner.account_index)}\t{_bytes(owner.digest)}\t{owner.flaws}\t{_bytes(owner.earlier_index)}"
    )


def _bytes(value: bytes | None) -> str:
    return f"\\\\x{value.hex()}" if value else ""


def complete(submission: Submission, offset: int, given: set[str]) -> None:
    """The personal columns that a file lacks keep the record's value, row by row in batches: both are opened and sealed again as one."""
    rows = StagedOwner.objects.filter(
        row__submission=submission, row__row_number__gt=offset, row__der__owner__edc=F("row__edc"), row__der__owner__filled__gt=0
    ).select_related("row__der__owner")
    last = 0
    while batch := list(rows.filter(pk__gt=last).order_by("pk")[:BATCH]):
        last = batch[-1].pk
        filed = participants.open_all(batch)
        registered = participants.open_all(owner.row.der.owner for owner in batch)
        merged = [
            {name: ((own or {}) if name in given else (known or {})).get(name, "") for name in NAMES}
            for own, known in zip(filed, registered, strict=True)
        ]
        _seal_again(batch, merged)


def _seal_again(owners: list[StagedOwner], values: list[Mapping[str, str]]) -> None:
    """Other values for staged owners, each under a new key; the keys before are destroyed."""
    holders = [owner.row.edc_id or owner.row.aggregator_id for owner in owners]
    rings, formers = vault.rings(holders), vault.former_rings(holders)
    before = [owner.subject for owner in owners]
    sealed = [
        participants.seal_owner(rings[holder], owner.about(), [texts[name] for name in NAMES], formers.get(holder))
        for owner, texts, holder in zip(owners, values, holders, strict=True)
    ]
    keep_keys(sealed)
    for owner, each in zip(owners, sealed, strict=True):
        for name, value in each.columns(StagedOwner).items():
            setattr(owner, name, value if name != "flaws" else value | owner.flaws)
    StagedOwner.objects.bulk_update(owners, [field.name for field in StagedOwner._meta.concrete_fields if not field.primary_key])
    vault.destroy(subject for subject in before if subject)


def keep_keys(sealed: Iterable[OwnerSealed]) -> None:
    """Write the keys of sealed owners."""
    vault.keep(vault.Sealed(each.subject, each.data_key_id, each.wrapped, each.sealed) for each in sealed if each.subject)


def file_owner(row: StagedDer, values: Mapping[str, str]) -> StagedOwner:
    """The personal columns of one row, all of them, sealed for the row's utility."""
    holder = row.edc_id or row.aggregator_id
    formers = vault.former_rings([holder])
    texts = [values.get(name) or "" for name in NAMES]
    sealed = participants.seal_owner(vault.ring_of(holder), about_owner(row.aggregator_id, holder), texts, formers.get(holder))
    keep_keys([sealed])
    owner, _ = StagedOwner.objects.update_or_create(row=row, defaults=sealed.columns(StagedOwner))
    return owner
