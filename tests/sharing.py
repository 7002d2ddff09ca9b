"""What tests share: a world for those of a file that live in it, a scene for the files whose tests need nothing else.

And how an ordinary run, which does not ask everything everywhere, asks something else in each place.
"""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from zlib import crc32

import pytest
from django.conf import settings
from django.test import override_settings

from tests.factories.world import World

LIVES, STANDS = pytest.StashKey[bool](), pytest.StashKey[ExitStack]()  # of a test; of a file
SHARES, SHARED = pytest.StashKey[bool](), pytest.StashKey[tuple[ExitStack, object]]()  # of a file; of the session


def stored_in(folder: Path) -> dict[str, dict]:
    """The setting STORAGES with uploads in real files: the reader streams them from disk."""
    files = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(folder)}}
    return settings.STORAGES | {"default": files}


def standing(make: Callable[[World], object], world: World | None, folder: Path):
    """What `make` makes in the standing world of a file, for all tests that live there; its files lie in the folder."""
    if world is None:
        return None
    with override_settings(STORAGES=stored_in(folder)):
        return make(world)


def part_of(values: Sequence, place: str, step: int) -> Sequence:
    """Every n-th value, from another one on in each place."""
    return values[crc32(place.encode()) % step :: step] if step else values
