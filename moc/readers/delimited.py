"""CSV and its cousins, streamed: lines by C code from chunks, rows by csv.reader, never more than a chunk and a row in memory."""

import codecs
import csv
import io
from collections.abc import Iterator
from itertools import chain

from .errors import refuse
from .shape import Limits, Vocabulary
from .sniff import Raw

DELIMITERS = ",;\t"
# One line more after the last: csv.reader gives it back as a row of its own, unless a quotation mark is still open.
# No file can imitate it, because a NUL is refused.
_END = "\0"

Batch = tuple[int, list[list[str]]]  # number of the first row, and the rows; a blank line is an empty list


class _Lines:
    """The file's lines with their line breaks. `turn` counts chunks, `idle` the characters read since the last row."""

    def __init__(self, raw: Raw, encoding: str):
        self.raw, self.encoding = raw, encoding
        self.turn = self.row = self.idle = 0
        self.suspect = self.ended = False

    def __iter__(self) -> Iterator[str]:
        limits = self.raw.limits
        decoder = codecs.getincrementaldecoder(self.encoding)()
        tail = ""
        for chunk in chain(self.raw.chunks(), (b"",)):
            text = decoder.decode(chunk, not chunk)
            self.turn += 1
            self.idle += len(text)
            if self.idle > limits.row_chars:
                raise refuse("row_too_long", row=self.row + 1, limit=limits.row_chars, cell=limits.cell_chars)
            lines = list(io.StringIO(tail + text, newline=""))
            # the last line may go on in the next chunk, even by a line feed after its carriage return
            tail = lines.pop() if lines and chunk else ""
            if "\0" in text or max(map(len, lines), default=0) > limits.cell_chars:
                self.suspect = True
            yield from lines
        self.ended = True
        yield _END


class DelimitedRows:
    """The rows of a CSV file. Rows are numbered as a spreadsheet program shows them: the header is usually row 1, a blank
    line counts, a line break inside quotation marks does not.
    """

    kind = "csv"

    def __init__(self, raw: Raw, encoding: str, vocabulary: Vocabulary):
        self.raw, self.encoding = raw, encoding
        head = _head(raw, encoding)
        self.delimiter, self.header_row, self.header = max(
            ((delimiter, *_header(head, delimiter)) for delimiter in DELIMITERS),
            key=lambda found: (sum(map(bool, map(vocabulary.canonical, found[2]))), len(found[2])),
        )
        if not self.header:
            raise refuse("cell_too_long", row=1, limit=raw.limits.cell_chars) if head.strip() else refuse("empty")

    @property
    def progress(self) -> float:
        return self.raw.position / self.raw.size

    def batches(self) -> Iterator[Batch]:
        """The rows after the header in batches of about a chunk. Raises FileRefused, naming the row."""
        limits = self.raw.limits
        lines = _Lines(self.raw, self.encoding)
        reader = csv.reader(lines, delimiter=self.delimiter, skipinitialspace=True)
        rows: list[list[str]] = []
        turn = before = 0
        try:
            for row in reader:
                lines.row += 1
                lines.idle = 0
                if lines.ended:
                    _refuse_open_quote(lines, row, reader.line_num - before)
                    break
                rows.append(row)
                if reader.line_num - before > 1:  # lines of moderate length may still make a long cell
                    examine(lines.row, [row], limits)
                before = reader.line_num
                if lines.turn != turn:
                    turn = lines.turn
                    if lines.suspect:
                        examine(lines.row - len(rows) + 1, rows, limits)
                    if batch := self._batch(lines.row, rows):
                        yield batch
                    rows = []
        except csv.Error as error:
            # the only one left: more characters in a cell than csv.field_size_limit()
            code = "unterminated_quote" if reader.line_num - before > 1 else "cell_too_long"
            raise refuse(code, row=lines.row + 1, limit=limits.cell_chars) from error
        examine(lines.row - len(rows), rows, limits)
        if batch := self._batch(lines.row - 1, rows):
            yield batch

    def _batch(self, last: int, rows: list[list[str]]) -> Batch | None:
        limits = self.raw.limits
        if last - self.header_row > 2 * limits.rows:  # blank ones are counted too: nobody waits for a file of line breaks
            raise refuse("too_many_rows", limit=limits.rows)
        first = last - len(rows) + 1
        if first <= self.header_row:
            rows, first = rows[self.header_row - first + 1 :], self.header_row + 1
        return (first, rows) if rows else None


def _refuse_open_quote(lines: _Lines, row: list[str], read: int) -> None:
    if row != [_END] or read > 1:
        raise refuse("unterminated_quote", row=lines.row)


def _head(raw: Raw, encoding: str) -> str:
    chunk = next(raw.chunks(), b"")
    return codecs.getincrementaldecoder(encoding)().decode(chunk)


def _header(head: str, delimiter: str) -> tuple[int, tuple[str, ...]]:
    """The first row that is not blank, and its number; nothing if there is none or csv finds a cell beyond its limit."""
    try:
        for number, row in enumerate(csv.reader(io.StringIO(head, newline=""), delimiter=delimiter, skipinitialspace=True), 1):
            if any(cell.strip() for cell in row):
                return number, tuple(row)
    except csv.Error:
        pass
    return 0, ()


def examine(first: int, rows: list[list[str]], limits: Limits) -> None:
    """Refuse a NUL character or a cell over the limit, naming the row."""
    for number, row in enumerate(rows, first):
        if row and max(map(len, row)) > limits.cell_chars:
            raise refuse("cell_too_long", row=number, limit=limits.cell_chars)
        if "\0" in "".join(row):
            raise refuse("nul", row=number)
