"""The archive: one table for each model with its history, files, letters, a dictionary and a manifest; streamed, in bounded memory."""

import hashlib
import json
import zipfile
from collections.abc import Callable, Generator, Iterable
from contextlib import closing, contextmanager
from typing import BinaryIO

from django.db import models
from django.db.models import Case, TextField, Value, When
from django.utils import timezone

from moc import sheets
from moc.access import policy
from moc.access.models import Organization
from moc.apps import own_models
from moc.bulk import copy_out
from moc.documents.models import Document
from moc.exports import columns
from moc.history import versions_of
from moc.takeouts.datasets import parts

MASK = "***"
WORDS = {"SELF", "PUBLIC", "OPERATOR"}
SECRETS = {"digest", "secret"}  # what proves who somebody is: nobody's to carry away
NOT_TAKEN = (Document.Kind.EXPORT, Document.Kind.TAKEOUT)  # copies of what the archive holds
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
    def entry(self, name: str) -> Generator[Callable[[bytes], None], None, None]:
        """An entry to write blocks to."""
        digest, size = hashlib.sha256(), 0
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


def _fields(model: type[models.Model]) -> list[models.Field]:
    return [field for field in model._meta.concrete_fields if not isinstance(field, models.FileField) and field.name not in SECRETS]


def _values(model: type[models.Model], *, plain: bool) -> list:
    """The columns of a model as the archive holds them; personal ones masked unless they are wanted plain."""
    personal = set() if plain else set(getattr(model, "personal_columns", ()))
    fields = _fields(model)
    written = columns(model, [field.attname for field in fields], as_text=True)
    return [_masked(field) if field.name in personal else value for field, value in zip(fields, written, strict=True)]


def _masked(field: models.Field) -> Case:
    """Only whether there is a value."""
    return Case(When(**{field.attname: ""}, then=Value("")), default=Value(MASK), output_field=TextField())


def _table(model: type[models.Model], organization: Organization, *, plain: bool) -> Generator[bytes, None, int]:
    """The organisation's rows of a model as CSV; returns how many."""
    yield (sheets.BOM + ",".join(field.attname for field in _fields(model)) + "\n").encode()
    rows = policy.part_of(model._base_manager.all(), organization).order_by()
    return (yield from copy_out(rows.values_list(*_values(model, plain=plain))))


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
            file = document.file.open("rb")
        except FileNotFoundError:
            missing.append(str(document.uuid))
            continue
        with file:
            archive.add(f"files/{document.uuid}/{_plain_name(document.name)}", file.chunks())
    return missing


def _plain_name(name: str) -> str:
    """A file's name without what a path or an unpacking program could take for more."""
    kept = "".join(letter if letter.isalnum() or letter in "-_. " else "_" for letter in name).strip(". ")
    return kept[-120:] or "file"


def _dictionary(taken: list[type[models.Model]]) -> Generator[tuple, None, None]:
    yield ("table", "column", "type", "what it is", "names a record of")
    for model in taken:
        for field in _fields(model):
            related = field.related_model._meta.verbose_name if field.is_relation else ""
            about = ". ".join(filter(None, (str(field.verbose_name), str(field.help_text))))
            yield (table_name(model), field.attname, field.get_internal_type(), about, related)
