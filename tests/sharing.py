"""What tests share: a world for those of a file that live in it, a scene for the files whose tests need nothing else.

And how an ordinary run, which does not ask everything everywhere, asks something else in each place.
"""

from collections.abc import Sequence
from contextlib import ExitStack
from zlib import crc32

import pytest

LIVES, STANDS = pytest.StashKey[bool](), pytest.StashKey[ExitStack]()  # of a test; of a file
SHARES, SHARED = pytest.StashKey[bool](), pytest.StashKey[tuple[ExitStack, object]]()  # of a file; of the session


def part_of(values: Sequence, place: str, step: int) -> Sequence:
    """Every n-th value, from another one on in each place."""
    return values[crc32(place.encode()) % step :: step] if step else values
