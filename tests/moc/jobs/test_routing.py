"""Jobs of one place go to one queue, and a queue more moves few places (issue: operations, at scale)."""

import pytest
from celery import current_app

from moc.jobs import routing, services
from moc.jobs.models import Job

PLACES = range(2_000)


@pytest.mark.parametrize("count", [1, 2, 4, 9])
def test_a_queue_more_takes_its_share_and_moves_nothing_else(count):
    before, after = ([routing.queue_of(place, number) for place in PLACES] for number in (count, count + 1))
    moved = [new for old, new in zip(before, after, strict=True) if new != old]
    assert set(moved) == {f"place-{count}"} and len(moved) <= len(PLACES) / count
    assert len(moved) == pytest.approx(len(PLACES) / (count + 1), rel=0.2)


@pytest.fixture
def sent(monkeypatch):
    """The queue of each message that is sent."""
    queues = []
    monkeypatch.setattr(current_app, "send_task", lambda task, **options: queues.append(options.get("queue")))
    return queues


@pytest.mark.django_db
def test_a_message_goes_to_the_queue_of_its_place(settings, sent):
    """One queue by default; a job without a place stays in the common one."""
    somewhere, nowhere = (Job.objects.create(task="t", title="t", arguments=said) for said in ({"run": 1, "place": 7}, {"run": 1}))
    services._send("t", somewhere.pk)
    settings.MOC_PLACE_QUEUES = 3
    for job in (somewhere, nowhere):
        services._send("t", job.pk)
    assert sent == [None, routing.queue_of(7, 3), None]


@pytest.mark.django_db
def test_nobody_waits_behind_what_nobody_waits_for(sent):
    """A worker takes from its queues in turn, whatever stands in each."""
    with services.later():
        night = services.enqueue(actor=None, task="t", title="t", run=1)
    event = services.enqueue(actor=None, task="t", title="t", run=2)
    for job in (night, event):
        services._send("t", job.pk)
    assert sent == ["later", None]
    assert {queue.name for queue in current_app.conf.task_queues} == {"celery", "later"}
