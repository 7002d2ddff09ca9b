"""Calls at any depth cost the same."""

from resource import RUSAGE_THREAD, getrusage

from moc.frames import roomy

DEPTHS, CALLS = 400, 500


def leaf(number: int) -> int:
    return number + 1


def at(depth: int) -> int:
    """Calls made from some frames further up."""
    return sum(map(leaf, range(CALLS))) if not depth else at(depth - 1)


def faults() -> int:
    """How often a page of memory had to be found while calls were made from every depth."""
    before = getrusage(RUSAGE_THREAD).ru_minflt
    for depth in range(DEPTHS):
        at(depth)
    return getrusage(RUSAGE_THREAD).ru_minflt - before


def test_no_loop_asks_the_system_for_its_frames():
    """One that did would take a page at each of its calls."""
    assert roomy(faults)() < CALLS


def test_a_function_with_room_is_itself():
    named = roomy(leaf)
    assert (named(1), named(number=2), named.__name__) == (2, 3, "leaf")
