"""What people defined, and each time that it was run."""

import uuid

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone

from moc.access.models import Organization
from moc.access.queries import ScopedQuerySet
from moc.documents.models import Document
from moc.history import Versions
from moc.jobs.models import Job
from moc.lifecycle import Lifecycle, Transition
from moc.seals.models import Seal

PERMISSION = "run_reports"
SHARED = {"organization": Q(is_shared=True)}


class Format(models.TextChoices):
    """What a run writes."""

    CSV = "csv", "CSV"
    XLSX = "xlsx", "XLSX"
    PARQUET = "parquet", "Parquet"
    PDF = "pdf", "PDF"


class ReportDefinition(models.Model):
    """A saved report: which dataset or ready-made report, and what of it (`spec`, see specs.py). Each change is a version.

    It is its author's (`user`); `is_shared`, also the organisation's. On a schedule it runs with the rights that its author then has.
    """

    access_paths = ("SELF", "organization")
    access_conditions = SHARED

    class Status(models.TextChoices):
        ACTIVE = "active", "In use"
        RETIRED = "retired", "Retired"

    class Every(models.TextChoices):
        NEVER = "", "Not by itself"
        DAY = "day", "Every day"
        WEEK = "week", "Every Monday"
        MONTH = "month", "On the first day of the month"

    class Way(models.TextChoices):
        INBOX = "inbox", "Inbox"
        EMAIL = "email", "E-mail"
        WEBHOOK = "webhook", "Webhook"

    lifecycle = Lifecycle(
        Transition("retire", (Status.ACTIVE,), Status.RETIRED, PERMISSION, danger=True),
        Transition("restore", (Status.RETIRED,), Status.ACTIVE, PERMISSION),
        initial=(Status.ACTIVE,),
    )

    uuid = models.UUIDField("report id", default=uuid.uuid4, unique=True, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name="author")
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="reports")
    name = models.CharField(max_length=120)
    about = models.TextField("what it is for", max_length=1000, blank=True)
    source = models.SlugField("data", max_length=60, help_text="the dataset or ready-made report")
    spec = models.JSONField("definition", default=dict)
    is_shared = models.BooleanField("shared with the organization", default=True)
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.ACTIVE)
    format = models.CharField(max_length=8, choices=Format.choices, default=Format.XLSX)
    every = models.CharField("runs", max_length=6, choices=Every.choices, default=Every.NEVER, blank=True)
    ways = ArrayField(models.CharField(max_length=8, choices=Way.choices), verbose_name="delivered by", default=list, blank=True)
    next_at = models.DateTimeField("next run", null=True, blank=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = ScopedQuerySet.as_manager()
    history = Versions()

    class Meta:
        ordering = ["-id"]
        verbose_name = "report"
        indexes = [
            models.Index(fields=["organization", "-id"], name="report_by_organization"),
            models.Index(fields=["next_at"], condition=Q(next_at__isnull=False), name="report_next"),
        ]
        constraints = [
            models.CheckConstraint(
                name="report_on_a_schedule",
                condition=Q(every="", next_at=None) | (~Q(every="") & (Q(next_at__isnull=False) | Q(status="retired"))),
            )
        ]

    def __str__(self) -> str:
        return self.name


class ReportRun(models.Model):
    """One run of a report: what was asked (`spec` as it then stood), by whom, and the file that came of it.

    `read_at` is the moment at which the rows were read, `seal` the last seal before it.
    """

    access_paths = ("SELF", "organization")
    access_conditions = SHARED

    uuid = models.UUIDField("run id", default=uuid.uuid4, unique=True, editable=False)
    definition = models.ForeignKey(ReportDefinition, null=True, blank=True, on_delete=models.PROTECT, related_name="runs")
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="report_runs")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name="run by")
    is_shared = models.BooleanField("shared with the organization", default=True)
    title = models.CharField(max_length=120)
    source = models.SlugField("data", max_length=60)
    spec = models.JSONField("definition", default=dict)
    format = models.CharField(max_length=8, choices=Format.choices)
    scheduled = models.BooleanField(default=False)
    job = models.ForeignKey(Job, null=True, on_delete=models.SET_NULL, related_name="+")
    document = models.ForeignKey(Document, null=True, on_delete=models.PROTECT, related_name="+")
    row_count = models.BigIntegerField("rows", null=True)
    read_at = models.DateTimeField(null=True)
    seal = models.ForeignKey(Seal, null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = ScopedQuerySet.as_manager()
    history = Versions()

    class Meta:
        ordering = ["-id"]
        verbose_name = "report run"
        indexes = [
            models.Index(fields=["organization", "-id"], name="report_run_by_organization"),
            models.Index(fields=["definition", "-id"], name="report_run_of"),
        ]

    def __str__(self) -> str:
        return f"{self.title}, {timezone.localtime(self.created_at):%Y-%m-%d %H:%M}"
