"""XLSX, read by calamine from a copy that is known to be harmless.

calamine holds the sheet as one dense rectangle, so a workbook of 10 kB can ask for all the memory there is: by entries that
inflate without end, by directories that lie about their size, or by a single cell in the last corner of the sheet. So
Python's zipfile, which never reads more than an entry declares, first writes the parts that are needed into a plain archive
of its own, counting bytes, cells and the sheet's corners; only that archive is opened.
"""

import datetime as dt
import re
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from .delimited import Batch, examine
from .errors import refuse
from .shape import Limits
from .sniff import CHUNK, Raw

COPIES = "moc-xlsx-"  # folders of temporary copies begin so
_NEEDED = re.compile(r"\[Content_Types\]\.xml|_rels/\.rels|xl/(_rels/|worksheets/)?[^/]+\.(xml|rels)", re.IGNORECASE)
_REFERENCE = re.compile(rb"\sr\s*=\s*[\"']\$?([A-Za-z]*)\$?([0-9]*)")
_WIDE_TEXT = (b"\xff\xfe", b"\xfe\xff")
_BATCH = 1000
_RATIO_COUNTS_FROM = 10_000_000


class WorkbookRows:
    """The rows of the first visible sheet of an open workbook; a row has the number that a spreadsheet program shows."""

    kind = "xlsx"
    encoding = ""
    delimiter = None

    def __init__(self, sheet: CalamineSheet, limits: Limits):
        self.sheet, self.limits = sheet, limits
        self.done, self.header_row, self.header = 0, 0, ()
        self.height = sheet.end[0] + 1 if sheet.end else 0
        for number, row in enumerate(sheet.iter_rows(), 1):
            if any(cell != "" for cell in row):
                self.header_row, self.header = number, tuple(map(as_text, row))
                break
        else:
            raise refuse("empty")
        if self.height - self.header_row > limits.xlsx_rows:
            raise _too_many(limits)

    @property
    def progress(self) -> float:
        return self.done / self.height

    def batches(self) -> Iterator[Batch]:
        """The rows after the header in batches of 1,000. Raises FileRefused, naming the row."""
        rows: list[list[str]] = []
        for number, row in enumerate(self.sheet.iter_rows(), 1):
            if number <= self.header_row:
                continue
            rows.append([cell if cell.__class__ is str else as_text(cell) for cell in row])
            if len(rows) == _BATCH:
                yield self._batch(number, rows)
                rows = []
        if rows:
            yield self._batch(self.height, rows)

    def _batch(self, last: int, rows: list[list[str]]) -> Batch:
        self.done = last
        first = last - len(rows) + 1
        examine(first, rows, self.limits)
        return first, rows


@contextmanager
def open_workbook(raw: Raw) -> Iterator[WorkbookRows]:
    """The workbook's rows; the temporary copy lives as long as the context. Raises FileRefused."""
    with tempfile.TemporaryDirectory(prefix=COPIES) as folder:
        copy = Path(folder) / "copy.xlsx"
        with tempfile.TemporaryFile(dir=folder) as whole:
            for chunk in raw.chunks() if raw.gzipped else ():
                whole.write(chunk)
            _copy_harmless(whole if raw.gzipped else raw.path, copy, raw.limits)
        with _calamine_errors():
            workbook = CalamineWorkbook.from_path(copy)
        with workbook:
            with _calamine_errors():
                sheet = _first_sheet(workbook)
            yield WorkbookRows(sheet, raw.limits)


def _first_sheet(workbook: CalamineWorkbook) -> CalamineSheet:
    for metadata in workbook.sheets_metadata:
        if metadata.typ == SheetTypeEnum.WorkSheet and metadata.visible == SheetVisibleEnum.Visible:
            return workbook.get_sheet_by_name(metadata.name)
    raise refuse("empty")


@contextmanager
def _calamine_errors() -> Iterator[None]:
    try:
        yield
    except CalamineError as error:
        raise refuse("damaged_xlsx") from error
    except BaseException as error:
        if type(error).__name__ == "PanicException":  # how a failed assertion in Rust arrives; no Exception
            raise refuse("damaged_xlsx") from error
        raise


def _copy_harmless(source: Any, target: Path, limits: Limits) -> None:
    try:
        with zipfile.ZipFile(source) as archive:
            parts = _needed_parts(archive, limits)
            with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as copy:
                for part in parts:
                    with archive.open(part) as reader, copy.open(part.filename, "w", force_zip64=True) as writer:
                        _copy_part(reader, writer, _Counter(limits, part.filename))
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, OverflowError) as error:
        raise refuse("damaged_xlsx") from error


def _needed_parts(archive: zipfile.ZipFile, limits: Limits) -> list[zipfile.ZipInfo]:
    infos = archive.infolist()
    names = {info.filename.lower() for info in infos}
    if "xl/workbook.xml" not in names:
        raise refuse("wrong_type", found="a ZIP archive, but no XLSX workbook")
    if any(name.endswith("vbaproject.bin") for name in names):
        raise refuse("macros")
    if len(names) < len(infos) or len(infos) > limits.xlsx_parts or any(info.flag_bits & 1 for info in infos):
        raise refuse("damaged_xlsx")
    parts = [info for info in infos if _NEEDED.fullmatch(info.filename)]
    unpacked = sum(part.file_size for part in parts)
    if unpacked > limits.file_bytes:
        raise refuse("too_large_unpacked", limit_mb=limits.file_bytes // 1024**2)
    if unpacked > max(_RATIO_COUNTS_FROM, limits.ratio * sum(part.compress_size for part in parts)):
        raise refuse("bomb", ratio=limits.ratio)
    return parts


def _copy_part(reader: Any, writer: Any, counter: "_Counter") -> None:
    chunk = reader.read(CHUNK)
    if chunk.startswith(_WIDE_TEXT) or b"<!DOCTYPE" in chunk:  # no spreadsheet program writes either
        raise refuse("damaged_xlsx")
    while chunk:
        counter.count(chunk)
        writer.write(chunk)
        chunk = reader.read(4 * CHUNK)


class _Counter:
    """Counts a part's cells or shared texts and finds a worksheet's corner while it is copied; refuses what is over the limits."""

    def __init__(self, limits: Limits, part: str):
        self.limits = limits
        self.is_sheet = "/worksheets/" in part.lower()
        self.things = self.rows = self.columns = 0
        self.letters: set[bytes] = set()
        self.rest = b""

    def count(self, chunk: bytes) -> None:
        self.things += sum(map(chunk.count, (b"<c", b":c ", b":c>", b"<si", b":si")))
        if self.is_sheet:
            self._find_corner(chunk)
        if self.columns > self.limits.columns:
            raise refuse("too_many_columns", limit=self.limits.columns)
        if max(self.things, self.rows * self.columns) > self.limits.xlsx_cells:
            raise _too_many(self.limits)

    def _find_corner(self, chunk: bytes) -> None:
        text = self.rest + chunk
        cut = text.rfind(b"<")  # an element may go on in the next chunk
        self.rest = text[cut:] if cut >= 0 else text
        if len(self.rest) > 2 * CHUNK:
            raise refuse("damaged_xlsx")
        if references := _REFERENCE.findall(text):
            columns, rows = zip(*references, strict=True)
            self.rows = max(self.rows, max(map(int, {row for row in rows if row}), default=0))
            self.letters.update(columns)
            self.columns = max(map(_column_number, self.letters))


def _too_many(limits: Limits) -> Exception:
    return refuse("xlsx_too_many_rows", limit=limits.xlsx_rows, cells=limits.xlsx_cells, rows=limits.rows)


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters[:6].upper():
        number = number * 26 + letter - 64
    return number


def as_text(value: Any) -> str:
    """A cell's value as text: 12345.0 → 12345, a date or moment in ISO form, true or false; a formula's error is empty."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    if isinstance(value, dt.datetime):
        return value.date().isoformat() if value.time() == dt.time() else value.isoformat(timespec="seconds")
    return value.isoformat() if isinstance(value, dt.date | dt.time) else str(value)
