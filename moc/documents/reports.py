"""Read models: the versions of a piece of evidence with what refers to each."""

from dataclasses import dataclass, field

from django.db.models import ForeignKey

from moc.access import policy
from moc.documents.models import Document
from moc.history import Version

SHOWN = 20


@dataclass
class EvidenceVersion:
    """One version, and the records within the reader's sight that were made with it, as (kind, what it is called)."""

    document: Document
    records: list[tuple[str, str]] = field(default_factory=list)


def versions(document: Document, user) -> list[EvidenceVersion]:
    """Every version that the user may read, newest first; one query for each kind of record that names documents."""
    rows = Document.objects.readable_by(user).versions_of(document).select_related("uploaded_by")
    found = {row.pk: EvidenceVersion(row) for row in rows}
    for key in _keys():
        named = policy.scope(key.model._default_manager.filter(**{f"{key.name}__in": found}), user).order_by("-pk")
        for record in named[:SHOWN]:
            found[getattr(record, key.attname)].records.append((str(key.model._meta.verbose_name), str(record)))
    return list(found.values())


def _keys() -> list[ForeignKey]:
    """The foreign keys of records to documents; history repeats them."""
    related = Document._meta.get_fields(include_hidden=True)
    keys = [one.field for one in related if one.auto_created and not one.concrete and one.one_to_many]
    return [key for key in keys if key.model is not Document and not issubclass(key.model, Version)]
