"""A denied row stands for all tests of a file: `tests.factories.disputes.denied_row` gives it, and makes one only where none stands."""

import pytest

from tests.factories.disputes import denied
from tests.factories.filings import store_in
from tests.sharing import standing


@pytest.fixture(scope="module")
def standing_denial(standing_world, folder) -> None:
    standing(denied, standing_world, folder)


@pytest.fixture(autouse=True)
def _files(settings, folder, standing_denial) -> None:
    store_in(settings, folder)
