"""What the scene holds of operations: a network to approve, a current one with envelopes that were published, and a run to publish."""

from django.db import models

from operations.envelopes.models import EnvelopePolicy
from operations.envelopes.services import life
from tests.factories.networks import current, der, ordered, points_of, rows, written
from tests.factories.readings import reading, sent
from tests.factories.world import World


def objects(world: World) -> dict[str, models.Model]:
    """Of the utility "edc": feeder F1 with envelopes for a DER of the first aggregator, feeder F2 with a checked network."""
    first, second = world.feeders["edc"]
    policy = EnvelopePolicy.objects.create(edc=world.edc, feeder=first, method="proportional", robust=False)
    points = points_of(first)
    limited = der(world, points[-1], external_id="E-1")
    current(world, first, rows(points[:3] + points[-1:]))
    published = ordered(world, first, hours=2)
    life.publish(actor=world.user("edc", "administrator"), run=published)
    sent(world.user("edc", "administrator"), reading(limited))
    staged = written(world, second, rows([*points_of(second)[:2], "unknown"]))
    return {
        "envelope_policy": policy,
        "limited": limited,
        "network": staged,
        "network_element": staged.networkelements.first(),
        "network_point": staged.networkpoints.first(),
        "network_finding": staged.networkfindings.first(),
        "network_arrays": staged.networkarrayss.first(),
        "envelope": limited.envelope,
        "taken_reading": limited.readings.get(),
        "der_state": limited.state,
        "envelope_block": published.blocks.first(),
        "envelope_receipt": published.receipts.get(),
        "envelope_run": ordered(world, first, days=2, hours=2),
    }
