"""A hostile reader's afternoon: the scene of the access matrix, and what an attacker plants in it."""

from collections.abc import Iterator

import pytest
from django.db import transaction

from tests.contracts.doors import cheap, scene
from tests.contracts.scene import Scene
from tests.hostile.planting import keep_signed_in, plant

__all__ = ["cheap", "scene"]


@pytest.fixture(scope="module")
def planted(scene) -> Iterator[Scene]:  # noqa: F811
    """The scene with marked texts in every column that takes them (`scene.refused`: those that do not), until the file ends."""
    with transaction.atomic():
        found, scene.refused = plant(scene)
        assert len(found) > 60, "planting found too few columns"
        keep_signed_in(scene)
        yield scene
        transaction.set_rollback(True)
