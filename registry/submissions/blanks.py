"""The empty table to be filled in: header, an example row and, in the workbook, a sheet with the data dictionary."""

import io
from datetime import date
from decimal import Decimal

import xlsxwriter
from django.contrib.postgres.fields import ArrayField
from django.db import models

from moc import sheets
from registry.ders.dictionary import FIELDS
from registry.submissions.personal import filed_field

DICTIONARY_HEADER = ("Column", "Group", "Required", "What it is", "Value", "Codes", "Also recognised as", "Example")
XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def _example(name: str):
    """The example as the type that a spreadsheet program should see; texts of digits stay texts."""
    text, field = FIELDS[name].example, filed_field(name)
    if not text:
        return None
    if isinstance(field, models.DecimalField):
        return Decimal(text)
    if isinstance(field, models.IntegerField):
        return int(text)
    return date.fromisoformat(text) if isinstance(field, models.DateField) else text


def csv_template() -> bytes:
    """Header and example as CSV."""
    return b"".join(sheets.csv_rows([tuple(FIELDS), tuple(_example(name) for name in FIELDS)]))


def xlsx_template() -> bytes:
    """Header and example, and the dictionary on a second sheet, as a workbook."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}) as book:
        bold, wrap = book.add_format({"bold": True}), book.add_format({"text_wrap": True, "valign": "top"})
        day = book.add_format({"num_format": "yyyy-mm-dd"})
        table = book.add_worksheet("DERs")
        for column, name in enumerate(FIELDS):
            table.write_string(0, column, name, bold)
            _write(table, column, _example(name), day)
            table.set_column(column, column, max(12, len(name) + 2))
        table.freeze_panes(1, 1)
        dictionary = book.add_worksheet("Dictionary")
        dictionary.write_row(0, 0, DICTIONARY_HEADER, bold)
        for number, name in enumerate(FIELDS, 1):
            dictionary.write_row(number, 0, _entry(name), wrap)
        dictionary.set_column(0, 1, 30)
        dictionary.set_column(2, 2, 9)
        dictionary.set_column(3, 7, 40)
        dictionary.freeze_panes(1, 1)
    return out.getvalue()


def _write(sheet, column: int, value, day) -> None:
    if isinstance(value, date):
        sheet.write_datetime(1, column, value, day)
    elif isinstance(value, (int, Decimal)):
        sheet.write_number(1, column, value)
    elif value:
        sheet.write_string(1, column, value)


def _entry(name: str) -> tuple[str, ...]:
    term, field = FIELDS[name], filed_field(name)
    element = field.base_field if isinstance(field, ArrayField) else field
    codes = "\n".join(f"{code}: {label}" for code, label in element.flatchoices)
    about = ". ".join(filter(None, [str(field.verbose_name), str(field.help_text)]))
    required = "yes" if term.required else ""
    return (name, term.group, required, about, _kind(field), codes, ", ".join(term.aliases), term.example)


def _kind(field: models.Field) -> str:
    if isinstance(field, ArrayField):
        return "several, separated by semicolons"
    if field.choices:
        return "one code"
    if isinstance(field, models.JSONField):
        return "JSON"
    if isinstance(field, models.BooleanField):
        return "true or false"
    if isinstance(field, models.DateField):
        return "date, YYYY-MM-DD"
    if isinstance(field, models.DecimalField):
        return f"number, at most {field.decimal_places} decimals"
    return "whole number" if isinstance(field, models.IntegerField) else f"text, at most {field.max_length} characters"


WRITERS = {"csv": (csv_template, "text/csv; charset=utf-8"), "xlsx": (xlsx_template, XLSX_TYPE)}
