"""Room on Python's own stack.

CPython (3.11 to 3.13) keeps the frames of what it runs in chunks of 16 KB, asks the system for each and gives it back with its first
frame. A loop at the edge of a chunk does so at every call, and takes a hundred times as long as the same loop one frame deeper. Requests
pass several such edges, so wherever work begins it begins with room.
"""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

Given, Returned = ParamSpec("Given"), TypeVar("Returned")
SLOTS = 2**14  # 128 KB: CPython rounds the chunk up to 256 KB, and what is left holds some 600 frames


def roomy(function: Callable[Given, Returned]) -> Callable[Given, Returned]:
    """The function, called by a frame that claims SLOTS values: its chunk is made to fit, and the frames above it stand there too."""

    @wraps(function)
    def call(*args, **kwargs):
        return function(*args, **kwargs)

    call.__code__ = call.__code__.replace(co_stacksize=SLOTS)
    return call
