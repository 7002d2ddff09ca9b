"""Notices: one row per recipient; also the outbox of the e-mail that goes with it."""

import uuid

from django.conf import settings
from django.contrib.postgres.functions import RandomUUID
from django.db import models
from django.db.models import Q
from django.utils import timezone

from moc.access.queries import ScopedQuerySet


class Preference(models.Model):
    """How a person wants to be told of one kind of event; who says nothing is told in the app and by e-mail. Not recorded."""

    access_paths = ("SELF",)

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False)
    event = models.SlugField(max_length=60, db_index=False)
    in_app = models.BooleanField("in the app", default=True)
    by_email = models.BooleanField("by e-mail", default=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "event"], name="preference_once")]

    def __str__(self) -> str:
        return f"{self.user}: {self.event}"


class Notice(models.Model):
    """What a person was told, where it leads, whether it was acknowledged and whether the e-mail went out.

    Not recorded: no person changes it. One that the person wants by e-mail only is born acknowledged.
    """

    access_paths = ("SELF",)

    uuid = models.UUIDField(default=uuid.uuid4, editable=False, db_default=RandomUUID())
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notices")
    event = models.SlugField(max_length=60)
    subject = models.CharField(max_length=200)
    body = models.TextField()
    url = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    read_at = models.DateTimeField(null=True, blank=True)
    by_email = models.BooleanField(default=True)
    emailed_at = models.DateTimeField(null=True, blank=True)
    email_attempts = models.PositiveSmallIntegerField(default=0)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["uuid"], name="notice_uuid")]
        indexes = [
            models.Index(fields=["user", "-id"]),
            models.Index(fields=["id"], condition=Q(emailed_at__isnull=True, by_email=True), name="notice_outbox"),
        ]

    def __str__(self) -> str:
        return self.subject
