"""What a thread makes in advance arrives whole and in order; its errors arrive too, and it ends when nobody wants more (N13)."""

from itertools import count, islice
from threading import Event
from threading import enumerate as threads

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moc.ahead import ahead


def working() -> list[str]:
    return [thread.name for thread in threads() if thread.name == "work ahead"]


@given(items=st.lists(st.integers() | st.none()), depth=st.integers(1, 5))
def test_the_items_come_in_their_order(items, depth):
    with ahead(iter(items), depth) as made:
        assert list(made) == items


def test_it_works_in_advance_and_no_further_than_it_may():
    made, third = [], Event()

    def items():
        for number in range(10):
            made.append(number)
            if number == 2:
                third.set()
            yield number

    with ahead(items(), 2) as ready:
        assert third.wait(5)  # two wait to be taken, a third is made
        assert made == [0, 1, 2]
        assert list(ready) == list(range(10))


def test_its_error_is_raised_where_the_item_would_come():
    def items():
        yield 1
        raise ValueError("row 2")

    with ahead(items(), 4) as ready:
        assert next(ready) == 1
        with pytest.raises(ValueError, match="row 2"):
            next(ready)


def test_the_thread_ends_with_the_block():
    with ahead(count(), 3) as endless:
        assert list(islice(endless, 5)) == [0, 1, 2, 3, 4]
        assert working()
    assert not working()


def test_an_error_of_the_caller_ends_it_too():
    with pytest.raises(KeyError), ahead(count(), 1):
        raise KeyError
    assert not working()
