"""What is ordered by itself: today and tomorrow of every feeder with a network. O4."""

from datetime import timedelta

import pytest
from django.utils import timezone

from moc.history import acting
from moc.notices.models import Notice
from moc.webhooks.models import Event
from operations.envelopes import tasks
from operations.envelopes.models import EnvelopePolicy, EnvelopeReceipt, EnvelopeRun
from operations.envelopes.services import computing, devices, life
from operations.network.services import building
from tests.factories.filings import store_in
from tests.factories.networks import current, der, points_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def feeder(world, settings, tmp_path):
    store_in(settings, tmp_path)
    settings.VAR_DIR = tmp_path
    building._cached.cache_clear()
    feeder = world.feeders["edc"][0]
    current(world, feeder)
    with acting(None, "system: tests"):
        der(world, points_of(feeder)[0])
    return feeder


def test_two_days_are_due_once(world, feeder):
    """O4: a day that was ordered is not ordered again, nor one that an operator took out; a newer network is another matter."""
    assert tasks.due() == 2 and tasks.due() == 0
    runs = EnvelopeRun.objects.order_by("starts_at")
    assert [timezone.localtime(run.starts_at).date() - timezone.localdate() for run in runs] == [timedelta(0), timedelta(1)]
    run = runs[0]
    computing.carry_out(run, lambda *args: None)
    life.publish(actor=None, run=run)
    life.deactivate(actor=world.user("edc", "administrator"), run=run, reason="Line work")
    assert tasks.due() == 0
    current(world, feeder)
    assert tasks.due() == 2


def test_people_are_told_once_of_a_days_sets(world, feeder):
    """O4: hundreds of feeders have a set each day: programs are told of every one, an inbox of the first, and of what changes it."""
    other = world.feeders["edc"][1]
    current(world, other)
    with acting(None, "system: tests"):
        EnvelopePolicy.objects.create(edc=feeder.edc, auto_publish=True)
        there = der(world, points_of(other)[0])
    for run in (*life.order_days(feeder), *life.order_days(other)):
        tasks.compute(run.job_id)
    told = Notice.objects.filter(event="envelopes_published", user=world.user("aggregator", "filer"))
    assert EnvelopeReceipt.objects.filter(aggregator=world.aggregator).count() == 4
    assert Event.objects.filter(kind="envelopes_published", organization=world.aggregator).count() == 4
    first, second = told.order_by("pk")
    assert feeder.code in first.subject and feeder.code in second.subject and "follow without a message of their own" in first.body
    run = EnvelopeRun.objects.of_feeder(other).order_by("starts_at").last()
    edited = life.edit(actor=world.user("edc", "administrator"), run=run, der=there, least_kw=-0.5, most_kw=0.5, reason="Repair")
    tasks.compute(edited.job_id)
    last = told.latest("pk")
    assert last != first and other.code in last.subject and "follow" not in last.body


def test_the_typical_day_is_the_utilitys_own(world, feeder):
    """O4: the evening's load is at seven in the evening of the state's time, whatever the database's."""
    run = life.order_days(feeder)[1]
    version = run.network
    base = computing.request_of(run, building.feeder_of(version), devices.active_points(devices.capabilities(version))).base_va.sum(0).real
    assert int(base.argmax()) == 19 * 2
