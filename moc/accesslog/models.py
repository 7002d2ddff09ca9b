"""One entry for each look at personal data, and for each export; entries are only ever added."""

import pgtrigger
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone

from moc.access.models import Organization
from moc.access.queries import ScopedQuerySet
from moc.history import Appended, Refuse


class AccessEntry(Appended):
    """Somebody saw personal data in full, or destroyed them. `holder` is the party whose persons they are, `filed_by` who filed them.

    Both, and whoever oversees them, read the entry; the database refuses to change or remove it.
    """

    access_paths = ("holder", "filed_by")
    archived_by = "at"

    class Purpose(models.TextChoices):
        ACCOUNT = "account", "Compare with the utility's customer records"
        CONTACT = "contact", "Reach the customer about this DER"
        MEND = "mend", "Correct a filing"
        DISPUTE = "dispute", "Complaint or dispute"
        REQUEST = "request", "The customer's own request"
        LEGAL = "legal", "Order of a court or an authority"
        ERASURE = "erasure", "Erased for good"
        LOOK_UP = "look_up", "Looked up by another aggregator, by two facts"
        TAKEOUT = "takeout", "Taken out with the organisation's part"

    at = models.DateTimeField(default=timezone.now)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    holder = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+", db_index=False, verbose_name="whose customers")
    filed_by = models.ForeignKey(
        Organization, null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_index=False, verbose_name="filed by"
    )
    record = models.CharField(max_length=120, help_text="which record, without a name")
    subject = models.UUIDField(null=True, help_text="the person's key at that time")
    columns = ArrayField(models.CharField(max_length=200), help_text="what was shown")
    purpose = models.CharField(max_length=10, choices=Purpose.choices)
    note = models.CharField(max_length=300, blank=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = "look at personal data"
        verbose_name_plural = "access log"
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["holder", "-id"], name="access_by_holder"),
            models.Index(fields=["filed_by", "-id"], name="access_by_filer"),
        ]
        triggers = [
            Refuse(name="sealed_rows", operation=pgtrigger.Update | pgtrigger.Delete),
            Refuse(name="sealed_table", operation=pgtrigger.Truncate),
        ]

    def __str__(self) -> str:
        return f"{self.record}: {self.get_purpose_display()}"


class ExportEntry(Appended):
    """Something left the platform as a file: a list, a report, a snapshot, a take-out, a document. Written when it was made or broke off.

    `organization` is whose member exported it (of several the first), `holder` whose file it is, where it is one party's: both, and whoever
    oversees them, read the entry; the database refuses to change or remove it.
    """

    access_paths = ("organization", "holder")
    archived_by = "at"

    at = models.DateTimeField(default=timezone.now)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    organization = models.ForeignKey(Organization, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    holder = models.ForeignKey(
        Organization, null=True, on_delete=models.PROTECT, related_name="+", db_index=False, verbose_name="whose file"
    )
    what = models.CharField(max_length=200, help_text="the list, report or file")
    address = models.CharField(max_length=300, blank=True, help_text="where it was asked for")
    format = models.CharField(max_length=60)
    filters = models.JSONField(default=dict, help_text="parameters by name")
    as_of = models.DateTimeField("as recorded at", null=True)
    row_count = models.BigIntegerField("rows", null=True, help_text="none for a file without rows")
    complete = models.BooleanField("made to its end", default=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = "export"
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["organization", "-id"], name="export_by_organization"),
            models.Index(fields=["holder", "-id"], name="export_by_holder"),
        ]
        triggers = [
            Refuse(name="sealed_rows", operation=pgtrigger.Update | pgtrigger.Delete),
            Refuse(name="sealed_table", operation=pgtrigger.Truncate),
        ]

    def __str__(self) -> str:
        return f"{self.what} as {self.format}"
