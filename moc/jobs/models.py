"""Jobs: what is to be done in the background, by whose wish, how far it is."""

import uuid

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.functions import RandomUUID
from django.db import models
from django.db.models import DurationField, F, Value
from django.db.models.functions import Greatest, Least
from django.utils import timezone

from moc.access.queries import ScopedQuerySet
from moc.access.support import SupportGrant


class JobQuerySet(ScopedQuerySet):
    """Jobs by what they need."""

    def open(self) -> "JobQuerySet":
        """Not yet ended."""
        return self.filter(status__in=[Job.Status.QUEUED, Job.Status.RUNNING])

    def stale(self, now) -> "JobQuerySet":
        """Queued and not taken since it was woken, each time for as long again, or running without a sign of life: a worker or the broker
        died, or the queue is long."""
        patience = Least(Greatest(F("woken_at") - F("created_at"), Job.WAKE_AFTER), Job.WAKE_AGAIN, output_field=DurationField())
        return self.filter(status=Job.Status.QUEUED, woken_at__lt=Value(now) - patience) | self.filter(
            status=Job.Status.RUNNING, heartbeat_at__lt=now - Job.DEAD_AFTER
        )


class Job(models.Model):
    """One piece of background work. `task` is a Celery task that takes the job's id and is idempotent; progress is shown live.

    A job is not recorded in history: what it changes is.
    """

    access_paths = ("SELF", "OPERATOR")
    seen_with = ("registry.Submission.job",)  # colleagues watch the file being read
    WAKE_AFTER, WAKE_AGAIN = timezone.timedelta(seconds=20), timezone.timedelta(seconds=120)  # the first time, and at the latest again
    DEAD_AFTER, MAX_ATTEMPTS = timezone.timedelta(seconds=60), 5

    class Status(models.TextChoices):
        QUEUED = "queued", "Queued"
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"
        CANCELLED = "cancelled", "Cancelled"

    uuid = models.UUIDField(default=uuid.uuid4, editable=False, db_default=RandomUUID())
    task = models.CharField(max_length=100)
    arguments = models.JSONField(default=dict)
    title = models.CharField(max_length=200)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="jobs")
    scopes = ArrayField(models.CharField(max_length=30), null=True, editable=False, help_text="of the token that asked for it")
    support = models.ForeignKey(SupportGrant, null=True, editable=False, on_delete=models.PROTECT, related_name="+")
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.QUEUED)
    done = models.BigIntegerField(default=0)
    total = models.BigIntegerField(null=True)
    phase = models.CharField(max_length=120, blank=True)
    outcome = models.JSONField(default=dict)
    error = models.TextField(blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    cancel_requested = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=timezone.now)
    woken_at = models.DateTimeField(default=timezone.now)
    heartbeat_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    objects = JobQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["uuid"], name="job_uuid")]
        indexes = [models.Index(fields=["status", "woken_at"]), models.Index(fields=["user", "-id"])]

    def __str__(self) -> str:
        return self.title

    @property
    def actor(self):
        """The job's user as whoever asked for it: with the token's scopes, or acting for an organisation; None for the system."""
        user = self.user
        if user is not None:
            user.scopes = None if self.scopes is None else frozenset(self.scopes)
            user.support = self.support
        return user

    @property
    def percent(self) -> int | None:
        return min(100, int(100 * self.done / self.total)) if self.total else None
