"""The one clear error a file can get as a whole, and the table of all of them."""

REFUSALS: dict[str, tuple[str, str]] = {
    # code: (sentence, remedy); {facts} are filled in by refuse()
    "empty": ("The file is empty.", "Export the file again; the template shows the expected columns."),
    "no_rows": ("The file has no row with a value below its header.", "Add at least one row and upload the file again."),
    "too_large": (
        "The file is larger than {limit_mb} MB.",
        "Split it into several files, each with the header; a later file may add to or correct an earlier one.",
    ),
    "too_large_unpacked": (
        "The file is larger than {limit_mb} MB once it is decompressed.",
        "Split it into several files, each with the header.",
    ),
    "bomb": (
        "The file grows more than {ratio} times when it is decompressed, which real records do not.",
        "Upload the file uncompressed, or save it again as CSV.",
    ),
    "too_many_rows": ("The file has more than {limit:,} rows.", "Split it into several files, each with the header."),
    "xlsx_too_many_rows": (
        "The workbook's first sheet reaches over more than {limit:,} rows or {cells:,} cells, the most that is read from a workbook.",
        "Save the sheet as CSV (CSV and NDJSON files may have {rows:,} rows), or delete empty formatted rows below the data.",
    ),
    "too_many_columns": (
        "The file has more than {limit} columns.",
        "Keep only the columns of the template; the data dictionary lists them.",
    ),
    "cell_too_long": (
        "A cell in row {row} holds more than {limit:,} characters.",
        "Shorten it; if it begins with a quotation mark, check that the closing one is there.",
    ),
    "row_too_long": (
        "Row {row} goes on for more than {limit:,} characters.",
        "Check that the rows end in line breaks and that every quotation mark is closed; a cell holds at most {cell:,} characters.",
    ),
    "unterminated_quote": (
        "The quotation mark opened in row {row} is never closed.",
        "Close it, or write a quotation mark inside a cell twice; if the file was cut off, export it again.",
    ),
    "nul": ("Row {row} holds a NUL character, which no text has.", "Export the file again as text (CSV UTF-8)."),
    "bad_character": ("Row {row} holds half of a character (a lone surrogate).", "Correct the text in that row and export it again."),
    "bad_encoding": (
        "Line {line} of the file holds bytes that are text neither in UTF-8 nor in Windows-1252.",
        "Save the file as CSV UTF-8.",
    ),
    "mixed_encoding": (
        "The file is UTF-8 up to line {line}, where a byte breaks it: two encodings are mixed, or the file was cut off.",
        "Save the whole file again as CSV UTF-8.",
    ),
    "wrong_type": (
        "The file is {found}, not a table of the kind its name promises.",
        "Upload CSV, XLSX, NDJSON or JSON, each also as gzip, under a name that ends accordingly.",
    ),
    "damaged_gzip": ("The compressed file is damaged or cut off.", "Compress and upload it again."),
    "damaged_xlsx": (
        "The workbook is damaged, cut off or not written as a spreadsheet program writes it.",
        "Open it in a spreadsheet program and save it again as XLSX or CSV.",
    ),
    "macros": ("The workbook contains macros.", "Save it as a workbook without macros (.xlsx) or as CSV."),
    "duplicate_column": (
        "The columns {first} and {second} both mean {column}.",
        "Keep one of them.",
    ),
    "no_recognised_column": (
        "None of the file's columns is known ({given}).",
        "Check that the first row holds the column names of the template, and that the right file was chosen.",
    ),
    "malformed_json": (
        "Row {row} is not valid JSON: {reason}.",
        "Correct it, or write each record as one JSON object on a line of its own.",
    ),
    "truncated_json": ("The file ends in the middle of row {row}.", "Export and upload it again."),
    "not_an_object": ("Row {row} is not a JSON object with column names as keys.", "Write each record as an object, for example {{...}}."),
}


class FileRefused(Exception):
    """The whole file is refused: `code`, `sentence` and `remedy` for the user, `row` and `column` where there is one."""

    def __init__(self, code: str, sentence: str, remedy: str, row: int | None = None, column: str | None = None):
        super().__init__(f"{sentence} {remedy}")
        self.code, self.sentence, self.remedy, self.row, self.column = code, sentence, remedy, row, column


def refuse(code: str, *, row: int | None = None, column: str | None = None, **facts) -> FileRefused:
    """The refusal of that code, ready to raise."""
    sentence, remedy = (text.format(row=row, column=column, **facts) for text in REFUSALS[code])
    return FileRefused(code, sentence, remedy, row, column)
