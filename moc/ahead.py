"""Work that is done ahead of its use: a thread makes what the caller takes, so that Python and the database work at the same time."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from queue import Empty, Full, Queue
from threading import Event, Thread
from typing import TypeVar

Item = TypeVar("Item")
LOOK_S = 0.1  # how often a waiting thread looks whether it is still wanted
END = object()


@contextmanager
def ahead(items: Iterable[Item], depth: int) -> Iterator[Iterator[Item]]:
    """The items in their order, of which a thread makes up to `depth` in advance; what it raises is raised where the item would come.

    The thread has no connection and must ask for none; it has ended when the block is left.
    """
    ready: Queue = Queue(depth)
    unwanted = Event()

    def make() -> None:
        last: object = END
        try:
            for item in items:
                if not _put(ready, item, unwanted):
                    return
        except BaseException as error:
            last = error
        _put(ready, last, unwanted)

    thread = Thread(target=make, name="work ahead", daemon=True)
    thread.start()
    try:
        yield _taken(ready, thread)
    finally:
        unwanted.set()
        thread.join()


def _put(ready: Queue, item: object, unwanted: Event) -> bool:
    """Whether the item was put before it became unwanted."""
    while not unwanted.is_set():
        try:
            ready.put(item, timeout=LOOK_S)
        except Full:
            continue
        return True
    return False


def _taken(ready: Queue, thread: Thread) -> Iterator:
    while True:
        try:
            item = ready.get(timeout=LOOK_S)
        except Empty:
            if not thread.is_alive() and ready.empty():  # killed by the interpreter's end
                return
            continue
        if item is END:
            return
        if isinstance(item, BaseException):
            raise item
        yield item
