"""From a body (JSON, NDJSON or CSV) to lines for COPY. What is no reading by its form is refused here, one by one."""

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from itertools import chain

from moc.errors import UserError
from moc.rules import Rule
from operations.telemetry import rules
from operations.telemetry.models import Told

MOST_ROWS = 100_000
COLUMNS = "row_number der event_at published_at source quality operating p_kw q_kvar soc_percent up_kw down_kw interval_s".split()
KNOWN = frozenset("der at published_at source quality operating p_kw q_kvar soc_percent up_kw down_kw interval_s unit".split())
OPTIONAL = ("q_kvar", "soc_percent", "up_kw", "down_kw")
UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}").fullmatch
SOURCES, QUALITIES, OPERATING = (frozenset(kind.values) for kind in (Told.Source, Told.Quality, Told.Operating))
LARGEST, LONGEST_S = 1e9, 86_400


class Unreadable(UserError):
    """A body of which no rows can be read."""

    code = "TEL-BODY"


class Refused(Exception):
    """A row that is no reading, and the rule that says why."""

    def __init__(self, rule: Rule):
        self.rule = rule


@dataclass
class Decoded:
    """Lines of CSV for COPY, and (row number, rule) of what is refused; rows count from 1."""

    lines: list[str] = field(default_factory=list)
    refused: list[tuple[int, Rule]] = field(default_factory=list)


def decode(rows: Iterable) -> Decoded:
    """The rows as lines. Raises Unreadable for more than MOST_ROWS."""
    found = Decoded()
    for number, row in enumerate(rows, 1):
        if number > MOST_ROWS:
            raise Unreadable(f"A batch has at most {MOST_ROWS:,} rows.", "Send several batches.")
        try:
            found.lines.append(f"{number},{_line(row)}\n")
        except Refused as refusal:
            found.refused.append((number, refusal.rule))
    return found


def _line(row: dict) -> str:
    if not isinstance(row, dict) or not row.keys() <= KNOWN:
        raise Refused(rules.FORM)
    get = row.get
    der, power = get("der"), get("p_kw")
    if not isinstance(der, str) or not UUID(der):
        raise Refused(rules.DER if der else rules.FORM)
    at = _moment(get("at"))
    published = get("published_at")
    source, quality, operating = get("source") or "platform", get("quality") or "good", get("operating") or "on"
    if type(source) is not str or type(quality) is not str or type(operating) is not str:
        raise Refused(rules.CHOICE)
    if not (source in SOURCES and quality in QUALITIES and operating in OPERATING):
        raise Refused(rules.CHOICE)
    if (get("unit") or "kW") != "kW":
        raise Refused(rules.UNIT)
    if power is None or power == "":
        raise Refused(rules.NUMBER)
    rest = ",".join([_number(get(name)) for name in OPTIONAL])
    every = get("interval_s")
    seconds = "300" if every is None or every == "" else _seconds(every)
    return f"{der},{at},{_moment(published) if published else at},{source},{quality},{operating},{_number(power)},{rest},{seconds}"


def _moment(text) -> str:
    found = _read_moment(text) if type(text) is str else ""
    if not found:
        raise Refused(rules.TIME)
    return found


@lru_cache(maxsize=1024)  # the moments of a batch are few
def _read_moment(text: str) -> str:
    """A moment as PostgreSQL reads it; empty for what is none, or has no offset."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return ""
    return moment.isoformat() if moment.tzinfo else ""


def _number(value) -> str:
    if value is None or value == "":
        return ""
    if type(value) is float or type(value) is int:
        if -LARGEST < value < LARGEST:
            return repr(value)
    elif isinstance(value, str) and "_" not in value:
        try:
            return _number(float(value))
        except ValueError:
            pass
    raise Refused(rules.NUMBER)


def _seconds(value) -> str:
    text = _number(value)
    if not 1 <= float(text) <= LONGEST_S:
        raise Refused(rules.NUMBER)
    return str(int(float(text)))


def rows_of(name: str, content: bytes) -> Iterator:
    """The rows of a body by the ending of its name. Raises Unreadable; a line of NDJSON that is no JSON is a row that is no reading."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable("The body is not UTF-8.", "Encode it as UTF-8.") from error
    if name.endswith(".csv"):
        return _csv(text)
    return map(_parsed, filter(None, map(str.strip, text.split("\n")))) if name.endswith(".ndjson") else _json(text)


def _parsed(line: str):
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _json(text: str) -> Iterator:
    try:
        rows = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Unreadable("The body is no JSON.", "Send an array of readings, or one reading a line as NDJSON.") from error
    rows = rows.get("rows") if isinstance(rows, dict) else rows
    if not isinstance(rows, list):
        raise Unreadable("The body is no array of readings.", 'Send [{"der": …, "at": …, "p_kw": …}, …].')
    return iter(rows)


def _csv(text: str) -> Iterator:
    """Rows by the header's names; a row with more or fewer cells is no reading."""
    reader = csv.reader(io.StringIO(text))
    try:
        header = [name.strip() for name in next(reader, [])]
    except csv.Error as error:
        raise Unreadable("The body is no CSV.", "Send a header and one row a reading.") from error
    if unknown := [name for name in header if name not in KNOWN]:
        raise Unreadable(f"There is no column {unknown[0][:40]!r}.", f"Known are {', '.join(sorted(KNOWN))}.")
    if len(set(header)) < len(header) or "der" not in header:
        raise Unreadable("The header names a column twice, or not der.", f"Known are {', '.join(sorted(KNOWN))}.")
    return _cells(reader, header)


def _cells(reader, header: list[str]) -> Iterator:
    width = len(header)
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error:
            yield None
            continue
        if row:
            yield dict(zip(header, row, strict=True)) if len(row) == width else None


def lines_of(decoded: Decoded) -> Iterator[bytes]:
    """The lines in one block for COPY."""
    return chain(["".join(decoded.lines).encode()])
