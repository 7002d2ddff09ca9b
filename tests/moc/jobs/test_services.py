"""Jobs: claimed once, followed from outside a long transaction, cancelled mid-way, swept when the worker died."""

import time
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from moc.access.policy import NotPermitted
from moc.errors import Conflict
from moc.jobs import services
from moc.jobs.models import Job
from tests.connections import connected

QUEUED, RUNNING, DONE, FAILED, CANCELLED = Job.Status.values
TASK = "moc.jobs.tasks.sweep"


@pytest.fixture(autouse=True)
def sent(monkeypatch) -> list[tuple[str, int]]:
    """What would have gone to the broker."""
    found = []
    monkeypatch.setattr(services, "_send", lambda task, pk: found.append((task, pk)))
    return found


def made(**facts) -> Job:
    return Job.objects.create(**{"task": TASK, "title": "A job", **facts})


def of(job: Job) -> Job:
    return Job.objects.get(pk=job.pk)


def work(pk: int, body) -> None:
    with services.running(pk) as (job, progress):
        if job is None:
            return
        body(job, progress)


def never(job, progress):
    raise AssertionError("must not run")


def wait_for(condition, seconds: float = 10) -> None:
    ends = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends, "waited in vain"
        time.sleep(0.05)


@pytest.mark.django_db
class TestWithinOneTransaction:
    def test_a_worker_is_woken_after_the_commit(self, sent, django_capture_on_commit_callbacks):
        with django_capture_on_commit_callbacks(execute=True):
            job = services.enqueue(actor=None, task=TASK, title="A job", submission=7)
            assert sent == []
        assert sent == [(TASK, job.pk)]
        assert (of(job).status, of(job).arguments) == (QUEUED, {"submission": 7})

    def test_done(self):
        job = made()

        def body(job, progress):
            assert of(job).status == RUNNING
            progress(3, 9, "Counting")
            job.outcome = {"rows": 9}

        work(job.pk, body)
        ended = of(job)
        assert (ended.status, ended.outcome, ended.attempts, ended.percent) == (DONE, {"rows": 9}, 1, 100)
        assert ended.ended_at and not ended.error

    def test_failed_says_why_and_rolls_back(self):
        job = made()

        def body(job, progress):
            with transaction.atomic():
                made(title="half written")
                raise ValueError("no such column")

        work(job.pk, body)
        assert (of(job).status, of(job).error) == (FAILED, f"Something went wrong on our side; it was recorded under job {job.uuid}.")
        assert Job.objects.count() == 1

    @pytest.mark.parametrize("status", [RUNNING, DONE, FAILED, CANCELLED])
    def test_only_a_queued_job_is_claimed(self, status):
        job = made(status=status)
        work(job.pk, never)
        assert (of(job).status, of(job).attempts) == (status, 0)

    def test_a_message_delivered_twice_runs_once(self):
        job, runs = made(), []

        def body(job, progress):
            runs.append(1)
            work(job.pk, never)

        work(job.pk, body)
        work(job.pk, never)
        assert runs == [1]

    def test_cancelling_before_the_start_lets_the_task_put_things_back(self, world):
        actor, put_back = world.user("aggregator", "filer"), []
        job = made(user=actor)
        services.cancel(actor=actor, job=job)

        def body(job, progress):
            try:
                progress(0)
            except services.Cancelled:
                put_back.append(job.pk)
                raise

        work(job.pk, body)
        assert (of(job).status, put_back) == (CANCELLED, [job.pk])

    def test_cancelling_is_for_its_user_and_the_platforms_administrator(self, world):
        job = made(user=world.user("aggregator", "filer"))
        for other in (world.user("aggregator", "administrator"), world.user("operator", "viewer"), world.nobody):
            with pytest.raises(NotPermitted):
                services.cancel(actor=other, job=job)
        assert not of(job).cancel_requested
        services.cancel(actor=world.user("operator", "administrator"), job=job)
        assert of(job).cancel_requested

    def test_what_has_ended_is_not_cancelled_and_the_user_is_told(self):
        job = made(status=DONE)
        with pytest.raises(Conflict):
            services.cancel(actor=None, job=job)
        assert (of(job).status, of(job).cancel_requested) == (DONE, False)


@pytest.mark.django_db
class TestSweep:
    def test_a_dead_worker_and_a_lost_message_are_made_good(self, sent):
        now = timezone.now()
        dead = made(status=RUNNING, attempts=1, heartbeat_at=now - 2 * Job.DEAD_AFTER)
        lost = made(woken_at=now - 2 * Job.WAKE_AFTER, created_at=now - 2 * Job.WAKE_AFTER)
        alive = made(status=RUNNING, attempts=1, heartbeat_at=now)
        fresh = made(woken_at=now)
        assert services.sweep() == 2
        assert sorted(sent) == sorted([(TASK, dead.pk), (TASK, lost.pk)])
        assert [of(job).status for job in (dead, lost, alive, fresh)] == [QUEUED, QUEUED, RUNNING, QUEUED]
        assert services.sweep() == 0

    def test_a_job_in_a_long_queue_is_woken_less_and_less(self, sent):
        now = timezone.now()
        ages = [(60, 30), (60, 29), (600, 121), (600, 119)]  # seconds since it was made, and since it was woken
        jobs = [made(created_at=now - timedelta(seconds=age), woken_at=now - timedelta(seconds=woken)) for age, woken in ages]
        assert services.sweep() == 2
        assert sorted(sent) == sorted((TASK, jobs[number].pk) for number in (0, 2))

    def test_a_killed_workers_job_resumes_and_ends(self):
        job = made(status=RUNNING, attempts=1, heartbeat_at=timezone.now() - 2 * Job.DEAD_AFTER)
        services.sweep()
        work(job.pk, lambda job, progress: progress(1, 1))
        assert (of(job).status, of(job).attempts) == (DONE, 2)

    def test_it_gives_up_in_the_end(self, sent):
        job = made(status=RUNNING, attempts=Job.MAX_ATTEMPTS, heartbeat_at=timezone.now() - 2 * Job.DEAD_AFTER)
        assert services.sweep() == 0
        assert (of(job).status, sent) == (FAILED, [])
        assert of(job).ended_at and "died" in of(job).error

    def test_a_worker_that_was_given_up_does_not_overwrite_its_successor(self):
        job = made()

        def body(job, progress):
            Job.objects.filter(pk=job.pk).update(status=QUEUED)
            work(job.pk, lambda job, progress: None)
            raise ValueError("the slow one fails late")

        work(job.pk, body)
        assert (of(job).status, of(job).attempts, of(job).error) == (DONE, 2, "")


@pytest.mark.django_db(transaction=True)
class TestFromOutside:
    def test_progress_is_seen_while_the_transaction_is_open(self):
        job = made()

        def body(job, progress):
            with transaction.atomic():
                made(title="not yet committed")
                progress(5, 10, "Half")
                with connected() as other:
                    seen = "SELECT done, total, phase FROM moc_job WHERE id = %s"
                    wait_for(lambda: other.execute(seen, [job.pk]).fetchone() == (5, 10, "Half") or other.rollback())
                    assert other.execute("SELECT count(*) FROM moc_job").fetchone() == (1,)

        work(job.pk, body)
        assert (of(job).status, of(job).error) == (DONE, "")

    def test_one_long_statement_keeps_its_sign_of_life(self):
        job = made()

        def body(job, progress):
            began = of(job).heartbeat_at
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_sleep(1.5)")
            assert of(job).heartbeat_at > began + timezone.timedelta(seconds=0.9)

        work(job.pk, body)
        assert (of(job).status, of(job).error) == (DONE, "")

    @pytest.mark.parametrize("taken_over", [False, True])
    def test_cancelled_midway_nothing_stays(self, taken_over):
        job = made()

        def body(job, progress):
            with transaction.atomic():
                made(title="half written")
                progress(1, 100)
                with connected() as other:
                    change = "attempts = attempts + 1" if taken_over else "cancel_requested = true"
                    other.execute(f"UPDATE moc_job SET {change} WHERE id = %s", [job.pk])
                    other.commit()
                ends = time.monotonic() + 10
                while time.monotonic() < ends:
                    progress(2, 100)
                    time.sleep(0.05)

        work(job.pk, body)
        assert Job.objects.count() == 1
        assert of(job).status == (RUNNING if taken_over else CANCELLED)
