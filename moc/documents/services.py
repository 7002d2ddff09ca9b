"""Keep files, encrypted, and no files but those of documents; give them out in plain only to streams and to a job's own temporary file."""

import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.core.files import File
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone

from moc.access import policy
from moc.access.models import Organization
from moc.documents import content
from moc.documents.models import FOLDER, Document
from moc.errors import Conflict, UserError
from moc.history import acting
from moc.notices.services import tell
from moc.readers.workbook import COPIES
from moc.vault import cipher
from moc.vault import services as vault

PERMISSION = "replace_evidence"
STORED = re.compile("[0-9a-f]{32}")  # as storage_name names a file
KEPT_FOR, LEFT_AFTER = timezone.timedelta(hours=1), timezone.timedelta(days=1)
IN_MEMORY = 1 << 20


class Destroyed(UserError):
    """The key of a document was destroyed, by retention or because a person in it was erased."""

    code = "DOCUMENT-DESTROYED"

    def __init__(self):
        super().__init__("The file was destroyed.", "What it said of the DERs stands in the registry.")


def store(*, actor, owner: Organization, kind: str, upload, counterparty: Organization | None = None, **facts) -> Document:
    """Keep a file, streamed and encrypted, with the SHA-256 of its plain bytes. `upload` is a Django File with `.name` and `.chunks()`.

    Raises content.Unfit for evidence that is none. The caller has checked what `actor` may do for `owner`.
    A file whose transaction does not commit is swept an hour later.
    """
    if kind == Document.Kind.EVIDENCE:
        content.check(upload)
    digest, key, secret = hashlib.sha256(), vault.new_subject(), os.urandom(cipher.KEY_BYTES)
    with tempfile.SpooledTemporaryFile(IN_MEMORY) as sealed, acting(actor, f"Stored {upload.name}"):
        ring = vault.ring_of(owner.pk)
        size = _seal(upload.chunks(), secret, key.bytes, digest, sealed)
        vault.keep([vault.Sealed(key, ring.pk, ring.wrap(key, secret), b"")])
        return Document.objects.create(
            kind=kind,
            owner=owner,
            counterparty=counterparty,
            uploaded_by=actor,
            file=File(sealed, name=str(upload.name)),
            name=str(upload.name)[-200:],
            size=size,
            sha256=digest.hexdigest(),
            key=key,
            **facts,
        )


def supersede(*, actor, document: Document, upload) -> Document:
    """Keep a newer version of evidence beside the older ones, for the same parties; what refers to an older one goes on to do so.

    Raises NotPermitted, UserError for what has no versions, Conflict when somebody else brought a newer one or the same file is the latest,
    content.Unfit.
    """
    policy.require(actor, PERMISSION, document.owner)
    if document.kind != Document.Kind.EVIDENCE:
        raise UserError("Only evidence has versions.", "Send the file where it belongs.", "DOCUMENT-VERSIONS")
    with acting(actor, f"Superseded by a newer version: {upload.name}"):
        latest = Document.objects.select_for_update(of=("self",)).get(pk=document.pk)
        if latest.superseded_at is not None:
            raise Conflict(
                "A newer version took the place of this one.", "Open the latest version, and replace that.", "DOCUMENT-SUPERSEDED"
            )
        Document.objects.filter(pk=latest.pk).update(superseded_at=timezone.now())
        facts = {"first_id": latest.first_id or latest.pk, "version": latest.version + 1, "counterparty": latest.counterparty}
        made = store(actor=actor, owner=latest.owner, kind=latest.kind, upload=upload, **facts)
        if made.sha256 == latest.sha256:
            raise Conflict("This is the very file that is kept already.", "Send the changed one.", "DOCUMENT-SAME")
        if made.counterparty is not None:
            subject, url = f"New version of {latest.name}", reverse("document_versions", args=[made.uuid])
            tell(
                made.counterparty, PERMISSION, event="evidence_superseded", subject=subject, url=url, author=actor, made=made, first=latest
            )
        return made


def seal_stored() -> int:
    """Encrypt the files that are stored in plain, each in a transaction of its own; returns how many. For the migration that began it."""
    count = 0
    for document in Document.objects.filter(key=None).order_by("pk"):
        key, secret, ring = vault.new_subject(), os.urandom(cipher.KEY_BYTES), vault.ring_of(document.owner_id)
        storage, former = document.file.storage, document.file.name
        if not storage.exists(former):
            continue
        with tempfile.SpooledTemporaryFile(IN_MEMORY) as sealed, acting(None, "system: encrypted the stored file"):
            _seal(plain(document), secret, key.bytes, hashlib.sha256(), sealed)
            vault.keep([vault.Sealed(key, ring.pk, ring.wrap(key, secret), b"")])
            document.file, document.key = storage.save(f"{former}.sealed", File(sealed)), key
            document.save(update_fields=["file", "key"])
        storage.delete(former)
        count += 1
    return count


def _seal(chunks: Iterable[bytes], secret: bytes, about: bytes, digest, out) -> int:
    size = 0

    def read() -> Iterator[bytes]:
        nonlocal size
        for chunk in chunks:
            digest.update(chunk)
            size += len(chunk)
            yield chunk

    out.writelines(cipher.encrypt_stream(secret, read(), about))
    out.seek(0)
    return size


def plain(document: Document) -> Iterator[bytes]:
    """The file as it was given, in chunks. Raises Destroyed, FileNotFoundError, or vault's Unreadable for a file that was changed.

    The caller has checked that the reader may open it. What is wrong with the file as a whole is raised here, not at the first chunk.
    """
    secret = _secret(document)
    file = document.file.storage.open(document.file.name, "rb")
    return _plain(file, secret, document.key.bytes if document.key else b"")


def _secret(document: Document) -> bytes | None:
    if document.key is None:
        return None
    secret = vault.secrets([document.key]).get(document.key)
    if secret is None:
        raise Destroyed
    return secret


def _plain(file, secret: bytes | None, about: bytes) -> Iterator[bytes]:
    with file:
        yield from cipher.decrypt_stream(secret, file, about) if secret else file.chunks()


@contextmanager
def plain_path(document: Document) -> Iterator[str]:
    """The plain file under a path, for readers that jump in it: an unnamed file, which is gone with its process whatever becomes of it."""
    with tempfile.TemporaryFile() as file:
        file.writelines(plain(document))
        file.flush()
        yield f"/proc/self/fd/{file.fileno()}"


def destroy(documents: Iterable[Document]) -> int:
    """Destroy the keys of documents, and so the files wherever they are copied to; returns how many keys there were.

    The documents stay as records: name, size, digest, who and when. The caller has asked policy.py, or is a retention period.
    """
    return vault.destroy(document.key for document in documents if document.key)


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
    """Remove the files of a set for good once the transaction commits, and their keys; what is known of them (name, size, SHA-256) stays.

    Call inside `acting`. Returns how many.
    """
    found = list(documents.filter(removed_at=None))
    destroy(found)
    for document in found:
        transaction.on_commit(partial(document.file.storage.delete, document.file.name))
    return Document.objects.filter(pk__in=[document.pk for document in found]).update(removed_at=timezone.now())
