"""The short way into the database for a batch in which every row is a reading of a DER by its form: read into columns by Arrow, checked
column by column, and written as one block of PostgreSQL's binary COPY. A batch with anything else in it takes the long way (decoding)."""

import io
import re
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv, json

from operations.telemetry.models import Told

TEXTS = ("der", "at", "published_at", "source", "quality", "operating", "unit")
NUMBERS = ("p_kw", "q_kvar", "soc_percent", "up_kw", "down_kw", "interval_s")
SCHEMA = pa.schema([(name, pa.string()) for name in TEXTS] + [(name, pa.float64()) for name in NUMBERS])
CODES = {"source": Told.Source, "quality": Told.Quality, "operating": Told.Operating}
BETWEEN = re.compile(rb"\}\s*,\s*\{")
EPOCH = 946_684_800_000_000  # microseconds from 1970 to 2000, where PostgreSQL counts from
LARGEST, LONGEST_S = 1e9, 86_400
DASHES, DIGITS = (8, 13, 18, 23), [n for n in range(36) if n not in (8, 13, 18, 23)]
NIBBLES = np.full(256, 255, np.uint8)
for _digits in (b"0123456789abcdef", b"0123456789ABCDEF"):
    NIBBLES[list(_digits)] = range(16)


class Unlike(Exception):
    """Something in the batch is no plain reading of a DER."""


@dataclass(frozen=True)
class Block:
    """Rows for binary COPY: the columns that hold anything, and the bytes."""

    columns: list[str]
    content: bytes
    rows: int


def read(name: str, content: bytes, most: int) -> Block | None:
    """The batch as a block; None where it must take the long way, which says what is wrong with it.

    Nothing is ever read otherwise than there: an array of JSON becomes lines by cutting between objects, and a cut anywhere else (in a
    text, in a nested array) leaves pieces that are no JSON."""
    try:
        table = _table(name, content)
        return _block(table) if 0 < table.num_rows <= most else None
    except (pa.ArrowException, UnicodeError, Unlike):
        return None


def _table(name: str, content: bytes) -> pa.Table:
    if name.endswith(".csv"):
        return _csv(content)
    body = content.strip()
    if not name.endswith(".ndjson"):
        if body[:1] != b"[" or body[-1:] != b"]":
            raise Unlike
        body = BETWEEN.sub(b"}\n{", body[1:-1])
    try:
        table = _parsed(body, body[: body.find(b"\n")])
    except pa.ArrowInvalid:  # a later object says more than the first
        table = _parsed(body, body)
    if name.endswith(".ndjson") and table.num_rows != body.count(b"\n") + 1:
        raise Unlike  # an empty line, or two objects on one
    return table


def _parsed(body: bytes, part: bytes) -> pa.Table:
    """Objects, one a line, in the columns that a part of them names: a column of nothing takes as long as any other."""
    said = pa.schema([field for field in SCHEMA if f'"{field.name}"'.encode() in part])
    reading = json.ReadOptions(use_threads=False, block_size=len(body) + 1)
    return json.read_json(io.BytesIO(body), reading, json.ParseOptions(explicit_schema=said, unexpected_field_behavior="error"))


def _csv(content: bytes) -> pa.Table:
    header = content[: content.find(b"\n")].decode().strip().split(",")
    if len(set(header)) < len(header) or not set(header) <= set(SCHEMA.names):
        raise Unlike
    types = {field.name: field.type for field in SCHEMA}
    converting = csv.ConvertOptions(column_types=types, strings_can_be_null=True, null_values=[""], quoted_strings_can_be_null=True)
    return csv.read_csv(io.BytesIO(content), csv.ReadOptions(use_threads=False, block_size=len(content) + 1), None, converting)


def _column(table: pa.Table, name: str) -> pa.Array | None:
    """A column that holds anything."""
    if name not in table.column_names:
        return None
    found = table[name].combine_chunks()
    found = found.chunk(0) if isinstance(found, pa.ChunkedArray) else found
    return found if found.null_count < len(found) else None


def _block(table: pa.Table) -> Block:
    n = table.num_rows
    unit = _column(table, "unit")
    if unit is not None and not pc.all(pc.equal(unit, "kW"), skip_nulls=True).as_py():
        raise Unlike
    at = _moments(_column(table, "at"))
    published, written = _column(table, "published_at"), at
    if published is not None:
        written = _moments(pc.coalesce(published, _column(table, "at")))
    fields = {"row_number": (np.arange(1, n + 1, dtype=">i4"), None), "der": (_uuids(_column(table, "der")), None)}
    fields |= {"event_at": ((at - EPOCH).astype(">i8"), None), "published_at": ((written - EPOCH).astype(">i8"), None)}
    for name, kind in CODES.items():
        fields[name] = (_codes(_column(table, name), kind, n), None)
    for name in NUMBERS:
        column = _column(table, name)
        if column is not None:
            fields[name] = _numbers(name, column)
    if "p_kw" not in fields or fields["p_kw"][1] is not None:
        raise Unlike
    return Block(list(fields), _copied(fields, n), n)


def _moments(column: pa.Array | None) -> np.ndarray:
    if column is None or column.null_count:
        raise Unlike
    return column.cast(pa.timestamp("us", "UTC")).cast(pa.int64()).to_numpy()


def _uuids(column: pa.Array | None) -> np.ndarray:
    """Their 16 bytes each."""
    if column is None or column.null_count or not pc.all(pc.equal(pc.binary_length(column), 36)).as_py():
        raise Unlike
    offsets = np.frombuffer(column.buffers()[1], np.int32, len(column) + 1, 4 * column.offset)
    letters = np.frombuffer(column.buffers()[2], np.uint8)[offsets[0] : offsets[-1]].reshape(-1, 36)
    digits = NIBBLES[letters[:, DIGITS]]
    if (letters[:, DASHES] != ord("-")).any() or (digits > 15).any():
        raise Unlike
    return np.ascontiguousarray(digits[:, 0::2] << 4 | digits[:, 1::2]).view("V16").ravel()


def _codes(column: pa.Array | None, kind, n: int) -> np.ndarray:
    """Positions in the choices, from 1; what is missing has the model's default."""
    default = kind.values.index(Told._meta.get_field(kind.__name__.lower()).default) + 1
    if column is None:
        return np.full(n, default, ">i2")
    found = pc.index_in(column, value_set=pa.array(kind.values))
    if found.null_count > column.null_count:
        raise Unlike
    return pc.fill_null(pc.add(found, 1), default).to_numpy(zero_copy_only=False).astype(">i2")


def _numbers(name: str, column: pa.Array) -> tuple[np.ndarray, np.ndarray | None]:
    """The values, and which are missing."""
    missing = column.is_null().to_numpy(zero_copy_only=False) if column.null_count else None
    values = column.fill_null(1).to_numpy(zero_copy_only=False)
    fits = (values >= 1) & (values <= LONGEST_S) if name == "interval_s" else np.abs(values) < LARGEST
    if not fits.all():
        raise Unlike
    return values.astype(">i4" if name == "interval_s" else ">f8"), missing


def _copied(fields: dict[str, tuple], n: int) -> bytes:
    """Rows of fixed width, from which the bytes of what is missing are cut."""
    layout = [("fields", ">i2")]
    for name, (values, _) in fields.items():
        layout += [(f"size of {name}", ">i4"), (name, values.dtype)]
    rows, kept = np.empty(n, layout), None
    rows["fields"] = len(fields)
    for name, (values, missing) in fields.items():
        size, (_, at) = values.dtype.itemsize, rows.dtype.fields[name]
        rows[f"size of {name}"], rows[name] = size, values
        if missing is not None:
            kept = np.ones((n, rows.itemsize), bool) if kept is None else kept
            rows[f"size of {name}"][missing] = -1
            kept[missing, at : at + size] = False
    written = rows.view(np.uint8) if kept is None else rows.view(np.uint8)[kept.ravel()]
    return b"".join((b"PGCOPY\n\xff\r\n\0", bytes(8), written, b"\xff\xff"))
