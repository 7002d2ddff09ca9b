"""Seals, the tables and blocks under them, and what verifications found. All of them are only ever added."""

import uuid

import pgtrigger
from django.conf import settings
from django.db import models
from django.utils import timezone

from moc.access.queries import ScopedQuerySet
from moc.history import Refuse
from moc.jobs.models import Job


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
    """The hashes of up to 256 neighbouring rows: by row, which finds the row, and by column, which finds the field.

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
