"""Sets as they are published and withdrawn, told to whoever listens: what stands at once, then each change of it."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator

from asgiref.sync import sync_to_async
from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from moc import sight
from moc.access import policy
from operations.envelopes.models import EnvelopeReceipt, EnvelopeRun

EVERY_S, MOST = 5, 120  # seconds between two looks, and how many before the reader asks again
FIRST = f"retry: {EVERY_S * 1000}\n\n".encode()
UNCHANGED = b": unchanged\n\n"


def standing(user, permission: str) -> dict[str, dict]:
    """Of each set within a user's reach that is not over what the stream tells, by receipt: its facts, what became of it, and where only
    the envelopes are that it changed."""
    rows = policy.scope(EnvelopeReceipt.objects.filter(ends_at__gt=timezone.now()), user, permission)
    found = list(rows.select_related("aggregator", "edc").order_by("pk"))
    with sight.engine():  # a run is the utility's; what became of a set is told to whom it was sent
        became = dict(EnvelopeRun.objects.filter(pk__in={each.run_id for each in found}).values_list("pk", "status"))
    names = ("feeder_code", "number", "content_hash", "starts_at", "ends_at", "changed", "sent_at", "acknowledged_at")
    return {str(each.uuid): {name: getattr(each, name) for name in names} | _parties(each, became) for each in found}


def _parties(receipt: EnvelopeReceipt, became: dict[int, str]) -> dict:
    said = {"receipt": str(receipt.uuid), "aggregator": receipt.aggregator.slug, "edc": receipt.edc.slug}
    return said | {"standing": became[receipt.run_id], "envelopes": f"{reverse('api-envelope-list')}?receipt={receipt.uuid}"}


def news(before: dict[str, dict], now: dict[str, dict]) -> Iterator[bytes]:
    """A server-sent event of each set that is new or that something became of, in the order in which they were sent."""
    for key, said in now.items():
        if said != before.get(key):
            yield f"event: envelopes\nid: {key}\ndata: {json.dumps(said, cls=DjangoJSONEncoder)}\n\n".encode()


async def changes(user, permission: str, told: dict[str, dict]) -> AsyncIterator[bytes]:
    """What stands, then what changes of it while somebody listens; a comment where nothing did, which keeps the connection."""
    seen = await sync_to_async(policy.sight_of)(user)
    yield FIRST + b"".join(news({}, told))
    for _ in range(MOST):
        await asyncio.sleep(EVERY_S)
        found = await sync_to_async(_looked)(user, permission, seen)
        yield b"".join(news(told, found)) or UNCHANGED
        told = found


def _looked(user, permission: str, seen: sight.Sight) -> dict[str, dict]:
    """What stands, as a request of the listener would have it."""
    try:
        with sight.seeing(seen):
            return standing(user, permission)
    finally:
        connection.close()
