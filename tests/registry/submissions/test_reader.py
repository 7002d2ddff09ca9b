"""The file reader: every format and dialect gives the same rows, numbered as the user sees them."""

import csv
import datetime as dt
import gzip
import io
import json

import pytest
import xlsxwriter

from moc.readers import Limits, Vocabulary, annotate, open_rows
from moc.readers.delimited import DelimitedRows
from moc.readers.sniff import Raw
from tests.registry.submissions.reading import VOCABULARY, read


@pytest.fixture
def saved(tmp_path):
    def save(content: str | bytes, name="file.csv"):
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return save


@pytest.fixture
def workbook(tmp_path):
    def save(*rows, name="file.xlsx", formats=None):
        path = tmp_path / name
        with xlsxwriter.Workbook(path) as book:
            sheet = book.add_worksheet()
            for number, row in enumerate(rows):
                for column, value in enumerate(row):
                    style = book.add_format({"num_format": formats[type(value)]}) if formats and type(value) in formats else None
                    sheet.write(number, column, value, style)
        return path

    return save


def test_columns_are_recognised_in_any_order_by_name_or_alias_and_unknown_ones_are_told(saved):
    sheet, rows = read(saved("Premise-Address, kw ,Colour,der id\nMain St 1,7.5,red,A1\n"))
    assert sheet.header == ("Premise-Address", "kw ", "Colour", "der id")
    assert sheet.columns == ("premise_address", "nameplate_ac_kw", None, "external_id")
    assert sheet.recognised == ("premise_address", "nameplate_ac_kw", "external_id")
    assert (sheet.unknown, sheet.missing_required) == (("Colour",), ())
    assert rows == [["2", "", "Main St 1", "7.5", "A1"]]


def test_a_missing_required_column_is_told(saved):
    assert read(saved("external_id,control_modes\nA1,max_w\n"))[0].missing_required == ("nameplate_ac_kw",)


def test_a_single_recognised_column_is_enough(saved):
    assert read(saved("note,external_id\nx,A1\n"))[1] == [["2", "", "A1"]]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_dialects(saved, delimiter, encoding, newline):
    text = newline.join(["external_id;nameplate_ac_kw;premise_address", 'A1;7,5;"Müllerstraße 3; rear', 'second ""floor"""', "A2;8;x"])
    text = text.replace(";", delimiter) if delimiter == ";" else text.replace("7,5", "7.5").replace(";", delimiter)
    sheet, rows = read(saved(text.encode(encoding)))
    address = f'Müllerstraße 3{delimiter} rear{newline}second "floor"'
    assert rows == [["2", "", "A1", "7,5" if delimiter == ";" else "7.5", address], ["3", "", "A2", "8", "x"]]
    assert (sheet.kind, sheet.delimiter) == ("csv", delimiter)
    assert sheet.encoding == (encoding if encoding in ("utf-16", "cp1252") else "utf-8-sig")


def test_the_delimiter_is_the_one_that_makes_known_columns(saved):
    sheet, _ = read(saved('"a, b, c, d, e";external_id\n1;2\n'))
    assert sheet.delimiter == ";"


def test_row_numbers_are_those_of_a_spreadsheet_program(saved):
    text = '\n"external_id","kw"\nA1,1\n\n"A\n2",2\n , \nA3,3\n\n\n'
    assert [(row[0], row[2]) for row in read(saved(text))[1]] == [("3", "A1"), ("5", "A\n2"), ("7", "A3")]


def test_cells_are_trimmed_and_escaped(saved):
    _, rows = read(saved('external_id,premise_address\n  A1\u00a0," back\\slash\ttab "\n\\N,\\.\n'))
    assert rows == [["2", "", "A1", "back\\slash\ttab"], ["3", "", "\\N", "\\."]]


def test_rows_of_a_wrong_width_are_passed_on_with_their_problem(saved):
    _, rows = read(saved("external_id,kw,note\nA1,1,x,surplus\nA2\nA3,3,x,,\n"))
    assert rows == [["2", "too_many_cells", "A1", "1"], ["3", "too_few_cells", "A2", ""], ["4", "", "A3", "3"]]


def test_blank_header_cells_at_the_end_are_no_columns(saved):
    sheet, rows = read(saved("external_id,kw,,\nA1,1,,\nA2,2,lost,\n"))
    assert sheet.header == ("external_id", "kw")
    assert rows == [["2", "", "A1", "1"], ["3", "too_many_cells", "A2", "2"]]


def test_gzip_is_known_by_its_content(saved):
    assert read(saved(gzip.compress(b"external_id\nA1\n")))[1] == [["2", "", "A1"]]


def test_progress_reaches_the_end_and_blocks_stay_small(saved):
    path = saved("external_id,premise_address\n" + "".join(f"A{i},{'x' * 80}\n" for i in range(20_000)))
    with open_rows(path, name="file.csv", vocabulary=VOCABULARY) as source:
        blocks = list(source.blocks())
        assert source.bytes_read == source.size == path.stat().st_size
    assert sum(block.count for block in blocks) == 20_000
    assert max(len(block.copy_text) for block in blocks) < 400_000
    assert [block.first_row for block in blocks][:1] == [2]


def test_exactly_the_limit_of_rows_is_read(saved):
    assert len(read(saved("external_id\n" + "A\n" * 10 + "\n\n"), limits=Limits(rows=10))[1]) == 10


def test_xlsx_cells_become_text(workbook):
    day, moment = dt.date(2024, 5, 1), dt.datetime(2024, 5, 1, 10, 30)
    path = workbook(
        ["DER ID", "kW", "premise_address", "control_modes", "since"],
        [12345.0, 7.5, day, "a;b", "x"],
        ["A2", 1e20, moment, True, ""],
        [],
        ["=x", 0.1 + 0.2, " padded ", dt.datetime(2024, 5, 2), ""],
        formats={dt.date: "yyyy-mm-dd", dt.datetime: "yyyy-mm-dd hh:mm"},
    )
    sheet, rows = read(path)
    assert (sheet.kind, sheet.unknown) == ("xlsx", ("since",))
    assert rows[0] == ["2", "", "12345", "7.5", "2024-05-01", "a;b"]
    assert rows[1] == ["3", "", "A2", "100000000000000000000", "2024-05-01T10:30:00", "true"]
    assert rows[2][0] == "5" and rows[2][3:] == ["0.3", "padded", "2024-05-02"]


def test_xlsx_rows_keep_their_numbers_below_blank_ones_and_right_of_blank_columns(tmp_path):
    path = tmp_path / "file.xlsx"
    with xlsxwriter.Workbook(path) as book:
        book.add_worksheet("notes").hide()
        sheet = book.add_worksheet("data")
        book.worksheets()[1].activate()
        sheet.write_row(2, 1, ["external_id", "kw"])
        sheet.write_row(5, 1, ["A1", 3])
    assert read(path)[1] == [["6", "", "A1", "3"]]


def test_xlsx_may_be_gzipped(workbook, saved):
    packed = gzip.compress(workbook(["external_id"], ["A1"]).read_bytes())
    assert read(saved(packed, "packed.xlsx.gz"))[1] == [["2", "", "A1"]]


RECORDS = [
    {"DER ID": "A1", "kw": 7.50, "control_modes": ["max_w", "volt_var"], "colour": "red"},
    {"external_id": 12345678901234567890, "nameplate_ac_kw": None, "premise_address": {"no": 1.50, "street": "Müller\n"}},
    {},
    {"external_id": "A4", "control_modes": [{"at": "x", "limits": [1, True, None]}], "kw": False},
]


def _texts():
    lines = [json.dumps(record, ensure_ascii=False).replace("7.5", "7.50").replace("1.5", "1.50") for record in RECORDS]
    yield "ndjson", "\n".join(lines)
    yield "ndjson", "\r\n\r\n".join(lines) + "\n"
    yield "json", f"[{','.join(lines)}]"
    yield "json", '\n{ "rows" : [\n' + " ,\n ".join(lines) + " ] }\n"


@pytest.mark.parametrize(("kind", "text"), list(_texts()))
def test_objects(saved, kind, text):
    sheet, rows = read(saved(text, f"file.{kind}"))
    assert sheet.kind == kind
    assert sheet.columns == VOCABULARY.names
    assert (sheet.unknown, sheet.missing_required) == (("colour",), ())
    assert rows == [
        ["1", "", "A1", "7.50", "", "max_w;volt_var"],
        ["2", "", "12345678901234567890", "", '{"no": 1.50, "street": "Müller\\n"}', ""],
        ["4", "", "A4", "false", "", '[{"at": "x", "limits": [1, true, null]}]'],
    ]


def annotated(path, findings, vocabulary=VOCABULARY):
    data = b"".join(annotate(path, name=path.name, vocabulary=vocabulary, findings=iter(findings)))
    assert data.startswith(b"\xef\xbb\xbf")
    return data


FINDINGS = [
    (1, "error", "of no row"),
    (3, "error", "kW is below zero"),
    (3, "warning", "far away"),
    (3, "error", "=formula"),
    (9, "error", "of no row"),
]


def test_annotate_gives_the_users_file_back_with_the_findings(saved):
    path = saved("external_id;colour;kw\r\nA1;=cmd|x;-7,5\r\n\r\n" + "A2;red;1;surplus\r\n")
    findings = [(number + (number == 3), *rest) for number, *rest in FINDINGS]
    rows = list(csv.reader(io.StringIO(annotated(path, findings).decode("utf-8-sig"), newline=""), delimiter=";"))
    assert rows == [
        ["moc_errors", "moc_warnings", "external_id", "colour", "kw"],
        ["", "", "A1", "'=cmd|x", "-7,5"],
        ["", ""],
        ["kW is below zero | =formula", "far away", "A2", "red", "1", "surplus"],
    ]


def test_an_annotated_file_comes_back_as_it_was(saved):
    text = 'external_id,premise_address,note\nA1,"=1+1\n-x",+\nA2,@home,y\n'
    first = saved(text)
    second = saved(annotated(first, [(2, "error", "e")]), "again.csv")
    sheet, rows = read(second)
    assert (rows, sheet.unknown) == (read(first)[1], ("note",))
    third = annotated(second, [(3, "warning", "w")]).decode("utf-8-sig").splitlines()
    assert third[0] == "moc_errors,moc_warnings,external_id,premise_address,note"
    assert third[3] == ",w,A2,'@home,y"


def test_annotate_gives_objects_and_workbooks_as_csv(saved, workbook):
    path = saved('{"kw": 1, "colour": "red"}\n{"external_id": "A2", "kw": {"a": 1.0}}', "file.ndjson")
    lines = annotated(path, [(2, "error", "e")]).decode("utf-8-sig").splitlines()
    assert lines == ["moc_errors,moc_warnings,kw,colour,external_id", ",,1,red,", 'e,,"{""a"": 1.0}",,A2']
    lines = annotated(workbook(["external_id"], ["A1"]), [(2, "warning", "w")]).decode("utf-8-sig").splitlines()
    assert lines == ["moc_errors,moc_warnings,external_id", ",w,A1"]


def test_a_row_is_never_split_between_chunks(saved):
    rows = [["A1", "x" * 300], ["A2", "y\r\nz"]] * 2000
    text = io.StringIO(newline="")
    csv.writer(text).writerows([["external_id", "premise_address"], *rows])
    source = DelimitedRows(Raw(saved(text.getvalue()), Limits()), "utf-8", VOCABULARY)
    assert [row for _, batch in source.batches() for row in batch] == rows


def test_a_vocabulary_must_be_consistent():
    with pytest.raises(ValueError, match="nowhere"):
        Vocabulary(("a",), {"b": "nowhere"})
    with pytest.raises(ValueError, match="differ only"):
        Vocabulary(("rated_kva", "Rated kVA"))
