"""Rows of one table as recorded at an instant: which columns, as CSV blocks, and those as Parquet."""

import os
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, datetime

from django.db import models, transaction

from moc import sheets
from moc.access import policy
from moc.access.classes import DataClass, class_of
from moc.apps import own_models
from moc.bulk import copy_out, take_room
from moc.exports import columns
from moc.history import Appended, versions_of, written_at
from moc.portal.moments import VALID_TIME, has_valid_time
from moc.takeouts.archive import fields_of

BLOCK = 1 << 20  # what goes to a file at once
READ = 1 << 22  # what becomes one row group
OWN = ("history_id", "history_date")  # which version it is: its timeline and its proof are found by this
Counted = Generator[bytes, None, int]
Sink = Callable[[bytes], None]


def recorded() -> list[type[models.Model]]:
    """The models that a snapshot holds: all that are recorded or only added to, but no data of persons and no measurements."""
    found = [model for model in own_models() if class_of(model) != DataClass.IDENTITY and _is_kept(model)]
    return sorted(found, key=lambda model: model._meta.db_table)


def _is_kept(model: type[models.Model]) -> bool:
    return hasattr(model, "history") or (issubclass(model, Appended) and class_of(model) != DataClass.TELEMETRY)


def fields(model: type[models.Model]) -> list[models.Field]:
    """The columns of a model's rows: no sealed, secret or binary ones, and which version it is."""
    if not hasattr(model, "history"):
        return [field for field in fields_of(model) if not isinstance(field, models.BinaryField)]
    version = versions_of(model)
    kept = {field.attname for field in version.tracked_fields} - set(getattr(model, "personal", ()))
    plain = [field for field in fields_of(model) if field.attname in kept and not isinstance(field, models.BinaryField)]
    return [*plain, *(version._meta.get_field(name) for name in OWN)]


@dataclass(frozen=True)
class Standing:
    """The versions that stood at a moment: the last of each object, and which of them are rows that the user may audit.

    Of what is only added to there is nothing but the rows themselves.
    """

    last: models.QuerySet | None
    rows: models.QuerySet

    def streamed(self, *columns) -> Counted:
        """COPY of the rows in blocks, with room for its sorts; returns how many."""
        with transaction.atomic():
            take_room()
            lines, block = copy_out(self.rows.order_by().values_list(*columns), narrowed=self.last), bytearray()
            while True:
                try:
                    block += next(lines)
                except StopIteration as end:
                    yield bytes(block)
                    return end.value
                if len(block) >= BLOCK:
                    yield bytes(block)
                    block.clear()


def standing(model: type[models.Model], moment: datetime, before: int, user, valid_on: date | None = None) -> Standing:
    """What stood at `moment`, of transactions below `before`, of what the user may audit; of records that hold during days those that
    hold on `valid_on`."""
    holding = {f"{VALID_TIME}__contains": valid_on} if valid_on and has_valid_time(model) else {}
    if not hasattr(model, "history"):
        added = model._base_manager.filter(**{f"{written_at(model)}__lte": moment}, transaction_id__lt=before, **holding)
        return Standing(None, policy.scope(added, user, "audit"))
    versions = versions_of(model).objects.all()
    stood = versions.standing(moment).filter(**holding)
    return Standing(versions.last_of_each(moment, before), policy.scope(stood, user, "audit"))


def as_csv(model: type[models.Model], stood: Standing) -> Counted:
    """The rows as a CSV file for people, formulas neutralised; returns how many."""
    names = [field.attname for field in fields(model)]
    yield (sheets.BOM + ",".join(names) + "\n").encode()
    return (yield from stood.streamed(*columns(stood.rows.model, names, as_text=True)))


def as_parquet(model: type[models.Model], stood: Standing, sink: Sink, tell: Callable[[], None]) -> int:
    """Write the rows as a Parquet file, letter by letter as recorded; returns how many.

    The database's CSV goes through a pipe to a thread that converts it, so that reading and converting go on side by side.
    """
    names, types = [field.attname for field in fields(model)], {field.attname: _type(field) for field in fields(model)}
    reading, writing = os.pipe()
    with ThreadPoolExecutor(1) as converter:
        converted = converter.submit(_convert, reading, types, sink)
        lines = stood.streamed(*names)
        try:
            with os.fdopen(writing, "wb", buffering=0) as pipe:
                count = yield_to(lines, lambda block: (tell(), pipe.write(block)))
        except BrokenPipeError:  # the converter ended first: its own error says why
            lines.close()
            converted.result()
            raise
        converted.result()
    return count


def yield_to(blocks: Counted, sink: Sink) -> int:
    """Blocks into a sink; returns what their generator returned."""
    while True:
        try:
            sink(next(blocks))
        except StopIteration as end:
            return end.value


def _type(field: models.Field):
    import pyarrow as arrow  # here: 40 MB that only a process that writes Parquet shall pay

    field = getattr(field, "target_field", field)
    if isinstance(field, models.DecimalField):
        return arrow.decimal128(field.max_digits, field.decimal_places)
    known = (
        (models.BooleanField, arrow.bool_()),
        (models.IntegerField, arrow.int64()),
        (models.FloatField, arrow.float64()),
        (models.DateTimeField, arrow.timestamp("us", tz="UTC")),
        (models.DateField, arrow.date32()),
    )
    return next((kind for of, kind in known if isinstance(field, of)), arrow.string())


def _convert(reading: int, types: dict, sink: Sink) -> None:
    """PostgreSQL's CSV from a file descriptor into one Parquet file."""
    import pyarrow as arrow
    from pyarrow import csv, parquet

    schema = arrow.schema(list(types.items()))
    convert = csv.ConvertOptions(
        column_types=schema,
        null_values=[""],
        true_values=["t"],
        false_values=["f"],
        strings_can_be_null=True,
        quoted_strings_can_be_null=False,
    )
    with os.fdopen(reading, "rb") as source, parquet.ParquetWriter(_File(sink), schema) as writer:
        for batch in _batches(source, schema, convert, csv):
            writer.write_batch(batch)


def _batches(source, schema, convert, csv) -> Iterator:
    """Batches of a CSV without a header; none of an empty one, which the reader would refuse."""
    if not source.peek(1):
        return
    read = csv.ReadOptions(column_names=schema.names, block_size=READ)
    yield from csv.open_csv(source, read, csv.ParseOptions(newlines_in_values=True), convert)


class _File:
    """A sink as the file that pyarrow writes to."""

    closed = False

    def __init__(self, sink: Sink):
        self.write = sink

    def flush(self) -> None:
        """Nothing waits here."""

    def close(self) -> None:
        """The entry is closed by the archive."""
