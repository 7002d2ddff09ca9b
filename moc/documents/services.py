"""Keep files."""

import hashlib

from moc.access.models import Organization
from moc.documents.models import Document
from moc.history import acting


def store(*, actor, owner: Organization, kind: str, upload, counterparty: Organization | None = None) -> Document:
    """Keep a file, streamed, with its SHA-256. `upload` is a Django File with `.name`, `.size` and `.chunks()`.

    The caller has checked what `actor` may do for `owner`.
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
