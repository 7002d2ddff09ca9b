"""Documents: a file with its digest, size and owner organisation."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from moc.access.models import Organization
from moc.access.queries import ScopedQuerySet
from moc.documents.queries import DocumentQuerySet
from moc.history import Versions

FOLDER = "documents"


def storage_name(document: "Document", name: str) -> str:
    """Files are stored under random names; what the user called them is data, not a path."""
    return f"{FOLDER}/{document.uuid.hex[:2]}/{document.uuid.hex}"


class Document(models.Model):
    """A stored file. `owner` put it in, `counterparty` may read it too. Size and digest are those of the file as it was given.

    On disk it is encrypted under a key of its own (`key`, in the vault, under the owner's data key), for filings, evidence and exports name
    people; without the key it is noise: destroying the key destroys the file, in every backup too.

    A newer version of evidence is a document of its own beside the older ones, all of which stay readable: `first` is the one that they
    are versions of, and a record goes on to name the version that it was made with.
    """

    access_paths = ("owner", "counterparty")

    class Kind(models.TextChoices):
        UPLOAD = "upload", "Uploaded file of DERs"
        EVIDENCE = "evidence", "Evidence"
        EXPORT = "export", "Export"
        GRID = "grid", "Uploaded grid records"
        TAKEOUT = "takeout", "Take-out"
        SNAPSHOT = "snapshot", "Snapshot of the registry"
        LETTER = "letter", "Letter"

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    owner = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="documents")
    counterparty = models.ForeignKey(Organization, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    uploaded_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    file = models.FileField(upload_to=storage_name, max_length=200)
    name = models.CharField(max_length=200)
    size = models.BigIntegerField()
    sha256 = models.CharField(max_length=64)
    key = models.UUIDField(null=True, editable=False, help_text="names the key; files from before encryption have none")
    created_at = models.DateTimeField(default=timezone.now)
    first = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="later", help_text="none: it is the first"
    )
    version = models.PositiveSmallIntegerField(default=1)
    superseded_at = models.DateTimeField(null=True, blank=True, help_text="when a newer version took its place")
    removed_at = models.DateTimeField(null=True, blank=True, help_text="when the file itself was removed; this record of it stays")

    objects = DocumentQuerySet.as_manager()
    history = Versions()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["first", "version"], name="document_version_once"),
            models.CheckConstraint(
                name="document_version_of_first",
                condition=Q(first__isnull=True, version=1) | Q(first__isnull=False, version__gt=1, kind="evidence"),
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Letter(models.Model):
    """One printed copy of a letter or certificate: its code, its parties and the digest of the file, which is not kept. Never changed."""

    access_paths = ("issuer", "recipient")

    code = models.CharField(max_length=19, unique=True, editable=False)
    kind = models.SlugField(max_length=30, db_index=False)
    issuer = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    recipient = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    sha256 = models.CharField(max_length=64)
    printed_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    printed_at = models.DateTimeField(default=timezone.now)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.kind} {self.code}"
