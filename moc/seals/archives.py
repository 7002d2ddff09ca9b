"""Sealed rows that are in files: which tables they may leave, how a file is written, and how it is read back."""

import base64
import gzip
import hashlib
import json
from collections.abc import Iterator
from datetime import datetime
from tempfile import TemporaryFile

from django.apps import apps
from django.core.files import File
from django.core.files.storage import default_storage
from django.db.models import Model
from psycopg import sql

from moc.bulk import copy_in, copy_out, run_sql
from moc.seals import canon, keys
from moc.seals.checker import is_signed
from moc.seals.findings import Findings
from moc.seals.models import Archive, Seal

FORMAT, BLOCK = "moc-archive-1", 1 << 20


def movable() -> dict[str, type[Model]]:
    """The sealed tables whose rows may be moved: each names in `archived_by` the column that says of which month a row is."""
    return {table: model for table, model in canon.tables().items() if getattr(model, "archived_by", "")}


def written(model: type[Model], starts_at: datetime, ends_at: datetime, seal: Seal) -> Archive | None:
    """A month of rows as a file in the storage, and what is known of it, not yet saved; None where there are none."""
    columns = [field.attname for field in model._meta.concrete_fields]
    month = {f"{model.archived_by}__gte": starts_at, f"{model.archived_by}__lt": ends_at}
    rows = model._base_manager.filter(**month).order_by("pk").values_list(*columns)
    canon.hold_still(alone=False)
    made = Archive(table=model._meta.db_table, starts_at=starts_at, ends_at=ends_at, last_seal=seal)
    with TemporaryFile() as out:
        made.row_count = _packed(out, columns, rows)
        if not made.row_count:
            return None
        made.size = out.tell()
        out.seek(0)
        made.sha256 = hashlib.file_digest(out, "sha256").hexdigest()
        out.seek(0)
        default_storage.save(made.path, File(out))
    return _signed(made, columns)


def _packed(out, columns: list[str], rows) -> int:
    """The header and the rows, packed without a clock in it; returns how many rows."""
    count = 0
    with gzip.GzipFile(fileobj=out, mode="wb", compresslevel=6, mtime=0) as packed:
        packed.write((",".join(columns) + "\n").encode())
        for line in copy_out(rows):
            packed.write(line)
            count += 1
    return count


def _signed(made: Archive, columns: list[str]) -> Archive:
    said = {
        "format": FORMAT,
        "table": made.table,
        "columns": columns,
        "starts_at": made.starts_at.isoformat(),
        "ends_at": made.ends_at.isoformat(),
        "rows": made.row_count,
        "sha256": made.sha256,
        "last_seal": made.last_seal_id,
    }
    for name, value in signed(said).items():
        setattr(made, name, value)
    return made


def signed(said: dict) -> dict[str, str]:
    """A statement with its signature, and the name of the key that signed."""
    key = keys.signing()
    name = keys.identity(keys.public(key))
    statement = json.dumps(said | {"key": name}, sort_keys=True, separators=(",", ":"))
    return {"statement": statement, "signature": base64.b64encode(key.sign(statement.encode())).decode(), "key": name}


def wrong_with(archive: Archive) -> str:
    """What is not as it was archived, as a sentence; nothing where the file is whole."""
    said, trusted = json.loads(archive.statement), keys.trusted().get(archive.key)
    if trusted is None or not is_signed(archive.statement, archive.signature, trusted):
        return f"The signature of the archive {archive} is not good."
    if (said["table"], said["rows"], said["sha256"]) != (archive.table, archive.row_count, archive.sha256):
        return f"What the archive {archive} says of itself was altered beside its statement."
    if archive.destroyed_at:
        return ""
    if not default_storage.exists(archive.path):
        return f"The file of the archive {archive} is gone: its {archive.row_count} rows cannot be verified."
    with default_storage.open(archive.path, "rb") as file:
        intact = hashlib.file_digest(file, "sha256").hexdigest() == archive.sha256
    return "" if intact else f"The file of the archive {archive} was altered."


def blocks(archive: Archive) -> Iterator[bytes]:
    """The file as it was before it was packed: CSV with a header."""
    with default_storage.open(archive.path, "rb") as file, gzip.GzipFile(fileobj=file) as packed:
        while block := packed.read(BLOCK):
            yield block


def loaded(model: type[Model], found: Findings) -> tuple[str, int]:
    """The rows of a table that are in files, read back into a table that ends with the transaction: (its name or nothing, how many).

    Files that are not as they were archived are findings, and not read.
    """
    standing = []
    for archive in Archive.objects.filter(table=model._meta.db_table).order_by("starts_at", "pk"):
        if sentence := wrong_with(archive):
            found.add("archive", sentence, table=archive.table)
        elif not archive.destroyed_at:
            standing.append(archive)
    return read_back(model, standing) if standing else ("", 0)


def read_back(model: type[Model], standing: list[Archive]) -> tuple[str, int]:
    """The rows of files that are whole, in a table that ends with the transaction: (its name, how many)."""
    name, count = f"archived_{model._meta.db_table}"[:63], 0
    parts = {"into": sql.Identifier(name), "table": sql.Identifier(model._meta.db_table), "key": sql.Identifier(model._meta.pk.column)}
    run_sql("read_back", **parts)
    for archive in standing:
        columns = json.loads(archive.statement)["columns"]
        count += copy_in(name, columns, blocks(archive), "FORMAT csv, HEADER true")
    return name, count


def model_of(archive: Archive) -> type[Model]:
    """The model whose rows an archive holds."""
    return next(model for model in apps.get_models() if model._meta.db_table == archive.table)
