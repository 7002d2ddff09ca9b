"""A tie switch feeds a part of one feeder from another: the registry moves its points, both models are loaded as switched. O1, O3, O4."""

import pytest
from django.utils import timezone

from moc.history import acting
from operations.envelopes.models import EnvelopePoint, EnvelopePolicy
from operations.envelopes.services import computing, devices, life, reacting
from operations.network.services import building
from registry.ders.models import Der
from registry.reconfigurations.services import acts
from tests.factories.networks import current, der, points_of, rows
from tests.factories.world import REASON

pytestmark = pytest.mark.django_db


def days_of(feeder) -> None:
    """What the beat orders and a worker computes for a feeder."""
    for run in life.order_days(feeder):
        computing.carry_out(run, lambda *args: None)
        run.refresh_from_db()
        reacting.publish_or_tell(run)


def test_a_part_that_is_fed_from_the_other_feeder_gets_its_envelopes_there(world, settings, tmp_path):
    settings.VAR_DIR = tmp_path
    building._cached.cache_clear()
    computing._machine.cache_clear()
    first, second = world.feeders["edc"]
    stays, goes, there = points_of(first)[0], points_of(first)[1], points_of(second)[0]
    with acting(None, REASON):
        EnvelopePolicy.objects.create(edc=world.edc, method="proportional", robust=False, auto_publish=True)
        ders = {point: der(world, point, export=6) for point in (stays, goes, there)}
    before = current(world, first, rows([stays, goes])), current(world, second, rows([there]))
    for feeder in (first, second):
        days_of(feeder)
    feeder_of = lambda: {each.der.service_point.usage_point_id: each.feeder for each in EnvelopePoint.objects.all()}  # noqa: E731
    assert feeder_of() == {stays: first, goes: first, there: second}
    said = {"edc": world.edc, "reason": "Tie T-7 closed", "starts_on": timezone.localdate(), "usage_points": [goes], "to_feeder": second}
    manager = world.user("edc", "administrator")
    acts.carry_out(actor=manager, reconfiguration=acts.prepare(actor=manager, **said))
    assert Der.objects.get(pk=ders[goes].pk).feeder == second
    assert [pk for pk, *_ in devices.capabilities(before[0])] == [ders[stays].pk], (
        "the old model still draws the point, which is no more its own"
    )
    current(world, first, rows([stays]))
    current(world, second, rows([there, goes]))
    for feeder in (first, second):
        days_of(feeder)
    assert feeder_of() == {stays: first, goes: second, there: second}
