"""Answers that are streamed alike under WSGI and ASGI, and counted where they are exports."""

from collections.abc import AsyncIterator, Callable, Generator, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest

from moc import sight


@dataclass
class Tally:
    """What leaves the platform in one answer: a view sets it as `response.tally`, and moc.accesslog.middleware writes it down at the end.

    `moment` is that of rows as of a moment, `holder` the id of the organisation whose file it is. `rows` is None for what has no rows;
    `complete` says that the answer was made to its end; one that `streams` ends later than its view.
    """

    what: str
    format: str
    moment: datetime | None = None
    holder: int | None = None
    rows: int | None = 0
    complete: bool = False
    streams: bool = False
    then: Callable[["Tally"], None] | None = None

    def each(self, items: Iterable) -> Iterator:
        """The items, counted as rows."""
        for item in items:
            self.rows += 1
            yield item

    def end(self, complete: bool) -> None:
        """The answer was made, or broke off."""
        self.complete = complete
        if self.then:
            self.then(self)


def streamed(request: HttpRequest, blocks: Iterable[bytes], tally: Tally | None = None) -> Iterable[bytes]:
    """The content of a StreamingHttpResponse, made with the sight of the request though it is sent after it has ended.

    An ASGI server would gather an ordinary iterator whole in memory before it sends it. The server closes what it sends, also when the
    reader has gone: then the tally ends, in the thread that owns the database connection.
    """
    if tally:
        tally.streams, blocks = True, _told(blocks, tally)
    seen = _seen(iter(blocks), sight.current())
    return InTurn(seen) if isinstance(request, ASGIRequest) else seen


def _told(blocks: Iterable[bytes], tally: Tally) -> Generator[bytes, None, None]:
    complete = False
    try:
        yield from blocks
        complete = True
    finally:
        tally.end(complete)


def _seen(blocks: Iterator[bytes], eyes: sight.Sight) -> Generator[bytes, None, None]:
    try:
        while True:
            with sight.seeing(eyes):
                block = next(blocks, None)
            if block is None:
                return
            yield block
    finally:
        if hasattr(blocks, "close"):
            with sight.seeing(eyes):
                blocks.close()


class InTurn:
    """The blocks, each fetched in the thread that owns the database connection."""

    def __init__(self, blocks: Generator[bytes, None, None]):
        self.blocks = blocks

    async def __aiter__(self) -> AsyncIterator[bytes]:
        following = sync_to_async(lambda: next(self.blocks, None), thread_sensitive=True)
        while (block := await following()) is not None:
            yield block

    def close(self) -> None:
        """The answer ends: called by Django, in that thread."""
        self.blocks.close()
