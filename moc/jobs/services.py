"""Enqueue, run, follow, cancel and sweep jobs."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from threading import Event, Thread

from celery import current_app
from django.db import Error, InterfaceError, OperationalError, connection, transaction
from django.db.models import Case, F, Value, When
from django.utils import timezone

from moc import sight
from moc.access import policy
from moc.errors import Conflict
from moc.jobs import routing
from moc.jobs.models import Job

log = logging.getLogger(__name__)
REPORT_EVERY_S, CLOSE_WITHIN_S = 0.5, 10
TOO_LATE = "The wish to stop came too late: the work was done already."
REFUSAL = ("code", "sentence", "remedy", "row", "column", "problems")  # what a refusal says of itself, kept in the job's outcome


_LATER: ContextVar[bool] = ContextVar("later", default=False)


class Cancelled(Exception):
    """The user asked the job to stop, or another worker has taken it over; its transaction is rolled back."""


@contextmanager
def later() -> Iterator[None]:
    """What is enqueued within is work of the night and the like: nobody waits for it, and it makes nobody wait."""
    before = _LATER.set(True)
    try:
        yield
    finally:
        _LATER.reset(before)


def enqueue(*, actor, task: str, title: str, **arguments) -> Job:
    """Write a job and wake a worker when the transaction commits."""
    arguments |= {"later": True} if _LATER.get() else {}
    narrowed = {} if actor is None else {"scopes": actor.scopes and sorted(actor.scopes), "support": actor.support}
    job = Job.objects.create(task=task, title=title[:200], user=actor, arguments=arguments, **narrowed)
    wake(job)
    return job


def wake(job: Job) -> None:
    """Send the job's task by name once the transaction has committed; a lost message is made good by the sweep."""
    transaction.on_commit(lambda: _send(job.task, job.pk), robust=True)


def _send(task: str, pk: int) -> None:
    current_app.send_task(task, args=[pk], ignore_result=True, **routing.options(pk))


def cancel(*, actor, job: Job) -> None:
    """Ask one's own job to stop, or as the platform's administrator anybody's. Raises Conflict when it has ended.

    A queued job too is ended by a worker: only the task knows what must be put back.
    """
    if actor is not None and job.user_id != actor.pk:
        policy.require(actor, "administer")
    if not Job.objects.open().filter(pk=job.pk).update(cancel_requested=True):
        raise Conflict("The job has ended already.", "Reload the page to see what came of it.")


def sweep() -> int:
    """Requeue jobs whose worker or message died; give up after MAX_ATTEMPTS. Returns how many were woken.

    Each update asks again whether the job is stale: meanwhile a worker may have claimed it, or shown a sign of life.
    """
    now = timezone.now()
    Job.objects.stale(now).filter(attempts__gte=Job.MAX_ATTEMPTS).update(
        status=Job.Status.FAILED, ended_at=now, error="The worker died each time this was tried. Nothing was changed."
    )
    woken = [
        (pk, task)
        for pk, task in Job.objects.stale(now).values_list("pk", "task")
        if Job.objects.stale(now).filter(pk=pk).update(status=Job.Status.QUEUED, woken_at=now)
    ]
    for pk, task in woken:
        _send(task, pk)
    return len(woken)


class Progress:
    """Reports progress, shows that the worker lives and learns of cancellation, from a thread with a connection of its own.

    So all three work inside a long transaction, and while one statement runs for minutes.
    """

    def __init__(self, job: Job):
        self.job, self._cancelled, self._ended = job, Event(), Event()
        self._latest = {"done": job.done, "total": job.total, "phase": job.phase}
        if job.cancel_requested:
            self._cancelled.set()
        self._reporter = Thread(target=copy_context().run, args=(self._report,), name=f"progress of job {job.pk}", daemon=True)
        self._reporter.start()

    def __call__(self, done: int, total: int | None = None, phase: str = "") -> None:
        """Say how far the work is, as often as one likes. Raises Cancelled when the job shall stop."""
        self._latest = {"done": done, "total": total, "phase": phase}
        self.job.done, self.job.total, self.job.phase = done, total, phase
        if self._cancelled.is_set():
            raise Cancelled

    def _report(self) -> None:
        try:
            while not self._ended.wait(REPORT_EVERY_S):
                try:
                    self._beat()
                except Error:
                    log.warning("job %s could not report", self.job.pk, exc_info=True)
                    connection.close()
        finally:
            connection.close()

    def _beat(self) -> None:
        if _mine(self.job).filter(cancel_requested=False).update(heartbeat_at=timezone.now(), **self._latest):
            return
        if Job.objects.filter(pk=self.job.pk).exists():  # a job that is not committed yet can be neither cancelled nor taken over
            self._cancelled.set()

    def close(self) -> None:
        """Stop reporting."""
        self._ended.set()
        self._reporter.join(CLOSE_WITHIN_S)


@contextmanager
def running(pk: int, put_back: Callable[[Job, str], None] | None = None) -> Iterator[tuple[Job, Progress] | tuple[None, None]]:
    """Claim a queued job and run it; yields (job, progress), or (None, None) when another worker has it or it ended.

    The body's exceptions end the job: `Cancelled`, or any other as failed; a lost database or killed worker leaves it to the sweep.
    `put_back(job, reason)` undoes in the same transaction what was done when the job was ordered.
    """
    claimed = Job.objects.filter(pk=pk, status=Job.Status.QUEUED).update(
        status=Job.Status.RUNNING, attempts=F("attempts") + 1, heartbeat_at=timezone.now(), error=""
    )
    if not claimed:
        yield None, None
        return
    job = Job.objects.select_related("user").get(pk=pk)
    progress = Progress(job)
    try:
        with sight.seeing(policy.sight_of(job.actor) if job.user else sight.ENGINE):
            yield job, progress
    except Cancelled:
        _end_in_vain(job, Job.Status.CANCELLED, put_back, "cancelled by the user")
    except (OperationalError, InterfaceError):  # the database went away: the sweep has the job tried again
        raise
    except Exception as error:
        log.exception("job %s failed", job.uuid)
        refusal = {name: getattr(error, name) for name in REFUSAL if getattr(error, name, None)} if hasattr(error, "sentence") else {}
        said = getattr(error, "sentence", "") or f"Something went wrong on our side; it was recorded under job {job.uuid}."
        _end_in_vain(job, Job.Status.FAILED, put_back, said, error=said, outcome=job.outcome | refusal)
    else:
        too_late = Case(When(cancel_requested=True, then=Value(TOO_LATE)), default=Value(""))
        _end(job, Job.Status.DONE, done=job.total or job.done, total=job.total, outcome=job.outcome, error=too_late)
    finally:
        progress.close()


def _mine(job: Job):
    """The job's row while this attempt holds it."""
    return Job.objects.filter(pk=job.pk, status=Job.Status.RUNNING, attempts=job.attempts)


def _end_in_vain(job: Job, status: str, put_back: Callable[[Job, str], None] | None, reason: str, **values) -> None:
    """End a job whose work was rolled back; an attempt that another worker has taken over puts nothing back."""
    with transaction.atomic():
        if put_back:
            put_back(job, reason)
        if not _end(job, status, **values):
            transaction.set_rollback(True)


def _end(job: Job, status: str, **values) -> int:
    return _mine(job).update(status=status, ended_at=timezone.now(), **values)
