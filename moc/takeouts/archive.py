"""The archive: one table for each model with its history, files, letters, a dictionary and a manifest; streamed, in bounded memory."""

import hashlib
import json
import zipfile
from collections.abc import Callable, Generator, Iterable
from contextlib import closing, contextmanager
from typing import BinaryIO

from django.db import models
from django.utils import timezone

from moc import sheets
from moc.access import policy
from moc.access.models import Organization
from moc.apps import own_models
from moc.bulk import copy_out
from moc.documents import services as documents
from moc.documents.models import Document
from moc.exports import columns
from moc.history import versions_of
from moc.takeouts.datasets import parts
from moc.vault.models import SealedFacts
from moc.vault.services import open_all

MASK, BATCH = "***", 2_000
WORDS = {"SELF", "PUBLIC", "OPERATOR"}
SECRETS = {"digest", "secret", "wrapped"}  # what proves who somebody is: nobody's to carry away
NOT_TAKEN = (Document.Kind.EXPORT, Document.Kind.TAKEOUT, Document.Kind.SNAPSHOT)  # copies of what the archive holds
README = """This archive holds what {organization} is a party to in the registry, and nothing else, as of {moment}.

tables/      one CSV file (UTF-8) for each kind of record; <name>.history.csv holds every version, with who, when and why
files/       the documents that the organization put in or was given
letters/     the letters about decisions, as PDF
dictionary.csv  every column: its type, what it is, and which record it names
manifest.json   every file with its size and SHA-256, and the number of rows of each table

Numbers ending in _id name records by their id in the registry. A text that a spreadsheet program would compute begins with an apostrophe.
Personal columns are {personal}.
"""


class Archive:
    """A ZIP being written: each entry is streamed, and counted with its digest."""

    def __init__(self, out: BinaryIO):
        self.zip = zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=4, allowZip64=True)
        self.entries: list[dict] = []

    @contextmanager
    def entry(self, name: str, *, packed: bool = False) -> Generator[Callable[[bytes], None], None, None]:
        """An entry to write blocks to; `packed` ones are compressed already."""
        digest, size = hashlib.sha256(), 0
        self.zip.compression = zipfile.ZIP_STORED if packed else zipfile.ZIP_DEFLATED
        with self.zip.open(name, "w", force_zip64=True) as file:

            def write(block: bytes) -> None:
                nonlocal size
                file.write(block)
                digest.update(block)
                size += len(block)

            yield write
        self.entries.append({"name": name, "size": size, "sha256": digest.hexdigest()})

    def add(self, name: str, blocks: Iterable[bytes]) -> None:
        with self.entry(name) as write:
            for block in blocks:
                write(block)

    def close(self) -> None:
        self.zip.close()


def taken_models() -> list[type[models.Model]]:
    """Every model of ours with parties, and its history: a new model is among them by itself."""
    with_parties = [model for model in own_models() if set(model.access_paths) - WORDS]
    return [each for model in with_parties for each in (model, *([versions_of(model)] if hasattr(model, "history") else []))]


def table_name(model: type[models.Model]) -> str:
    """The entry of a model's rows."""
    own = getattr(model, "instance_type", None)
    opts = (own or model)._meta
    return f"tables/{opts.app_label}_{opts.model_name}{'.history' if own else ''}.csv"


def fields_of(model: type[models.Model]) -> list[models.Field]:
    """The columns that are written as they stand: no files, no secrets, nothing sealed."""
    left_out = SECRETS | set(getattr(_live(model), "sealing", ()))
    return [field for field in model._meta.concrete_fields if not isinstance(field, models.FileField) and field.name not in left_out]


def _live(model: type[models.Model]) -> type[models.Model]:
    """The model of which this is the history, or the model itself."""
    return getattr(model, "instance_type", model)


def _personal(model: type[models.Model]) -> tuple[str, ...]:
    """The columns that are sealed in the database."""
    return _live(model).personal if issubclass(_live(model), SealedFacts) else ()


def _table(model: type[models.Model], organization: Organization, *, plain: bool) -> Generator[bytes, None, int]:
    """The organisation's rows of a model as CSV; returns how many."""
    names = [field.attname for field in fields_of(model)]
    yield (sheets.BOM + ",".join((*names, *_personal(model))) + "\n").encode()
    rows = policy.part_of(model._base_manager.all(), organization).order_by()
    if _personal(model):
        return (yield from _sealed_rows(model, rows, names, plain=plain))
    return (yield from copy_out(rows.values_list(*columns(model, names, as_text=True))))


def _sealed_rows(model: type[models.Model], rows: models.QuerySet, names: list[str], *, plain: bool) -> Generator[bytes, None, int]:
    """Rows with sealed columns, in batches by key: masked, or opened when they are wanted plain."""
    live, last, count = _live(model), 0, 0
    related = [name for name in ("row",) if name in {field.name for field in model._meta.fields}]  # what the ciphertext is bound to
    while batch := list(rows.filter(pk__gt=last).select_related(*related).order_by("pk")[:BATCH]):
        last, count = batch[-1].pk, count + len(batch)
        written = rows.filter(pk__in=[each.pk for each in batch]).order_by("pk").values_list(*columns(model, names, as_text=True))
        records = [_record(live, each) for each in batch]
        values = open_all(records) if plain else [{name: MASK for name in live.personal if each.is_filled(name)} for each in records]
        merged = zip(written, values, strict=True)
        cells = [[*line, *(sheets.neutralise((own or {}).get(name, "")) for name in live.personal)] for line, own in merged]
        yield from sheets.csv_rows(cells, bom=False)
    return count


def _record(live: type[models.Model], row: models.Model) -> SealedFacts:
    """A row, or a version of one, as the model that knows how it is sealed."""
    if isinstance(row, live):
        return row
    kept = {field.attname for field in row._meta.concrete_fields}
    return live(**{field.attname: getattr(row, field.attname) for field in live._meta.concrete_fields if field.attname in kept})


def write(out: BinaryIO, organization: Organization, *, plain: bool, progress: Callable[..., None]) -> dict[str, int]:
    """Write the archive; returns entry → rows of the tables. `progress(done, total, phase)` is told entry by entry."""
    counts, taken = {}, taken_models()
    with closing(Archive(out)) as archive:
        for number, model in enumerate(taken):
            name = table_name(model)
            progress(number, len(taken), f"Writing {name}")
            with archive.entry(name) as entry:
                counts[name] = _written(entry, _table(model, organization, plain=plain))
        progress(len(taken), len(taken), "Writing files and letters")
        missing = _files(archive, organization)
        for part in parts():
            for name, content in part(organization):
                progress(len(taken), len(taken), f"Writing {name}")
                archive.add(name, [content])
        archive.add("dictionary.csv", sheets.csv_rows(_dictionary(taken)))
        personal = "in full" if plain else f"masked as {MASK}"
        archive.add("README.txt", [README.format(organization=organization, moment=timezone.now().isoformat(), personal=personal).encode()])
        manifest = {
            "organization": organization.slug,
            "written_at": timezone.now().isoformat(),
            "personal_data": personal,
            "rows": counts,
            "files": archive.entries,
            "files_missing": missing,
        }
        archive.add("manifest.json", [json.dumps(manifest, indent=1).encode()])
    return counts


def _written(entry: Callable[[bytes], None], blocks: Generator[bytes, None, int]) -> int:
    """Blocks into an entry; returns what their generator returned."""
    while True:
        try:
            entry(next(blocks))
        except StopIteration as end:
            return end.value


def _files(archive: Archive, organization: Organization) -> list[str]:
    """The stored files; returns the ids of documents whose file is not in the store any more."""
    missing = []
    rows = policy.part_of(Document.objects.filter(removed_at=None).exclude(kind__in=NOT_TAKEN), organization)
    for document in rows.order_by("pk").iterator(500):
        try:
            chunks = documents.plain(document)
        except (FileNotFoundError, documents.Destroyed):
            missing.append(str(document.uuid))
            continue
        archive.add(f"files/{document.uuid}/{_plain_name(document.name)}", chunks)
    return missing


def _plain_name(name: str) -> str:
    """A file's name without what a path or an unpacking program could take for more."""
    kept = "".join(letter if letter.isalnum() or letter in "-_. " else "_" for letter in name).strip(". ")
    return kept[-120:] or "file"


def _dictionary(taken: list[type[models.Model]]) -> Generator[tuple, None, None]:
    yield ("table", "column", "type", "what it is", "names a record of")
    for model in taken:
        for field in fields_of(model):
            related = field.related_model._meta.verbose_name if field.is_relation else ""
            about = ". ".join(filter(None, (str(field.verbose_name), str(field.help_text))))
            yield (table_name(model), field.attname, field.get_internal_type(), about, related)
        yield from ((table_name(model), name, "CharField", "personal", "") for name in _personal(model))
