"""Empty tables of grid records to be filled in: header, an example row and, in the workbook, a sheet with the dictionary of columns."""

import io

import xlsxwriter
from django.db import models

from moc import sheets
from registry.grid.dictionary import GridColumn, GridKind

HEADER = ("Column", "Required", "What it is", "Value", "Also recognised as", "Example")
XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def entry(kind: GridKind, column: GridColumn) -> tuple[str, ...]:
    """A column's line in the dictionary."""
    required = "yes" if column.required else ""
    return (column.name, required, column.about, _value(kind, column), ", ".join(column.aliases), column.example)


def _value(kind: GridKind, column: GridColumn) -> str:
    if column.refers:
        return f"{column.by} of a {column.refers._meta.verbose_name}"
    field = kind.field(column)
    if isinstance(field, models.DecimalField):
        return f"number, at most {field.decimal_places} decimals"
    return "whole number" if isinstance(field, models.IntegerField) else f"text, at most {field.max_length} characters"


def csv_template(kind: GridKind) -> bytes:
    """Header and example as CSV."""
    return b"".join(sheets.csv_rows([[column.name for column in kind.columns], [column.example for column in kind.columns]]))


def xlsx_template(kind: GridKind) -> bytes:
    """Header and example, and the dictionary on a second sheet, as a workbook."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}) as book:
        bold, wrap = book.add_format({"bold": True}), book.add_format({"text_wrap": True, "valign": "top"})
        table, dictionary = book.add_worksheet("Records"), book.add_worksheet("Dictionary")
        for number, column in enumerate(kind.columns):
            table.write_string(0, number, column.name, bold)
            table.write_string(1, number, column.example)
            table.set_column(number, number, max(12, len(column.name) + 2))
            dictionary.write_row(number + 1, 0, entry(kind, column), wrap)
        table.freeze_panes(1, 1)
        dictionary.write_row(0, 0, HEADER, bold)
        dictionary.set_column(0, 5, 30)
        dictionary.freeze_panes(1, 1)
    return out.getvalue()


WRITERS = {"csv": (csv_template, "text/csv; charset=utf-8"), "xlsx": (xlsx_template, XLSX_TYPE)}
