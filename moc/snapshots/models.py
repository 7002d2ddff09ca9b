"""A snapshot: who asked for it, which instant, and what covers it. The archive goes after some days; the same can be made again."""

import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone

from moc.access.models import Organization
from moc.access.queries import ScopedQuerySet
from moc.documents.models import Document
from moc.history import Versions
from moc.jobs.models import Job
from moc.seals.models import Seal


class Snapshot(models.Model):
    """The registry as recorded at `moment`, of what its organisation may see. Every row's transaction is below `seal.before`."""

    access_paths = ("organization",)

    class Format(models.TextChoices):
        PARQUET = "parquet", "Parquet"
        CSV = "csv", "CSV"

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="snapshots")
    moment = models.DateTimeField("as recorded at")
    valid_on = models.DateField("as valid on", null=True, blank=True, help_text="of records that hold during days, those that hold then")
    format = models.CharField(max_length=8, choices=Format.choices, default=Format.PARQUET)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    seal = models.ForeignKey(Seal, null=True, on_delete=models.PROTECT, related_name="+", help_text="covers every row")
    job = models.ForeignKey(Job, null=True, on_delete=models.SET_NULL, related_name="+")
    document = models.ForeignKey(Document, null=True, on_delete=models.PROTECT, related_name="+")
    row_count = models.BigIntegerField("rows", null=True)
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField(null=True)

    objects = ScopedQuerySet.as_manager()
    history = Versions()

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["organization", "-id"], name="snapshot_by_organization")]

    def __str__(self) -> str:
        return f"Snapshot of {timezone.localtime(self.moment):%Y-%m-%d %H:%M}"
