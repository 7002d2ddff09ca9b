"""Tables for spreadsheet programs: CSV and XLSX, streamed, with formulas neutralised."""

import csv
import datetime as dt
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any, BinaryIO

import xlsxwriter

BOM = "\ufeff"  # tells Excel that a CSV file is UTF-8
XLSX_ROWS = 1_048_576  # what a sheet holds, its header included
XLSX_TEXT = 32_767  # characters in a cell

# What makes a spreadsheet program take a text for a formula (OWASP, "CSV Injection")
_RISKY = frozenset("=+-@\t\r")
_NUMBER = re.compile(r"[+-]?([0-9]+[.,]?[0-9]*|[.,][0-9]+)([eE][+-]?[0-9]+)?")
_BLOCK = 64 * 1024


def neutralise(text: str) -> str:
    """The text with an apostrophe before it if a spreadsheet program would compute it; a true number stays a number."""
    if text[:1] not in _RISKY or text.isspace() or _NUMBER.fullmatch(text):
        return text
    return f"'{text}"


def as_text(value: Any) -> str:
    """A value as a CSV cell: no empty words for None, ISO dates and moments, decimals as they are, lists by semicolons."""
    if isinstance(value, str):
        return neutralise(value)
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, list | tuple | set | frozenset):
        return neutralise(";".join(map(str, value)))
    return neutralise(str(value))


def csv_rows(rows: Iterable[Sequence[Any]], *, bom: bool = True) -> Iterator[bytes]:
    """Rows as UTF-8 CSV in pieces of about 64 kB; the caller's first row is the header."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\r\n")
    buffer.write(BOM if bom else "")
    for row in rows:
        writer.writerow(map(as_text, row))
        if buffer.tell() >= _BLOCK:
            yield buffer.getvalue().encode()
            buffer.seek(0)
            buffer.truncate()
    if buffer.tell():
        yield buffer.getvalue().encode()


def write_xlsx(out: str | BinaryIO, header: Sequence[str], rows: Iterable[Sequence[Any]], *, title: str = "Data") -> int:
    """Write one sheet row by row in constant memory; returns the number of rows written.

    Text is always text (a formula is shown, never computed, and stays text when the cell is edited); numbers and dates are
    typed; a moment with a zone is ISO text, because a sheet knows no zones. Raises ValueError beyond a sheet's rows.
    """
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "nan_inf_to_errors": True}
    with xlsxwriter.Workbook(out, options) as book:
        sheet = book.add_worksheet(re.sub(r"[\[\]:*?/\\']", " ", title)[:31])
        write = _Cells(book, sheet).write
        bold = book.add_format({"bold": True, "quote_prefix": True})
        for column, name in enumerate(header):
            sheet.write_string(0, column, name, bold)
        sheet.freeze_panes(1, 0)
        count = 0
        for count, row in enumerate(rows, 1):
            if count >= XLSX_ROWS:
                raise ValueError(f"a sheet holds {XLSX_ROWS - 1:,} rows below its header; write CSV instead")
            for column, value in enumerate(row):
                write(count, column, value)
        return count


class _Cells:
    """Writes values by their type."""

    def __init__(self, book: xlsxwriter.Workbook, sheet: Any):
        self.sheet = sheet
        self.date = book.add_format({"num_format": "yyyy-mm-dd"})
        self.moment = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        self.literal = book.add_format({"quote_prefix": True})

    def write(self, row: int, column: int, value: Any) -> None:
        sheet = self.sheet
        if value is None or value == "":
            return
        if isinstance(value, bool):
            sheet.write_boolean(row, column, value)
        elif isinstance(value, int | float | Decimal):
            sheet.write_number(row, column, value)
        elif isinstance(value, dt.datetime) and value.tzinfo is None:
            sheet.write_datetime(row, column, value, self.moment)
        elif isinstance(value, dt.date) and not isinstance(value, dt.datetime):
            sheet.write_datetime(row, column, value, self.date)
        else:
            text = value if isinstance(value, str) else as_text(value)
            sheet.write_string(row, column, text[:XLSX_TEXT], self.literal if text[:1] in _RISKY else None)
