"""A take-out: who asked for it and why, and the archive for as long as it is kept."""

import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone

from moc.access.models import Organization
from moc.access.queries import ScopedQuerySet
from moc.documents.models import Document
from moc.history import Versions
from moc.jobs.models import Job


class Takeout(models.Model):
    """One archive of an organisation's whole part. Without `plain` its personal columns are masked."""

    access_paths = ("organization",)

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="takeouts")
    purpose = models.CharField(max_length=300, help_text="what it is for; it is kept with the record")
    plain = models.BooleanField("personal data in full", default=False)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    job = models.ForeignKey(Job, null=True, on_delete=models.SET_NULL, related_name="+")
    document = models.ForeignKey(Document, null=True, on_delete=models.PROTECT, related_name="+")
    row_count = models.BigIntegerField(null=True)
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField(null=True)

    objects = ScopedQuerySet.as_manager()
    history = Versions()

    class Meta:
        ordering = ["-id"]
        verbose_name = "take-out"
        indexes = [models.Index(fields=["organization", "-id"], name="takeout_by_organization")]

    def __str__(self) -> str:
        return f"Take-out of {self.organization}"
