"""Rows that were destroyed: which keys of a table are gone by signed record, and what stands for them when blocks are hashed again."""

import json
from bisect import bisect_right
from dataclasses import dataclass

from moc.seals import keys
from moc.seals.checker import block_hash, is_signed, sha256
from moc.seals.findings import Findings
from moc.seals.models import Destruction, SealedBlock

FORMAT = "moc-destruction-1"


@dataclass(frozen=True)
class Gone:
    """Keys of destroyed rows of one table, as sorted ranges [first, end)."""

    ranges: tuple[tuple[int, int], ...] = ()

    def __contains__(self, key: int) -> bool:
        at = bisect_right(self.ranges, (key, float("inf"))) - 1
        return at >= 0 and key < self.ranges[at][1]

    def touches(self, first: int, last: int) -> bool:
        """Whether some key from `first` to `last` is gone."""
        at = bisect_right(self.ranges, (last, float("inf"))) - 1
        return at >= 0 and self.ranges[at][1] > first

    def completed(self, block, stored: SealedBlock):
        """A block as it hashes with the sealed leaves in the place of the rows that are gone; columns cannot be hashed without these."""
        then, now = leaves_of(stored.keys, stored.leaves), leaves_of(block.keys, block.leaves)
        whole = dict(sorted((now | {key: leaf for key, leaf in then.items() if key not in now and key in self}).items()))
        if whole.keys() == now.keys():
            return block
        leaves, fields = b"".join(whole.values()), bytes(stored.fields)
        packed = b"".join(key.to_bytes(8, "big", signed=True) for key in whole)
        return block._replace(keys=packed, leaves=leaves, fields=fields, hash=block_hash(sha256(fields), leaves))


def leaves_of(packed: bytes, leaves: bytes) -> dict[int, bytes]:
    """key → hash of its row, of a block's two columns."""
    numbers = (int.from_bytes(each, "big", signed=True) for each in cut(packed, 8))
    return dict(zip(numbers, cut(leaves), strict=False))


def cut(data: bytes, size: int = 32) -> list[bytes]:
    """Bytes in pieces of one size."""
    data = bytes(data)
    return [data[at : at + size] for at in range(0, len(data), size)]


def gone_of(table: str, found: Findings) -> Gone:
    """The keys of a table that are gone by the word of two people. A record that is not as it was signed is a finding, and not counted."""
    ranges, trusted = [], keys.trusted()
    for one in Destruction.objects.filter(status=Destruction.Status.DESTROYED, archive__table=table).select_related("archive"):
        said, key = json.loads(one.statement), trusted.get(one.key)
        told = (said["format"], said["archive"], said["table"], said["sha256"])
        if key is None or not is_signed(one.statement, one.signature, key):
            found.add("destruction", f"The signature of the {one} is not good.".replace("the D", "the d"), table=table)
        elif told != (FORMAT, str(one.archive.uuid), table, one.archive.sha256) or one.confirmed_by_id in (None, one.proposed_by_id):
            found.add("destruction", f"What the {one} says of itself was altered.".replace("the D", "the d"), table=table)
        else:
            ranges += map(tuple, said["keys"])
    return Gone(tuple(sorted(ranges)))
