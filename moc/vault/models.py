"""Keys of parties and of persons, wrapped; and what a record with a sealed part has."""

from django.db import models
from django.db.models import Q
from django.utils import timezone

from moc.access.models import Organization
from moc.access.queries import ScopedQuerySet
from moc.history import Versions


class DataKey(models.Model):
    """A party's data key, wrapped by a master key: it wraps the keys of its persons and documents, and makes its blind indexes.

    Its history names keys and never holds them. Rotation makes another one current; the former opens until nothing needs it.
    """

    access_paths = ("organization",)

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="data_keys")
    master = models.CharField("master key", max_length=40)
    wrapped = models.BinaryField()
    is_current = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=timezone.now)
    retired_at = models.DateTimeField(null=True, blank=True, help_text="nothing needs it any more, and it was destroyed")

    objects = ScopedQuerySet.as_manager()
    history = Versions(excluded_fields=["wrapped"])

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization"], condition=Q(is_current=True), name="data_key_current_once")]

    def __str__(self) -> str:
        return f"Data key {self.pk} of {self.organization}"


class SubjectKey(models.Model):
    """The key of one sealed record of a person, or of one document, wrapped by a data key. To erase is to delete this row.

    Not recorded in history, which would keep what must be gone. A million come with one file: the key to the data key carries no
    database constraint. A key whose ciphertext is gone opens nothing.
    """

    access_paths = ("data_key__organization",)

    id = models.UUIDField(primary_key=True)
    data_key = models.ForeignKey(DataKey, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False)
    wrapped = models.BinaryField()

    objects = ScopedQuerySet.as_manager()

    def __str__(self) -> str:
        return str(self.pk)


class SealedFacts(models.Model):
    """The personal columns of a record as one ciphertext; `subject` names its key. Which columns are filled stays readable, as bits."""

    personal: tuple[str, ...] = ()
    sealing: tuple[str, ...] = ("subject", "sealed", "filled")  # the columns that serve the encryption and say nothing to a reader

    subject = models.UUIDField(null=True, editable=False, help_text="names the key; nobody's when there is nothing personal")
    sealed = models.BinaryField(default=b"")
    filled = models.PositiveSmallIntegerField(default=0, editable=False)

    class Meta:
        abstract = True

    def is_filled(self, name: str) -> bool:
        """Whether the record holds a value in a personal column."""
        return bool((self.filled or 0) >> self.personal.index(name) & 1)  # none: hidden from whoever looks
