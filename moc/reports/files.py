"""A result as a file: CSV, XLSX, Parquet, or a PDF with its chart, parameters, page numbers, moment and seal."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from itertools import islice
from typing import BinaryIO

from django.template.loader import render_to_string

from moc import charts, sheets
from moc.errors import UserError
from moc.reports.datasets import BOOLEAN, DATE, DECIMAL, FLOAT, INTEGER, MOMENT, NUMBERS, Head, Result

BATCH, PDF_ROWS, EVERY, DRAWN, ON_PAPER = 10_000, 2_000, 1_000, 20, 12
SUFFIXES = {"csv": "csv", "xlsx": "xlsx", "parquet": "parquet", "pdf": "pdf"}
Tell = Callable[[int], None]


def write(out: BinaryIO, result: Result, kind: str, about: dict, tell: Tell) -> int:
    """Write the result; returns how many rows. `about` is what the PDF says of itself; `tell(rows)` is told now and then."""
    counted = _Counted(result.rows, tell)
    {"csv": _csv, "xlsx": _xlsx, "parquet": _parquet, "pdf": _pdf}[kind](out, result, counted, about)
    return counted.count


class _Counted:
    """Rows as they pass."""

    def __init__(self, rows, tell: Tell):
        self.rows, self.tell, self.count = rows, tell, 0

    def __iter__(self) -> Iterator:
        for row in self.rows:
            self.count += 1
            if self.count % EVERY == 0:
                self.tell(self.count)
            yield row


def _csv(out: BinaryIO, result: Result, rows, about: dict) -> None:
    titles = [head.title for head in result.heads]
    for block in sheets.csv_rows(_after(titles, rows)):
        out.write(block)


def _after(first: list, rows) -> Iterator:
    yield first
    yield from rows


def _xlsx(out: BinaryIO, result: Result, rows, about: dict) -> None:
    try:
        sheets.write_xlsx(out, [head.title for head in result.heads], rows, title=about["title"])
    except ValueError as error:
        raise UserError("The report has more rows than a sheet holds.", "Ask for CSV or Parquet.", "REPORT-ROWS") from error


def _parquet(out: BinaryIO, result: Result, rows, about: dict) -> None:
    import pyarrow as arrow  # here: 40 MB that only a process that writes Parquet shall pay
    from pyarrow import parquet

    types = {
        INTEGER: arrow.int64(),
        DECIMAL: arrow.decimal128(38, 9),
        FLOAT: arrow.float64(),
        DATE: arrow.date32(),
        MOMENT: arrow.timestamp("us", tz="UTC"),
        BOOLEAN: arrow.bool_(),
    }
    named = {f"about.{name}": str(value) for name, value in about.items() if isinstance(value, str)}
    fields = [arrow.field(name, types.get(head.kind, arrow.string())) for name, head in zip(_unique(result.heads), result.heads)]
    schema = arrow.schema(fields, metadata=named)
    with parquet.ParquetWriter(out, schema) as writer:
        passing = iter(rows)
        while batch := list(islice(passing, BATCH)):
            columns = [[_typed(value, head) for value in column] for column, head in zip(zip(*batch), result.heads)]
            arrays = [arrow.array(column, field.type) for column, field in zip(columns, fields)]
            writer.write_batch(arrow.record_batch(arrays, schema=schema))


def _unique(heads: list[Head]) -> list[str]:
    """Titles as names of columns: no two alike."""
    found: list[str] = []
    for head in heads:
        number = 2
        name = head.title
        while name in found:
            name, number = f"{head.title} {number}", number + 1
        found.append(name)
    return found


def _typed(value, head: Head):
    if value is None or value == "":
        return None
    if head.kind == DECIMAL:
        return round(Decimal(str(value)), 9)
    return value if head.kind in (INTEGER, FLOAT, DATE, MOMENT, BOOLEAN) else sheets.as_text(value).removeprefix("'")


def _pdf(out: BinaryIO, result: Result, rows, about: dict) -> None:
    from moc.pdf import to_pdf

    shown = list(islice(rows, PDF_ROWS + 1))
    if len(shown) > PDF_ROWS:
        raise UserError(f"The report has more than {PDF_ROWS:,} rows: too many to read on paper.", "Ask for CSV, XLSX or Parquet.")
    numbers = [head.kind in NUMBERS for head in result.heads]
    context = about | {
        "heads": list(zip(result.heads, numbers)),
        "rows": [list(zip(row, numbers)) for row in shown],
        "notes": result.notes,
        "chart": chart_of(result, about["title"], top=ON_PAPER),
    }
    out.write(to_pdf(render_to_string("documents/report.html", context)))


def chart_of(result: Result, title: str, shape: str = "bars", top: int = DRAWN) -> charts.Chart | None:
    """The result's chart; None for one that is not drawn, or whose values cannot be."""
    if not result.drawn or any(value is not None and value < 0 for _, value in result.drawn):
        return None
    rows = [(label, float(value or 0)) for label, value in result.drawn]
    if shape == "columns":
        return charts.column_chart(rows, identity="report", title=title, unit=result.unit)
    return charts.bar_chart(rows, identity="report", title=title, unit=result.unit, top=top)
