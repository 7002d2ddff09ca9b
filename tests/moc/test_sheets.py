"""Exports for spreadsheet programs: formulas neutralised, numbers and dates typed, memory constant."""

import csv
import datetime as dt
import io
import tracemalloc
import zipfile
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from moc import sheets


@pytest.mark.parametrize(
    "text", ["=1+1", "+cmd|' /c calc'!A1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "-", "+49 (30) 1", "--1", "-1e", "=", "-٣"]
)
def test_formulas_are_neutralised(text):
    assert sheets.neutralise(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "a", "\t", "-1", "+1.5", "-7,5", "-1e-7", "-.5", "+49301234", "a=b", " =1", "'=1", "1-2"])
def test_numbers_and_plain_text_are_left_alone(text):
    assert sheets.neutralise(text) == text


@given(st.text(st.sampled_from(list("=+-@\t\r'0123456789.,eE a"))))
def test_nothing_neutralised_begins_as_a_formula(text):
    result = sheets.neutralise(text)
    assert result.endswith(text)
    assert sheets.neutralise(result) == result
    if result[:1] in tuple("=+-@\t\r") and result.strip():
        assert float(result.replace(",", ".")) is not None


VALUES = [
    ("=x", "'=x"),
    (None, ""),
    (True, "true"),
    (-5, "-5"),
    (Decimal("-1E+3"), "-1000"),
    (Decimal("7.50"), "7.50"),
    (dt.date(2024, 5, 1), "2024-05-01"),
    (dt.datetime(2024, 5, 1, 10, tzinfo=dt.UTC), "2024-05-01T10:00:00+00:00"),
    (["=a", "b"], "'=a;b"),
    ('quote " and\nline', 'quote " and\nline'),
]


def test_csv_rows():
    data = b"".join(sheets.csv_rows([["name"] * len(VALUES), [value for value, _ in VALUES]]))
    rows = list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))
    assert data.startswith(b"\xef\xbb\xbfname,")
    assert rows[1] == [text for _, text in VALUES]
    assert b"".join(sheets.csv_rows([["a\rb"]], bom=False)) == b'"a\rb"\r\n'


def test_csv_rows_stream_in_small_pieces():
    pieces = sheets.csv_rows(["x" * 100] * 10 for _ in range(1_000_000))
    assert 64 * 1024 <= len(next(pieces)) < 70 * 1024


def written(*args, **kwargs):
    out = io.BytesIO()
    assert sheets.write_xlsx(out, *args, **kwargs) >= 0
    out.seek(0)
    return out


def test_xlsx_types_and_literal_text():
    moment = dt.datetime(2024, 5, 1, 10, 30)
    row = ["=1+1", Decimal("7.5"), dt.date(2024, 5, 1), moment, moment.replace(tzinfo=dt.UTC), True, None, ["a", "b"], "http://x.example"]
    out = written([f"=h{number}" for number in range(9)], [row], title="DERs: [New Jersey]/2018, as of a long ago day")
    book = CalamineWorkbook.from_filelike(out)
    header, cells = book.get_sheet_by_index(0).to_python()
    assert header[0] == "=h0"
    assert cells[:6] == ["=1+1", 7.5, dt.date(2024, 5, 1), moment, "2024-05-01T10:30:00+00:00", True]
    assert cells[6:] == ["", "a;b", "http://x.example"]
    assert len(book.sheet_names[0]) <= 31


def test_a_formula_stays_text_when_the_cell_is_edited():
    out = written(["h"], [["=1+1"], ["plain"]])
    with zipfile.ZipFile(out) as archive:
        assert b'quotePrefix="1"' in archive.read("xl/styles.xml")
        sheet = archive.read("xl/worksheets/sheet1.xml")
    assert b"<f>" not in sheet and b'r="A2" s=' in sheet and b'r="A3" t=' in sheet


def test_xlsx_takes_constant_memory():
    tracemalloc.start()
    written(["h"] * 5, (["text"] * 5 for _ in range(5_000)))
    assert tracemalloc.get_traced_memory()[1] < 3_000_000
    tracemalloc.stop()


def test_xlsx_beyond_a_sheet_is_refused(monkeypatch):
    monkeypatch.setattr(sheets, "XLSX_ROWS", 10)
    written(["h"], [["x"]] * 9)
    with pytest.raises(ValueError, match="9 rows"):
        written(["h"], [["x"]] * 10)
