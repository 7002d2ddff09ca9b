"""Answers that are streamed alike under WSGI and ASGI."""

from collections.abc import AsyncIterator, Iterator

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest

from moc import sight


def streamed(request: HttpRequest, blocks: Iterator[bytes]) -> Iterator[bytes] | AsyncIterator[bytes]:
    """The content of a StreamingHttpResponse, made with the sight of the request though it is sent after it has ended.

    An ASGI server would gather an ordinary iterator whole in memory before it sends it.
    """
    seen = _seen(blocks, sight.current())
    return _in_turn(seen) if isinstance(request, ASGIRequest) else seen


def _seen(blocks: Iterator[bytes], eyes: sight.Sight) -> Iterator[bytes]:
    while True:
        with sight.seeing(eyes):
            block = next(blocks, None)
        if block is None:
            return
        yield block


async def _in_turn(blocks: Iterator[bytes]) -> AsyncIterator[bytes]:
    """The blocks, each fetched in the thread that owns the database connection."""
    following = sync_to_async(lambda: next(blocks, None), thread_sensitive=True)
    while (block := await following()) is not None:
        yield block
