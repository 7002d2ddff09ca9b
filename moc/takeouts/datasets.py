"""What slices add to a take-out beside the rows of their models: files that they make."""

from collections.abc import Callable, Iterator

from moc.access.models import Organization
from moc.apps import discover

Files = Iterator[tuple[str, bytes]]
_PARTS: list[Callable[[Organization], Files]] = []


def takeout_part(function: Callable[[Organization], Files]) -> Callable[[Organization], Files]:
    """Declare files of a take-out: function(organization) → (name, content), only of what the organisation is a party to."""
    _PARTS.append(function)
    return function


def parts() -> list[Callable[[Organization], Files]]:
    """All declared parts."""
    discover("datasets")
    return _PARTS
