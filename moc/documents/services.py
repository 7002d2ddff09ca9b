"""Keep files, and no files but those of documents."""

import hashlib
import re
import shutil
import tempfile
from functools import partial
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from moc.access.models import Organization
from moc.documents.models import FOLDER, Document
from moc.history import acting
from moc.readers.workbook import COPIES

STORED = re.compile("[0-9a-f]{32}")  # as storage_name names a file
KEPT_FOR, LEFT_AFTER = timezone.timedelta(hours=1), timezone.timedelta(days=1)


def store(*, actor, owner: Organization, kind: str, upload, counterparty: Organization | None = None) -> Document:
    """Keep a file, streamed, with its SHA-256. `upload` is a Django File with `.name`, `.size` and `.chunks()`.

    The caller has checked what `actor` may do for `owner`. A file whose transaction does not commit is swept an hour later.
    """
    digest = hashlib.sha256()
    for chunk in upload.chunks():
        digest.update(chunk)
    upload.seek(0)
    with acting(actor, f"Stored {upload.name}"):
        return Document.objects.create(
            kind=kind,
            owner=owner,
            counterparty=counterparty,
            uploaded_by=actor,
            file=upload,
            name=str(upload.name)[-200:],
            size=upload.size,
            sha256=digest.hexdigest(),
        )


def sweep_files(now=None) -> int:
    """Remove stored files without a document: their transaction was rolled back, or its process killed. Returns how many.

    One folder and one query at a time; a file younger than KEPT_FOR may belong to a transaction that is still open.
    """
    before, removed = (now or timezone.now()) - KEPT_FOR, 0
    folders, _ = default_storage.listdir(FOLDER) if default_storage.exists(FOLDER) else ([], [])
    for folder in folders:
        place = f"{FOLDER}/{folder}"
        names = {f"{place}/{name}": UUID(name) for name in default_storage.listdir(place)[1] if STORED.fullmatch(name)}
        for name in set(names) - set(Document.objects.filter(uuid__in=names.values()).values_list("file", flat=True)):
            if default_storage.get_modified_time(name) < before:
                default_storage.delete(name)
                removed += 1
    return removed


def sweep_uploads(now=None) -> int:
    """Remove what uploads and workbooks left among the temporary files when their process was killed. Returns how much."""
    before, removed = ((now or timezone.now()) - LEFT_AFTER).timestamp(), 0
    for entry in [*Path(settings.FILE_UPLOAD_TEMP_DIR).iterdir(), *Path(tempfile.gettempdir()).glob(f"{COPIES}*")]:
        if entry.stat().st_mtime < before:
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
            removed += 1
    return removed


def remove_files(documents: QuerySet[Document]) -> int:
    """Remove the files of a set for good once the transaction commits; what is known of them (name, size, SHA-256) stays.

    Call inside `acting`. Returns how many.
    """
    found = list(documents.filter(removed_at=None))
    for document in found:
        transaction.on_commit(partial(document.file.storage.delete, document.file.name))
    return Document.objects.filter(pk__in=[document.pk for document in found]).update(removed_at=timezone.now())
