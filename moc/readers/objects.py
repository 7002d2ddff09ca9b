"""NDJSON and JSON, streamed: one object at a time out of a sliding buffer. The first object is row 1."""

import codecs
import json
import re
from collections.abc import Callable, Iterator
from itertools import chain
from operator import itemgetter
from typing import Any

from .delimited import Batch, examine
from .errors import FileRefused, refuse
from .shape import Vocabulary, is_finding_column
from .sniff import Raw

_GAP = re.compile(r"[ \t\r\n]*")
_ROWS = re.compile(r'[ \t\r\n]*\{[ \t\r\n]*"rows"[ \t\r\n]*:[ \t\r\n]*\[')
_ARRAY = re.compile(r"[ \t\r\n]*\[")
_PLANS = 1000  # key orders remembered; a file has one or a few


class _Number(str):
    """A number as it was written, told apart from text."""


# numbers stay the text they were written as: 7.50 is not 7.5, and 20 digits are not rounded
_scan = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=str).raw_decode
_scan_exactly = json.JSONDecoder(parse_float=_Number, parse_int=_Number, parse_constant=_Number).raw_decode


class _Text:
    """The file's text as a buffer that slides: `at` is the place reached, `turn` counts chunks."""

    def __init__(self, raw: Raw, encoding: str):
        decoder = codecs.getincrementaldecoder(encoding)()
        self._parts = (decoder.decode(chunk, not chunk) for chunk in chain(raw.chunks(), (b"",)))
        self.buffer, self.at, self.turn = "", 0, 0
        self.suspect = False

    def more(self) -> bool:
        """Append the next chunk, dropping what was read; False at the end of the file."""
        part = next(self._parts, None)
        if part is None:
            return False
        self.buffer, self.at = self.buffer[self.at :] + part, 0
        self.turn += 1
        self.suspect = self.suspect or "\\u0000" in part
        return True

    def peek(self) -> str:
        """The next character that is not white space, "" at the end."""
        while True:
            self.at = _GAP.match(self.buffer, self.at).end()
            if self.at < len(self.buffer) or not self.more():
                return self.buffer[self.at : self.at + 1]


class ObjectRows:
    """The records of an NDJSON file, a JSON array of objects, or {"rows": [objects]}; cells in the order of `names`.

    `header` holds the keys met so far. With a vocabulary, `names` are its canonical names and keys are recognised as
    column names are; without, they are the file's own keys.
    """

    delimiter = None

    def __init__(self, raw: Raw, encoding: str, vocabulary: Vocabulary, as_given: bool = False):
        self.raw, self.encoding = raw, encoding
        self.vocabulary = vocabulary
        self.header: tuple[str, ...] = ()
        self.kind = "ndjson"
        self.row = 0
        self.names = self._keys() if as_given else vocabulary.names
        self._place = dict(zip(self.names, range(len(self.names)), strict=True))
        self._name = (lambda key: key) if as_given else vocabulary.canonical
        self._plans: dict[tuple[str, ...], Callable[[list[str]], tuple[str, ...]]] = {}

    @property
    def progress(self) -> float:
        return self.raw.position / self.raw.size

    def batches(self) -> Iterator[Batch]:
        """The records in batches of about a chunk. Raises FileRefused, naming the row."""
        first, turn = 1, 1
        rows: list[list[str]] = []
        text = _Text(self.raw, self.encoding)
        for record, start in self._objects(text):
            try:
                if text.suspect or text.at - start > self.raw.limits.cell_chars:
                    examine(self.row, [[*record, *map(_flat, record.values())]], self.raw.limits)
                rows.append(self._cells(record, text, start))
            except RecursionError as error:
                raise self._too_deep() from error
            if text.turn != turn:
                yield first, rows
                rows, first, turn = [], self.row + 1, text.turn
        if rows:
            yield first, rows

    def _keys(self) -> tuple[str, ...]:
        """All keys of the file in order of appearance: a reading of its own, for annotate()."""
        keys: dict[str, None] = {}
        for record, _ in self._objects(_Text(self.raw, self.encoding)):
            keys.update(dict.fromkeys(record))
            self._bound(keys)
        return tuple(keys)

    def _objects(self, text: _Text) -> Iterator[tuple[dict[str, Any], int]]:
        """Each object, and where in the buffer it began (it ends at text.at)."""
        self.row = 0
        text.peek()
        opening = _ROWS.match(text.buffer, text.at) or _ARRAY.match(text.buffer, text.at)
        self.kind = "json" if opening else "ndjson"
        if opening:
            text.at = opening.end()
        while (sign := text.peek()) not in ("", "]"):
            if opening and self.row:
                if sign != ",":
                    raise self._malformed("a comma is missing before it")
                text.at += 1
                sign = text.peek()
            self.row += 1
            if sign != "{":
                raise refuse("not_an_object", row=self.row) if sign else refuse("truncated_json", row=self.row)
            yield self._object(text)
        if opening:
            self._close(text, sign, "]" if opening.re is _ARRAY else "]}")
        elif sign:
            raise self._malformed("a bracket stands where the next object should begin")

    def _object(self, text: _Text) -> tuple[dict[str, Any], int]:
        limits = self.raw.limits
        while True:
            try:
                record, end = _scan(text.buffer, text.at)
                break
            except RecursionError as error:
                raise self._too_deep() from error
            except json.JSONDecodeError as error:
                if len(text.buffer) - text.at > limits.row_chars:
                    raise self._unreadable(text, error) from error
                if not text.more():
                    raise self._unreadable(text, error, at_end=True) from error
        start, text.at = text.at, end
        self._bound(record)
        return record, start

    def _unreadable(self, text: _Text, error: json.JSONDecodeError, at_end: bool = False) -> FileRefused:
        limits = self.raw.limits
        cut = error.msg.startswith("Unterminated string") or error.pos >= len(text.buffer.rstrip()) - 1
        if cut and at_end:
            return refuse("truncated_json", row=self.row)
        if cut:
            return refuse("row_too_long", row=self.row, limit=limits.row_chars, cell=limits.cell_chars)
        return refuse("malformed_json", row=self.row, reason=f"{error.msg[:1].lower()}{error.msg[1:]}")

    def _too_deep(self) -> FileRefused:
        return refuse("malformed_json", row=self.row, reason="it is nested too deeply")

    def _malformed(self, reason: str) -> FileRefused:
        return refuse("malformed_json", row=self.row + 1, reason=reason)

    def _close(self, text: _Text, sign: str, closing: str) -> None:
        for expected in closing:
            if sign != expected:
                raise refuse("truncated_json", row=self.row + 1) if not sign else self._malformed("something follows the last row")
            text.at += 1
            sign = text.peek()
        if sign:
            raise self._malformed("something follows the last row")

    def _bound(self, keys: dict) -> None:
        if len(keys) > self.raw.limits.columns:
            raise refuse("too_many_columns", limit=self.raw.limits.columns)

    def _cells(self, record: dict[str, Any], text: _Text, start: int) -> tuple[str, ...]:
        keys = tuple(record)
        plan = self._plans.get(keys) or self._plan(keys)
        values = [value if value.__class__ is str else as_text(value) for value in record.values()]
        if text.buffer.find("{", start + 1, text.at) >= 0:  # perhaps an object within: its numbers must be told from text
            exact = _scan_exactly(text.buffer, start)[0]
            values = [as_json(exact[key]) if value is None else value for key, value in zip(keys, values, strict=True)]
        values.append("")
        return plan(values)

    def _plan(self, keys: tuple[str, ...]) -> Callable[[list[str]], tuple[str, ...]]:
        """How to order the values of an object with these keys; -1, the value appended, stands for a missing one."""
        order = [-1] * len(self.names)
        first: dict[str, str] = {}
        for index, key in enumerate(keys):
            if not (name := self._name(key)):
                continue
            if name in first:
                raise refuse("duplicate_column", row=self.row, column=name, first=first[name], second=key)
            first[name] = key
            order[self._place[name]] = index
        self.header = tuple(dict.fromkeys((*self.header, *keys)))
        self._bound(dict.fromkeys(key for key in self.header if not is_finding_column(key)))
        plan = itemgetter(*order) if len(order) > 1 else lambda values: (values[order[0]],)
        if len(self._plans) < _PLANS:
            self._plans[keys] = plan
        return plan


def as_text(value: Any) -> str | None:
    """A JSON value as a cell: null is empty, a list of plain values is joined by semicolons; None for what holds an object."""
    if value is None:
        return ""
    if value is True or value is False:
        return "true" if value else "false"
    if isinstance(value, list):
        items = list(map(as_text, value))
        return None if None in items else ";".join(items)
    return value if isinstance(value, str) else None


def _flat(value: Any) -> str:
    """A value as the text whose length and characters are examined."""
    text = as_text(value)
    return as_json(value).replace("\\u0000", "\0") if text is None else text


def as_json(value: Any) -> str:
    """A JSON value as JSON text again, its numbers as they were written."""
    if isinstance(value, _Number):
        return str(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key, ensure_ascii=False)}: {as_json(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(as_json, value)) + "]"
    return json.dumps(value, ensure_ascii=False)
