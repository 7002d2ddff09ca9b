"""Properties of the file reader: no dialect, encoding or chunking changes a cell, and no bytes raise anything but FileRefused."""

import csv
import io
import json
import zipfile
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from moc.readers import FileRefused, Limits, annotate
from moc.readers.delimited import DelimitedRows
from moc.readers.encode import Encoder
from moc.readers.objects import ObjectRows
from moc.readers.sniff import Raw
from tests.registry.submissions.reading import VOCABULARY, decoded, read
from tests.registry.submissions.test_reader_hostile import workbook

HEADER = ("external_id", "colour", "kw", "control_modes")
ANY = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12)
NASTY = st.text(st.sampled_from(list(' \t\r\n""\',;\\N.=+-aÄ€\ufeff\x0b\x1c\u2028')), max_size=8)
LATIN = st.text(st.sampled_from(list(' \r\n",;\\aÄßé€½')), max_size=8)
WORKBOOK = workbook(["external_id", "kw"], ["A1", 1.5], ["A2", 2])


@pytest.fixture(scope="module")
def path(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("reader") / "file"


def tables(cells):
    return st.lists(st.lists(cells, min_size=4, max_size=4), min_size=1, max_size=12)


def expected(table, first=2):
    """The rows as COPY carries them: trimmed, without the unknown column and without blank rows."""
    kept = ((number, [row[0].strip(), row[2].strip(), row[3].strip()]) for number, row in enumerate(table, first))
    return [[str(number), "", *cells] for number, cells in kept if any(cells)]


def as_csv(table, delimiter, newline, everything):
    text = io.StringIO(newline="")
    quoting = csv.QUOTE_ALL if everything or any("\r" in cell or "\n" in cell for row in table for cell in row) else csv.QUOTE_MINIMAL
    csv.writer(text, delimiter=delimiter, lineterminator=newline, quoting=quoting).writerows([HEADER, *table])
    return text.getvalue()


class Recut:
    """A file whose bytes come in pieces of another size."""

    def __init__(self, raw: Raw, size: int):
        self.limits, self.size = raw.limits, size
        self.data = b"".join(raw.chunks())

    def chunks(self):
        return (self.data[start : start + self.size] for start in range(0, len(self.data), self.size))


dialects = st.tuples(st.sampled_from(",;\t"), st.sampled_from(["\n", "\r\n", "\r"]), st.booleans())


@settings(deadline=None, max_examples=150)
@given(table=tables(ANY | NASTY), dialect=dialects, encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]))
def test_csv_comes_back_equal(path, table, dialect, encoding):
    assume(expected(table))
    path.write_bytes(as_csv(table, *dialect).encode(encoding))
    sheet, rows = read(path)
    assert sheet.delimiter == dialect[0]
    assert rows == expected(table)


@settings(deadline=None, max_examples=60)
@given(table=tables(LATIN), dialect=dialects)
def test_windows_1252_comes_back_equal(path, table, dialect):
    data = as_csv(table, *dialect).encode("cp1252")
    try:
        data.decode()
    except UnicodeDecodeError as error:
        assume(data[: error.start].isascii())  # else it might as well be UTF-8, and is refused
    else:
        assume(data.isascii())
    assume(expected(table))
    path.write_bytes(data)
    assert read(path)[1] == expected(table)


@settings(deadline=None, max_examples=80)
@given(table=tables(ANY | NASTY), dialect=dialects, size=st.integers(1, 40))
def test_csv_in_any_chunks(path, table, dialect, size):
    path.write_bytes(as_csv(table, *dialect).encode())
    source = DelimitedRows(Raw(path, Limits()), "utf-8", VOCABULARY)
    source.raw = Recut(source.raw, size)
    encoder = Encoder(("external_id", None, "kw", "control_modes"))
    blocks = [encoder.block(*batch) for batch in source.batches()]
    assert [row for block in blocks if block for row in decoded(block.copy_text)] == expected(table)


@settings(deadline=None, max_examples=80)
@given(table=tables(ANY | NASTY), array=st.booleans(), indent=st.sampled_from([None, 1]), ascii_only=st.booleans(), size=st.integers(1, 40))
def test_objects_in_any_chunks(path, table, array, indent, ascii_only, size):
    records = [dict(zip(HEADER, row, strict=True)) for row in table]
    texts = [json.dumps(record, indent=indent, ensure_ascii=ascii_only) for record in records]
    path.write_bytes((f"[{', '.join(texts)}]" if array else "\n".join(texts)).encode())
    source = ObjectRows(Raw(path, Limits()), "utf-8", VOCABULARY)
    source.raw = Recut(source.raw, size)
    rows = [row for _, batch in source.batches() for row in batch]
    assert rows == [(row[0], row[2], "", row[3]) for row in table]


@settings(deadline=None, max_examples=60)
@given(table=tables(ANY | NASTY), dialect=dialects)
def test_an_annotated_file_reads_as_the_original(path, table, dialect):
    # an apostrophe before a formula character cannot be told from a neutralised one
    assume(not any(cell.strip().startswith("'") for row in table for cell in row) and expected(table))
    path.write_bytes(as_csv(table, *dialect).encode())
    findings = ((number, "error", "=wrong") for number in range(1, len(table) + 2))
    again = path.with_name("again.csv")
    again.write_bytes(b"".join(annotate(path, name="file", vocabulary=VOCABULARY, findings=findings)))
    assert read(again)[1] == expected(table)


def survives(path):
    try:
        for row in read(path, name="")[1]:
            assert int(row[0]) > 0
    except FileRefused as refused:
        assert refused.code and refused.sentence and refused.remedy


@settings(deadline=None, max_examples=200)
@given(
    head=st.sampled_from([b"", b"external_id,kw\n", b"[{", b'{"kw":', b"\xff\xfe", b"\x1f\x8b\x08", b"PK\x03\x04"]),
    data=st.binary(max_size=200),
)
def test_any_bytes_are_read_or_refused(path, head, data):
    path.write_bytes(head + data)
    survives(path)


@settings(deadline=None, max_examples=100)
@given(st.data())
def test_any_damaged_workbook_is_read_or_refused(path, data):
    content = bytearray(WORKBOOK)
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), min_size=1, max_size=6)):
        content[place] = data.draw(st.integers(0, 255))
    path.write_bytes(content[: data.draw(st.integers(4, len(content)))])
    survives(path)


XML = sorted({part.filename for part in zipfile.ZipFile(io.BytesIO(WORKBOOK)).infolist() if part.filename.startswith("xl/w")})


@settings(deadline=None, max_examples=100)
@given(st.data())
def test_any_damaged_worksheet_is_read_or_refused(path, data):
    part = data.draw(st.sampled_from(XML))
    with zipfile.ZipFile(io.BytesIO(WORKBOOK)) as old, zipfile.ZipFile(path, "w") as new:
        for info in old.infolist():
            content = bytearray(old.read(info))
            if info.filename == part:
                for place in data.draw(st.lists(st.integers(0, len(content) - 1), min_size=1, max_size=4)):
                    content[place : place + 1] = data.draw(st.sampled_from([b"", b"<", b">", b'"', b"9", b"Z", b"&", b"-", b"/"]))
            new.writestr(info.filename, bytes(content))
    survives(path)
