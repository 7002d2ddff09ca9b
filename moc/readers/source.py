"""Opening a file: what a caller sees, whatever the format."""

import csv
import io
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from os import PathLike
from pathlib import Path

from moc.sheets import BOM, neutralise

from .delimited import DelimitedRows
from .encode import Encoder
from .errors import refuse
from .objects import ObjectRows
from .shape import FINDING_COLUMNS, Block, Limits, Sheet, Vocabulary, is_finding_column, missing_of, recognise, unknown_of
from .sniff import Raw, survey
from .workbook import WorkbookRows, open_workbook

Rows = DelimitedRows | ObjectRows | WorkbookRows
Finding = tuple[int, str, str]  # row number, severity ("error" or "warning"), text


class RowSource:
    """An open file: `sheet` says what was recognised, `blocks()` gives its rows once, `bytes_read` of `size` the progress.

    For NDJSON and JSON `sheet` reflects the records read so far; it is final when blocks() is exhausted.
    """

    def __init__(self, rows: Rows, vocabulary: Vocabulary, limits: Limits, size: int):
        self._rows, self._vocabulary, self._limits, self.size = rows, vocabulary, limits, size
        self._keyed = isinstance(rows, ObjectRows)
        self._columns = vocabulary.names if self._keyed else recognise(_header(rows, limits), vocabulary)
        self._blocks = self._encoded()
        # one look ahead: a file that cannot be used is refused before anything of it is written
        first = next(self._blocks, None)
        if first is None:
            raise refuse("no_rows")
        self._blocks = chain((first,), self._blocks)

    @property
    def sheet(self) -> Sheet:
        rows, vocabulary = self._rows, self._vocabulary
        header = rows.header if self._keyed else _header(rows, self._limits)
        return Sheet(
            header=header,
            columns=self._columns,
            unknown=unknown_of(header, vocabulary),
            missing_required=missing_of(map(vocabulary.canonical, header), vocabulary),
            encoding=rows.encoding,
            delimiter=rows.delimiter,
            kind=rows.kind,
        )

    @property
    def bytes_read(self) -> int:
        """How far the file has been read, in bytes on disk (for a workbook the share of its rows)."""
        return round(self._rows.progress * self.size)

    def blocks(self) -> Iterator[Block]:
        """The rows, encoded for COPY, in blocks of about 256 kB. Raises FileRefused where the file turns out to be unusable."""
        return self._blocks

    def _encoded(self) -> Iterator[Block]:
        encoder = Encoder(self._columns, restore=any(map(is_finding_column, self._rows.header)))
        count = 0
        for first, rows in self._rows.batches():
            if self._keyed and not count:
                _recognise_any(self._rows.header, self._vocabulary)
            if block := encoder.block(first, rows):
                count += block.count
                if count > self._limits.rows:
                    raise refuse("too_many_rows", limit=self._limits.rows)
                yield block


def _recognise_any(keys: tuple[str, ...], vocabulary: Vocabulary) -> None:
    """Refuse objects of which no key so far means anything."""
    if not any(map(vocabulary.canonical, keys)):
        recognise(keys, vocabulary)


def _header(rows: Rows, limits: Limits) -> tuple[str, ...]:
    """The header without the blank cells that spreadsheet programs leave at its end."""
    header = rows.header
    while header and not header[-1].strip():
        header = header[:-1]
    if len(header) > limits.columns:
        raise refuse("too_many_columns", limit=limits.columns)
    return header


@contextmanager
def _opened(path: str | PathLike, name: str, vocabulary: Vocabulary, limits: Limits, as_given: bool = False) -> Iterator[tuple[Rows, Raw]]:
    raw = Raw(Path(path), limits)
    found = survey(raw, name)
    if found.kind == "xlsx":
        with open_workbook(raw) as rows:
            yield rows, raw
    elif found.kind == "json":
        yield ObjectRows(raw, found.encoding, vocabulary, as_given), raw
    else:
        yield DelimitedRows(raw, found.encoding, vocabulary), raw


@contextmanager
def open_rows(path: str | PathLike, *, name: str, vocabulary: Vocabulary, limits: Limits | None = None) -> Iterator[RowSource]:
    """The rows of an uploaded file, whatever its format. `name` is the name the user gave it, held against its content.

    Raises FileRefused, here or while the blocks are read: one error for the whole file.
    """
    limits = limits or Limits()
    with _opened(path, name, vocabulary, limits) as (rows, raw):
        yield RowSource(rows, vocabulary, limits, raw.size)


def annotate(
    path: str | PathLike, *, name: str, vocabulary: Vocabulary, limits: Limits | None = None, findings: Iterator[Finding]
) -> Iterator[bytes]:
    """The user's own file as UTF-8 CSV with two columns before his: what is wrong with each row and what is doubtful.

    `findings` come sorted by row; those of a row that is not in the file are left out. The added columns stand first, so
    that a row with too many cells does not push them aside; open_rows() ignores them when the corrected file comes back.
    Cells are as given, formulas neutralised.
    """
    with _opened(path, name, vocabulary, limits or Limits(), as_given=True) as (rows, _):
        header = rows.names if isinstance(rows, ObjectRows) else _header(rows, limits or Limits())
        kept = [index for index, given in enumerate(header) if not is_finding_column(given)]
        again = len(kept) < len(header)
        pending = _Pending(findings)
        buffer = io.StringIO(newline="")
        # the delimiter that the user's spreadsheet program wrote is the one it reads
        write = csv.writer(buffer, delimiter=rows.delimiter or ",", lineterminator="\r\n").writerows
        write([(*FINDING_COLUMNS, *(neutralise(header[index]) for index in kept))])
        yield (BOM + buffer.getvalue()).encode()
        for first, batch in rows.batches():
            buffer.seek(0)
            buffer.truncate()
            write(
                (*pending.of(number), *map(neutralise, _without(row, kept, len(header)) if again else row))
                for number, row in enumerate(batch, first)
            )
            yield buffer.getvalue().encode(errors="replace")


def _without(row: list[str], kept: list[int], width: int) -> list[str]:
    """The row without the columns that an earlier annotate() added."""
    return [row[index] for index in kept if index < len(row)] + list(row[width:])


class _Pending:
    """Findings sorted by row, asked for row by row."""

    def __init__(self, findings: Iterator[Finding]):
        self._findings = iter(findings)
        self._next = next(self._findings, None)

    def of(self, row: int) -> tuple[str, str]:
        """The errors and the warnings of a row, each as one text."""
        texts: dict[bool, list[str]] = {True: [], False: []}
        while self._next and self._next[0] <= row:
            number, severity, text = self._next
            if number == row:
                texts[severity == "error"].append(text)
            self._next = next(self._findings, None)
        return neutralise(" | ".join(texts[True])), neutralise(" | ".join(texts[False]))
