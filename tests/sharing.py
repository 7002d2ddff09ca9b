"""What tests share: a world for those of a file that live in it, a scene for the files whose tests need nothing else."""

from contextlib import ExitStack

import pytest

LIVES, STANDS = pytest.StashKey[bool](), pytest.StashKey[ExitStack]()  # of a test; of a file
SHARES, SHARED = pytest.StashKey[bool](), pytest.StashKey[tuple[ExitStack, object]]()  # of a file; of the session
