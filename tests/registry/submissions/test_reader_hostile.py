"""Hostile and broken files: each is refused with one clear error, quickly, and leaves nothing behind."""

import gzip
import io
import json
import tempfile
import tracemalloc
import zipfile

import pytest
import xlsxwriter

from moc.readers import REFUSALS, FileRefused, Limits, annotate
from tests.registry.submissions.reading import VOCABULARY, read

ROWS = "external_id,nameplate_ac_kw\n" + "".join(f"A{number},{number}\n" for number in range(2, 5000))
SMALL = Limits(
    file_bytes=2_000_000, rows=50, columns=20, cell_chars=1_000, row_chars=400_000, xlsx_rows=50, xlsx_cells=2_000, xlsx_parts=20
)


@pytest.fixture
def saved(tmp_path):
    def save(content: str | bytes, name="file.csv"):
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return save


def refusal(path, limits=None, name=None) -> FileRefused:
    with pytest.raises(FileRefused) as caught:
        read(path, name=name, limits=limits)
    error = caught.value
    assert error.code in REFUSALS
    assert error.sentence.endswith(".") and error.remedy.endswith(".")
    assert "{" not in error.sentence
    return error


def workbook(*rows, sheet_xml: bytes | None = None, more: dict[str, bytes] | None = None) -> bytes:
    """The bytes of a workbook, its first sheet's XML replaced and entries added where given."""
    plain, changed = io.BytesIO(), io.BytesIO()
    with xlsxwriter.Workbook(plain) as book:
        sheet = book.add_worksheet()
        for number, row in enumerate(rows or [["external_id"], ["A1"]]):
            sheet.write_row(number, 0, row)
    with zipfile.ZipFile(plain) as old, zipfile.ZipFile(changed, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.infolist():
            replaced = sheet_xml if part.filename == "xl/worksheets/sheet1.xml" else None
            new.writestr(part.filename, replaced or old.read(part))
        for name, content in (more or {}).items():
            new.writestr(name, content)
    return changed.getvalue()


def sheet_xml(cells: bytes) -> bytes:
    namespace = b'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    return b'<?xml version="1.0"?><worksheet ' + namespace + b"><sheetData>" + cells + b"</sheetData></worksheet>"


HEAD = b'<row r="1"><c r="A1" t="inlineStr"><is><t>external_id</t></is></c></row>'


@pytest.mark.parametrize(
    ("content", "code", "row"),
    [
        (b"", "empty", None),
        (b"\n \n\t\r\n", "empty", None),
        (b"\xef\xbb\xbf", "empty", None),
        (gzip.compress(b"", mtime=0), "empty", None),
        (b"external_id,kw\n", "no_rows", None),
        (b"external_id,kw\n,\n\n , \n", "no_rows", None),
        (b"first,second\n1,2\n", "no_recognised_column", None),
        (b"external_id,External ID\n1,2\n", "duplicate_column", None),
        (b"kw,nameplate_ac_kw,external_id\n1,2,3\n", "duplicate_column", None),
        (b"external_id,kw\nA2,1\nA3,\0\n", "nul", 3),
        (b"external_id,note\nA2,1\nA3,\0\n", "nul", 3),
        (b"external_id\0,kw\nA2,1\n", "nul", 1),
        ("external_id,kw\nA2,\0\n".encode("utf-16"), "nul", 2),
        (b'external_id,kw\nA2,1\nA3,"1\nA4,2\n', "unterminated_quote", 3),
        (b'external_id,kw\nA2,1\nA3,"', "unterminated_quote", 3),
        (b'external_id,kw\nA2,1\n"', "unterminated_quote", 3),
        ((ROWS + 'A,"' + "x\n" * 100_000).encode(), "unterminated_quote", 5000),
        ((ROWS + "A," + "x" * 40_000 + "\n").encode(), "cell_too_long", 5000),
        ((ROWS + 'A,"' + "x\n" * 20_000 + '"\n').encode(), "cell_too_long", 5000),
        ((ROWS + "A," + "x" * 10_000_000 + "\n").encode(), "row_too_long", 5000),
        (b"external_id\n" + b'"a","' * 400_000, "row_too_long", 2),
        (b'external_id\n"' + b"x" * 200_000 + b'"\n', "cell_too_long", 2),
        (b"x" * 300_000, "cell_too_long", 1),
        ((",".join(f"c{number}" for number in range(5_000)) + "\nx\n").encode(), "too_many_columns", None),
        ((",".join(f"a rather long column name {number}" for number in range(50_000))).encode(), "too_many_columns", None),
        ("external_id,Straße\n".encode() + b"A2,M\xfcller\n", "mixed_encoding", None),
        ("external_id,Straße".encode() + b"\xc3", "mixed_encoding", None),
        (b"external_id,kw\nA2,M\xfcller\n\x81\n", "bad_encoding", None),
        (b"\xff\xfee\x00x\x00\x00\xd8e\x00", "bad_encoding", None),
        (b"%PDF-1.7\n", "wrong_type", None),
        (b"\x89PNG\r\n\x1a\n" + bytes(40), "wrong_type", None),
        (b"\x7fELF\x02\x01" + bytes(40), "wrong_type", None),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(40), "wrong_type", None),
        (b"  <!DOCTYPE html><table>", "wrong_type", None),
        (bytes(range(256)), "wrong_type", None),
        (gzip.compress(gzip.compress(b"external_id\n1\n", mtime=0), mtime=0), "wrong_type", None),
        (b"PK\x05\x06" + bytes(18), "wrong_type", None),
        (gzip.compress(ROWS.encode(), mtime=0)[:-20], "damaged_gzip", None),
        (gzip.compress(ROWS.encode(), mtime=0) + b"trailing", "damaged_gzip", None),
        (b"\x1f\x8b\x08\x00" + bytes(40), "damaged_gzip", None),
    ],
)
def test_text_files(saved, content, code, row):
    error = refusal(saved(content))
    assert (error.code, error.row) == (code, row)
    if row:
        assert f"ow {row}" in error.sentence


@pytest.mark.parametrize(
    ("text", "code", "row"),
    [
        ("[]", "no_rows", None),
        ("[{}]", "no_recognised_column", None),
        ('{"colour": "red"}', "no_recognised_column", None),
        ('{"kw": 1}\n{"kw": 1', "truncated_json", 2),
        ('{"kw": 1}\n{"kw": "1', "truncated_json", 2),
        ('[{"kw": 1}, {"kw": 1}', "truncated_json", 3),
        ('[{"kw": 1},', "truncated_json", 2),
        ('{"rows": [{"kw": 1}]', "truncated_json", 2),
        ('{"kw": 1}\n{"kw": 1,}\n{"kw": 2}', "malformed_json", 2),
        ('[{"kw": 1} {"kw": 1}]', "malformed_json", 2),
        ('[{"kw": 1}] x', "malformed_json", 2),
        ('{"kw": 1}]', "malformed_json", 2),
        ('[{"kw": 1}, [1]]', "not_an_object", 2),
        ('{"kw": 1}\n7', "not_an_object", 2),
        ('{"kw": 1}\n{"kw": "\\u0000"}', "nul", 2),
        ('{"kw": 1}\n{"note": "\\u0000"}', "nul", 2),
        ('{"kw": 1}\n{"note": {"x": ["\\u0000"]}}', "nul", 2),
        ('{"kw": 1}\n{"kw": "\\ud800"}', "bad_character", 2),
        ('{"kw": 1}\n{"kw": 1, "KW": 2}', "duplicate_column", 2),
        ('{"kw": 1}\n{"kw": "' + "x" * 40_000 + '"}', "cell_too_long", 2),
        ('{"kw": 1}\n{"kw": "' + "x" * 10_000_000 + '"}', "row_too_long", 2),
        ('{"kw": ' + "[" * 100_000, "malformed_json", 1),
        ('{"kw": ' + '{"a":' * 700 + "1" + "}" * 701, "malformed_json", 1),
        (json.dumps({f"c{number}": 1 for number in range(5_000)}), "too_many_columns", None),
        ("\n".join(json.dumps({"kw": 1, f"c{number}": 1}) for number in range(5_000)), "too_many_columns", None),
    ],
)
def test_object_files(saved, text, code, row):
    error = refusal(saved(text, "file.json"))
    assert (error.code, error.row) == (code, row)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (workbook()[:-30], "damaged_xlsx"),
        (workbook()[:200] + bytes(100) + workbook()[300:], "damaged_xlsx"),
        (workbook(sheet_xml=sheet_xml(HEAD)[:-60]), "damaged_xlsx"),
        (workbook(sheet_xml=b"\xff\xfe" + sheet_xml(HEAD).decode().encode("utf-16-le")), "damaged_xlsx"),
        (workbook(sheet_xml=b'<!DOCTYPE x [<!ENTITY a "b">]>' + sheet_xml(HEAD)), "damaged_xlsx"),
        (workbook(["external_id"]), "no_rows"),
        (workbook([]), "empty"),
        (workbook(["first"], ["x"]), "no_recognised_column"),
        (workbook(["external_id"], *[["x"]] * 51), "xlsx_too_many_rows"),
        (workbook(["external_id"] + ["x"] * 20, ["x"]), "too_many_columns"),
        (workbook(["external_id"], ["x" * 2_000]), "cell_too_long"),
        (workbook(sheet_xml=sheet_xml(HEAD + b'<row r="1048576"><c r="B1048576"><v>1</v></c></row>')), "xlsx_too_many_rows"),
        (workbook(sheet_xml=sheet_xml(HEAD + b'<row r="9"><c r="XFD9"><v>1</v></c></row>')), "too_many_columns"),
        (workbook(sheet_xml=sheet_xml(HEAD + b"<row><c r\n=\n'XFD9'><v>1</v></c></row>")), "too_many_columns"),
        (workbook(sheet_xml=sheet_xml(HEAD + b"<row>" + b"<c/>" * 3_000 + b"</row>")), "xlsx_too_many_rows"),
        (workbook(more={"xl/more.xml": b"<sst>" + b"<si/>" * 3_000}), "xlsx_too_many_rows"),
        (workbook(more={"xl/worksheets/sheet2.xml": bytes(3_000_000)}), "too_large_unpacked"),
        (workbook(more={"xl/vbaProject.bin": b"x"}), "macros"),
        (workbook(more={f"x{number}": b"" for number in range(30)}), "damaged_xlsx"),
    ],
)
def test_workbooks(saved, content, code):
    assert refusal(saved(content, "file.xlsx"), limits=SMALL).code == code


def test_a_workbook_of_one_far_corner_takes_no_memory(saved):
    path = saved(workbook(sheet_xml=sheet_xml(HEAD + b'<row r="1048576"><c r="GR1048576"><v>1</v></c></row>')), "file.xlsx")
    tracemalloc.start()
    assert refusal(path).code == "xlsx_too_many_rows"
    assert tracemalloc.get_traced_memory()[1] < 20_000_000
    tracemalloc.stop()


def test_a_workbook_whose_directory_lies_about_its_size(saved):
    content = workbook(sheet_xml=sheet_xml(HEAD + b"<row/>" * 500_000))
    size = len(sheet_xml(HEAD + b"<row/>" * 500_000)).to_bytes(4, "little")
    assert content.count(size) == 2  # in the entry's own header and in the directory
    assert refusal(saved(content.replace(size, (200).to_bytes(4, "little")), "file.xlsx")).code == "damaged_xlsx"


def test_a_workbook_with_two_parts_of_one_name(saved):
    with pytest.warns(UserWarning, match="Duplicate"):
        content = workbook(more={"xl/workbook.xml": b"<workbook/>"})
    assert refusal(saved(content, "file.xlsx")).code == "damaged_xlsx"


def test_bombs(saved):
    assert refusal(saved(gzip.compress(b"external_id\n" + b"0" * 20_000_000))).code == "bomb"
    bomb = workbook(more={"xl/worksheets/sheet2.xml": bytes(20_000_000)})
    assert refusal(saved(bomb, "file.xlsx")).code == "bomb"


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"external_id\nA1\n", "file.xlsx"),
        (workbook(), "file.csv"),
        (b'{"kw": 1}', "file.csv"),
        (b"external_id\nA1\n", "file.ndjson"),
        (gzip.compress(b"external_id\nA1\n", mtime=0), "FILE.XLSX.GZ"),
    ],
)
def test_a_name_must_not_promise_another_type(saved, content, name):
    assert refusal(saved(content), name=name).code == "wrong_type"


def test_limits_of_size_and_rows(saved):
    assert refusal(saved(b"x" * 3_000_000), limits=SMALL).code == "too_large"
    assert refusal(saved(gzip.compress(ROWS.encode() * 60)), limits=SMALL).code == "too_large_unpacked"
    assert refusal(saved("external_id\n" + "A\n" * 51), limits=SMALL).code == "too_many_rows"
    assert refusal(saved("external_id\nA\n" + "\n" * 1_000_000), limits=SMALL).code == "too_many_rows"
    assert refusal(saved('{"kw": 1}' * 51, "file.json"), limits=SMALL).code == "too_many_rows"


def test_nothing_is_left_behind(saved, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    read(saved(workbook(), "good.xlsx"))
    refusal(saved(workbook()[:-30], "bad.xlsx"))
    pieces = annotate(saved(workbook(), "good.xlsx"), name="good.xlsx", vocabulary=VOCABULARY, findings=iter(()))
    next(pieces)
    pieces.close()
    assert list((tmp_path / "temporary").iterdir()) == []


def test_formula_cells_are_text_like_any_other(saved):
    assert read(saved("external_id,kw\n\"=cmd|'/c calc'!A1\",@SUM(1)\n"))[1] == [["2", "", "=cmd|'/c calc'!A1", "@SUM(1)"]]
