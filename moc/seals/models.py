"""Seals, the tables and blocks under them, what verifications found, and what was moved into archives. All are only ever added."""

import uuid
from datetime import datetime

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from moc import sight
from moc.access.queries import ScopedQuerySet
from moc.history import Appended, Refuse, Versions
from moc.jobs.models import Job
from moc.lifecycle import Lifecycle, Transition
from moc.rulesets.models import RuleSet


def only_added() -> list[pgtrigger.Trigger]:
    """The triggers of a table whose rows are never changed or removed."""
    return [
        Refuse(name="kept_rows", operation=pgtrigger.Update | pgtrigger.Delete),
        Refuse(name="kept_table", operation=pgtrigger.Truncate),
    ]


class Seal(models.Model):
    """A signed statement about every row of the transactions from `since` up to, not including, `before`.

    `statement` is JSON and what was signed, letter by letter; it holds the SHA-256 of the statement before it, and so the chain.
    """

    access_paths = ("PUBLIC",)

    number = models.PositiveBigIntegerField(primary_key=True)
    sealed_at = models.DateTimeField()
    since = models.BigIntegerField(help_text="the first transaction")
    before = models.BigIntegerField(help_text="all transactions below had ended")
    row_count = models.BigIntegerField("rows")
    statement = models.TextField()
    signature = models.CharField(max_length=100, help_text="Ed25519, in base64")
    key = models.CharField(max_length=16, help_text="the name of the key that signed")
    digest = models.CharField(max_length=64, help_text="SHA-256 of the statement")

    objects = ScopedQuerySet.as_manager()

    class Meta:
        ordering = ["-number"]
        triggers = only_added()

    def __str__(self) -> str:
        return f"Seal {self.number}"


class SealedTable(models.Model):
    """One table in one seal: which columns were hashed, how many rows, and the root of their tree."""

    access_paths = ("PUBLIC",)

    seal = models.ForeignKey(Seal, on_delete=models.PROTECT, related_name="tables")
    table = models.CharField(max_length=63)
    columns = models.JSONField(help_text="[name, whether its SHA-256 stands for the value]; later migrations leave it as it is")
    row_count = models.BigIntegerField("rows")
    root = models.CharField(max_length=64)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        ordering = ["table"]
        verbose_name = "sealed table"
        constraints = [models.UniqueConstraint(fields=["seal", "table"], name="sealed_table_once")]
        triggers = only_added()

    def __str__(self) -> str:
        return f"{self.table} in seal {self.seal_id}"


class SealedBlock(models.Model):
    """The hashes of up to 512 neighbouring rows: by row, which finds the row, and by column, which finds the field.

    `keys` are 8 bytes a row (big-endian), `leaves` 32 bytes a row, `fields` 32 bytes a column.
    """

    access_paths = ("OPERATOR",)

    seal = models.ForeignKey(Seal, on_delete=models.PROTECT, related_name="+", db_index=False)
    table = models.CharField(max_length=63)
    number = models.IntegerField(help_text="the place among the table's blocks in this seal")
    first = models.BigIntegerField(help_text="key of the first row")
    last = models.BigIntegerField(help_text="key of the last row")
    keys = models.BinaryField()
    leaves = models.BinaryField()
    fields = models.BinaryField()
    hash = models.BinaryField()

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = "sealed block"
        constraints = [models.UniqueConstraint(fields=["seal", "table", "number"], name="sealed_block_once")]
        indexes = [models.Index(fields=["seal", "table", "first"], name="sealed_block_by_key")]
        triggers = only_added()

    def __str__(self) -> str:
        return f"Block {self.number} of {self.table} in seal {self.seal_id}"


class Verification(models.Model):
    """Everything was hashed again and compared with the seals: who asked, what was read, and what was found."""

    access_paths = ("PUBLIC",)

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    at = models.DateTimeField(default=timezone.now)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    job = models.ForeignKey(Job, null=True, on_delete=models.PROTECT, related_name="+")
    last_seal = models.ForeignKey(Seal, null=True, on_delete=models.PROTECT, related_name="+")
    row_count = models.BigIntegerField("rows read")
    unsealed = models.BigIntegerField("rows not sealed yet")
    finding_count = models.BigIntegerField("findings")
    findings = models.JSONField(default=list, help_text="the first thousand")

    objects = ScopedQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        triggers = only_added()

    def __str__(self) -> str:
        return f"Verification {self.at:%Y-%m-%d %H:%M}"


class Archive(Appended):
    """A month of sealed rows that left the database for a file, as CSV, packed; verifications read it back.

    `statement` is JSON and what was signed: the table, its columns, the month, how many rows, and the SHA-256 of the file. Rows of
    telemetry and of the access log are moved when their class is no longer kept online (a rule set row); history never is.
    """

    access_paths = ("PUBLIC",)

    uuid = models.UUIDField("archive id", default=uuid.uuid4, unique=True, editable=False)
    table = models.CharField(max_length=63)
    starts_at = models.DateTimeField("from")
    ends_at = models.DateTimeField("until", help_text="half open")
    row_count = models.BigIntegerField("rows")
    last_seal = models.ForeignKey(Seal, on_delete=models.PROTECT, related_name="+", help_text="every row is under it or one before")
    size = models.BigIntegerField("bytes")
    sha256 = models.CharField("SHA-256 of the file", max_length=64)
    statement = models.TextField()
    signature = models.CharField(max_length=100, help_text="Ed25519, in base64")
    key = models.CharField(max_length=16, help_text="the name of the key that signed")
    made_at = models.DateTimeField(default=timezone.now)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["table", "starts_at", "sha256"], name="archive_once")]
        triggers = [
            Refuse(name="sealed_rows", operation=pgtrigger.Update | pgtrigger.Delete),
            Refuse(name="sealed_table", operation=pgtrigger.Truncate),
        ]

    def __str__(self) -> str:
        return f"{self.table}, {self.starts_at:%Y-%m}"

    @property
    def path(self) -> str:
        """Where the file is, in the storage."""
        return f"archives/{self.table}/{self.starts_at:%Y-%m}-{self.uuid}.csv.gz"

    @property
    @sight.engine()  # that it is gone is for whoever sees the archive; by whose word, for the operator
    def destroyed_at(self) -> datetime | None:
        """When its file was destroyed, by the word of two people; None where it stands."""
        done = self.destructions.filter(status=Destruction.Status.DESTROYED)
        return done.values_list("destroyed_at", flat=True).first()


class Destruction(models.Model):
    """The end of an archive's file, whose rows are kept no longer: proposed by one person, confirmed by another, then carried out.

    The archive's record and the seals stay. `statement` is JSON and what was signed: the keys of the rows that are gone. Verifications
    take that for an answer where these rows are missing, and nowhere else. Who proposed and confirmed is the operator's to know.
    """

    access_paths = ("OPERATOR",)

    class Status(models.TextChoices):
        PROPOSED = "proposed", "Proposed"
        CONFIRMED = "confirmed", "Confirmed: carried out at night, unless a dispute holds it"
        DESTROYED = "destroyed", "Destroyed"
        WITHDRAWN = "withdrawn", "Withdrawn"

    lifecycle = Lifecycle(
        Transition("confirm", (Status.PROPOSED,), Status.CONFIRMED, "administer", sensitive=True, danger=True),
        Transition("withdraw", (Status.PROPOSED, Status.CONFIRMED), Status.WITHDRAWN, "administer", needs_reason=True),
        Transition("destroy", (Status.CONFIRMED,), Status.DESTROYED, None),
        initial=(Status.PROPOSED,),
    )

    uuid = models.UUIDField("destruction id", default=uuid.uuid4, unique=True, editable=False)
    archive = models.ForeignKey(Archive, on_delete=models.PROTECT, related_name="destructions")
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.PROPOSED)
    law = models.ForeignKey(RuleSet, on_delete=models.PROTECT, related_name="+", help_text="the years that its class is kept")
    reason = models.TextField()
    proposed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField(default=timezone.now)
    confirmed_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    destroyed_at = models.DateTimeField(null=True, blank=True)
    statement = models.TextField(blank=True)
    signature = models.CharField(max_length=100, blank=True, help_text="Ed25519, in base64")
    key = models.CharField(max_length=16, blank=True, help_text="the name of the key that signed")

    objects = ScopedQuerySet.as_manager()
    history = Versions()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["archive"], condition=~Q(status="withdrawn"), name="destruction_one_of_an_archive"),
            models.CheckConstraint(
                name="destruction_four_eyes",
                condition=~Q(confirmed_by=F("proposed_by")),
                violation_error_message="Another person confirms a destruction.",
            ),
            models.CheckConstraint(
                name="destruction_confirmed",
                condition=Q(status__in=["proposed", "withdrawn"]) | Q(confirmed_by__isnull=False),
            ),
            models.CheckConstraint(
                name="destruction_stated",
                condition=~Q(status="destroyed") | (~Q(statement="") & ~Q(signature="") & Q(destroyed_at__isnull=False)),
            ),
        ]

    def __str__(self) -> str:
        return f"Destruction of {self.archive}"
