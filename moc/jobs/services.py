"""Enqueue, run, follow, cancel and sweep jobs."""

import logging
from collections.abc import Callable
from contextlib import contextmanager
from time import monotonic

from celery import current_app
from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from moc.jobs.models import Job

log = logging.getLogger(__name__)
REPORT_EVERY_S = 0.5


class Cancelled(Exception):
    """The user asked the job to stop; its transaction is rolled back."""


def enqueue(*, actor, task: str, title: str, **arguments) -> Job:
    """Write a job and wake a worker when the transaction commits."""
    job = Job.objects.create(task=task, title=title, user=actor, arguments=arguments)
    wake(job)
    return job


def wake(job: Job) -> None:
    """Send the job's task by name once the transaction has committed; a lost message is made good by the sweep."""
    transaction.on_commit(lambda: _send(job.task, job.pk), robust=True)


def _send(task: str, pk: int) -> None:
    current_app.send_task(task, args=[pk], ignore_result=True)


def cancel(*, actor, job: Job) -> None:
    """Ask a job to stop; a queued one ends at once."""
    Job.objects.filter(pk=job.pk, status=Job.Status.QUEUED).update(status=Job.Status.CANCELLED, ended_at=timezone.now())
    Job.objects.filter(pk=job.pk, status=Job.Status.RUNNING).update(cancel_requested=True)


def sweep() -> int:
    """Requeue jobs whose worker or message died; give up after MAX_ATTEMPTS. Returns how many were woken."""
    now = timezone.now()
    stale = Job.objects.stale(now)
    stale.filter(attempts__gte=Job.MAX_ATTEMPTS).update(
        status=Job.Status.FAILED, ended_at=now, error="The worker died each time this was tried. Nothing was changed."
    )
    woken = list(Job.objects.stale(now).values_list("pk", "task"))
    Job.objects.filter(pk__in=[pk for pk, _ in woken]).update(status=Job.Status.QUEUED, woken_at=now)
    for pk, task in woken:
        _send(task, pk)
    return len(woken)


class Progress:
    """Reports progress and learns of cancellation on a connection of its own, so that both work inside a long transaction."""

    def __init__(self, job: Job):
        self.job, self.reported_at = job, 0.0
        self.connection = connection.copy()

    def __call__(self, done: int, total: int | None = None, phase: str = "") -> None:
        """Report at most every half second. Raises Cancelled when the user asked for it."""
        if monotonic() - self.reported_at < REPORT_EVERY_S and phase == self.job.phase:
            return
        self.reported_at, self.job.phase = monotonic(), phase
        with self.connection.cursor() as cursor:
            cursor.execute(
                "UPDATE moc_job SET done = %s, total = %s, phase = %s, heartbeat_at = clock_timestamp() WHERE id = %s RETURNING cancel_requested",
                [done, total, phase, self.job.pk],
            )
            row = cursor.fetchone()
        if row and row[0]:
            raise Cancelled

    def close(self) -> None:
        self.connection.close()


@contextmanager
def running(pk: int):
    """Claim a queued job and run it; yields (job, progress), or (None, None) when another worker has it or it ended.

    The body's exceptions end the job: `Cancelled`, or any other as failed; a lost database or killed worker leaves it to the sweep.
    """
    claimed = Job.objects.filter(pk=pk, status=Job.Status.QUEUED).update(
        status=Job.Status.RUNNING, attempts=F("attempts") + 1, heartbeat_at=timezone.now(), error=""
    )
    if not claimed:
        yield None, None
        return
    job = Job.objects.get(pk=pk)
    progress = Progress(job)
    try:
        yield job, progress
    except Cancelled:
        _end(job, Job.Status.CANCELLED)
    except Exception as error:
        if not connection.is_usable():
            raise
        log.exception("job %s failed", pk)
        _end(job, Job.Status.FAILED, error=getattr(error, "sentence", "") or f"{type(error).__name__}: {error}")
    else:
        _end(job, Job.Status.DONE, done=job.total or job.done, outcome=job.outcome)
    finally:
        progress.close()


def _end(job: Job, status: str, **values) -> None:
    Job.objects.filter(pk=job.pk).update(status=status, ended_at=timezone.now(), **values)


def run_inline(job: Job, work: Callable[[int], None]) -> Job:
    """Run a job's task in this process (demonstration state, tests); returns the ended job."""
    work(job.pk)
    job.refresh_from_db()
    return job
