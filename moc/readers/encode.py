"""Rows to PostgreSQL's COPY text, at the speed of str.join: a cell is looked at one by one only where a block needs it."""

import re
from collections.abc import Callable, Sequence
from operator import itemgetter

from .errors import refuse
from .shape import Block

# what COPY … FROM STDIN must be told to read a Block: an empty cell is NULL
COPY_OPTIONS = "FORMAT text, NULL ''"

TOO_MANY_CELLS = "too_many_cells"
TOO_FEW_CELLS = "too_few_cells"

_ESCAPES = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})
_NEUTRALISED = re.compile(r"^'(?=[=+\-@\t\r])")
_strip = str.strip


def picker(columns: Sequence[str | None]) -> Callable[[Sequence[str]], Sequence[str]]:
    """A function from a whole row to the cells of its recognised columns."""
    wanted = [index for index, name in enumerate(columns) if name]
    if wanted == list(range(len(columns))):
        return lambda row: row
    if len(wanted) == 1:
        return lambda row: (row[wanted[0]],)
    return itemgetter(*wanted)


class Encoder:
    """Turns batches of rows into Blocks: fits them to the header's width, picks the recognised columns, trims the cells.

    `restore` takes back the apostrophes with which annotate() neutralised formulas. A row without a recognised value is
    blank and left out.
    """

    def __init__(self, columns: Sequence[str | None], restore: bool = False):
        self.width = len(columns)
        self.pick = picker(columns)
        self.restore = restore
        self.tabs = sum(map(bool, columns)) + 1

    def block(self, first: int, rows: list[list[str]]) -> Block | None:
        """One block of a batch, or None if all its rows are blank. Raises FileRefused for a NUL or a lone surrogate."""
        width, pick, blank = self.width, self.pick, "\t" * (self.tabs - 2)
        lines: list[str] = []
        numbers: list[int] = []
        for number, row in enumerate(rows, first):
            problem = ""
            if len(row) != width:
                row, problem = _fit(row, width)
            cells = "\t".join(map(_strip, pick(row)))
            if cells == blank and not problem:
                continue
            lines.append(f"{number}\t{problem}\t{cells}")
            numbers.append(number)
        if not lines:
            return None
        text = "\n".join(lines)
        if self.restore or self._special(text, len(lines)):
            text = "\n".join(
                self._careful(number, rows[number - first]) if self.restore or self._special(line, 1) else line
                for number, line in zip(numbers, lines, strict=True)
            )
        return Block(numbers[0], len(lines), _bytes(text + "\n", numbers))

    def _special(self, text: str, lines: int) -> bool:
        """Whether lines hold a character that COPY text must escape."""
        return "\\" in text or "\r" in text or text.count("\n") != lines - 1 or text.count("\t") != lines * self.tabs

    def _careful(self, number: int, row: list[str]) -> str:
        row, problem = _fit(row, self.width)
        cells = map(_strip, self.pick(row))
        if self.restore:
            cells = (_NEUTRALISED.sub("", cell).strip() if cell[:1] == "'" else cell for cell in cells)
        return "\t".join((str(number), problem, *(cell.translate(_ESCAPES) for cell in cells)))


def _fit(row: list[str], width: int) -> tuple[list[str], str]:
    """The row at the header's width and what was wrong with it; blank cells too many are nothing wrong."""
    if len(row) > width:
        return row[:width], TOO_MANY_CELLS if any(map(_strip, row[width:])) else ""
    if len(row) < width:
        return row + [""] * (width - len(row)), TOO_FEW_CELLS if any(map(_strip, row)) else ""
    return row, ""


def _bytes(text: str, numbers: list[int]) -> bytes:
    try:
        data = text.encode()
    except UnicodeEncodeError as error:
        raise refuse("bad_character", row=numbers[text.count("\n", 0, error.start)]) from error
    if b"\0" in data:
        raise refuse("nul", row=numbers[data.count(b"\n", 0, data.index(b"\0"))])
    return data
