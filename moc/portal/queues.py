"""What waits for a user: slices declare queues in `queues.py`, found as Django's admin finds `admin.py`, and the home page shows them."""

from collections.abc import Callable
from dataclasses import dataclass

from moc.apps import discover


@dataclass(frozen=True)
class Work:
    """One line of the home page: `count` things wait at `url`; `hint` says what to do; `urgent` when a deadline is near or over."""

    label: str
    url: str
    count: int
    hint: str = ""
    urgent: bool = False
    order: int = 50


_QUEUES: list[Callable] = []


def queue(function: Callable) -> Callable:
    """Declare a queue: function(user) → Work, or None for a user whom it does not concern."""
    _QUEUES.append(function)
    return function


def waiting_for(user) -> list[Work]:
    """The user's queues, urgent ones first."""
    discover("queues")
    found = [work for work in (function(user) for function in _QUEUES) if work is not None]
    return sorted(found, key=lambda work: (not (work.urgent and work.count), work.order, work.label))
