"""Notices: one row per recipient; also the outbox of the e-mail that goes with it."""

import uuid

from django.conf import settings
from django.contrib.postgres.functions import RandomUUID
from django.db import models
from django.db.models import Q
from django.utils import timezone

from moc.access.queries import ScopedQuerySet


class Notice(models.Model):
    """What a person was told, where it leads, whether it was read and whether the e-mail went out. Not recorded: no person changes it."""

    access_paths = ("SELF",)

    uuid = models.UUIDField(default=uuid.uuid4, editable=False, db_default=RandomUUID())
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notices")
    event = models.SlugField(max_length=60)
    subject = models.CharField(max_length=200)
    body = models.TextField()
    url = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    read_at = models.DateTimeField(null=True, blank=True)
    emailed_at = models.DateTimeField(null=True, blank=True)
    email_attempts = models.PositiveSmallIntegerField(default=0)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["uuid"], name="notice_uuid")]
        indexes = [
            models.Index(fields=["user", "-id"]),
            models.Index(fields=["id"], condition=Q(emailed_at__isnull=True), name="notice_outbox"),
        ]

    def __str__(self) -> str:
        return self.subject
