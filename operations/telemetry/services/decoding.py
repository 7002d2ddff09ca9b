"""From a body (JSON, NDJSON or CSV) to lines for COPY, row by row. What is no reading by its form is refused here, one by one."""

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache

from moc.errors import UserError
from moc.rules import Rule
from operations.telemetry import rules
from operations.telemetry.models import Told

MOST_ROWS = 100_000
DER_COLUMNS = "row_number der event_at published_at source quality operating p_kw q_kvar soc_percent up_kw down_kw interval_s".split()
SUBJECT_COLUMNS = "row_number kind name edc event_at published_at source quality p_kw q_kvar up_kw down_kw voltage_pu interval_s".split()
SUBJECTS = ("aggregation", "feeder", "transformer", "td_interface")
EVERYWHERE = frozenset("at published_at source quality p_kw q_kvar up_kw down_kw interval_s unit".split())
OF_DERS = EVERYWHERE | {"der", "operating", "soc_percent"}
OF_SUBJECTS = EVERYWHERE | {*SUBJECTS, "edc", "voltage_pu"}
KNOWN = OF_DERS | OF_SUBJECTS
UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}").fullmatch
CODE = re.compile(r"[^\0\",\r\n]{1,40}").fullmatch
SOURCES, QUALITIES, OPERATING = (
    {value: str(position) for position, value in enumerate(kind.values, 1)} for kind in (Told.Source, Told.Quality, Told.Operating)
)
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
    """Lines of CSV for COPY, of DERs and of other subjects, and (row number, rule) of what is refused; rows count from 1."""

    ders: list[str] = field(default_factory=list)
    subjects: list[str] = field(default_factory=list)
    refused: list[tuple[int, Rule]] = field(default_factory=list)


def decode(rows: Iterable) -> Decoded:
    """The rows as lines. Raises Unreadable for more than MOST_ROWS."""
    found = Decoded()
    for number, row in enumerate(rows, 1):
        if number > MOST_ROWS:
            raise Unreadable(f"A batch has at most {MOST_ROWS:,} rows.", "Send several batches.")
        try:
            if not isinstance(row, dict):
                raise Refused(rules.FORM)
            if row.get("der"):
                found.ders.append(f"{number},{_of_der(row)}\n")
            else:
                found.subjects.append(f"{number},{_of_subject(row)}\n")
        except Refused as refusal:
            found.refused.append((number, refusal.rule))
    return found


def _of_der(row: dict) -> str:
    _check_columns(row, OF_DERS)
    der, get = row["der"], row.get
    if not isinstance(der, str) or not UUID(der):
        raise Refused(rules.DER)
    operating = _choice(get("operating") or "on", OPERATING)
    values = (
        f"{_power(get('p_kw'))},{_number(get('q_kvar'))},{_number(get('soc_percent'))},{_number(get('up_kw'))},{_number(get('down_kw'))}"
    )
    return f"{der},{_shared(get)},{operating},{values},{_seconds(get('interval_s'))}"


def _of_subject(row: dict) -> str:
    """A reading of exactly one of SUBJECTS, named by its id (aggregations) or its code, with its utility's slug where that is needed."""
    _check_columns(row, OF_SUBJECTS)
    named = [kind for kind in SUBJECTS if row.get(kind)]
    if len(named) != 1:
        raise Refused(rules.FORM)
    kind, get = named[0], row.get
    name, edc = get(kind), get("edc") or ""
    fits = UUID if kind == "aggregation" else CODE
    if not (isinstance(name, str) and isinstance(edc, str) and fits(name) and (not edc or CODE(edc))):
        raise Refused(rules.SUBJECT)
    values = (
        f"{_power(get('p_kw'))},{_number(get('q_kvar'))},{_number(get('up_kw'))},{_number(get('down_kw'))},{_number(get('voltage_pu'))}"
    )
    return f'{kind},"{name}","{edc}",{_shared(get)},{values},{_seconds(get("interval_s"))}'


def _check_columns(row: dict, known: frozenset) -> None:
    """A column of another kind of subject may stand in a table, empty."""
    if not row.keys() <= known and any(name not in KNOWN or row[name] not in (None, "") for name in row.keys() - known):
        raise Refused(rules.FORM)


def _shared(get) -> str:
    """Moment, publication, source and quality, with the unit checked."""
    at, published = _moment(get("at")), get("published_at")
    source, quality = _choice(get("source") or "platform", SOURCES), _choice(get("quality") or "good", QUALITIES)
    if (get("unit") or "kW") != "kW":
        raise Refused(rules.UNIT)
    return f"{at},{_moment(published) if published else at},{source},{quality}"


def _choice(value, codes: dict[str, str]) -> str:
    if type(value) is not str or value not in codes:
        raise Refused(rules.CHOICE)
    return codes[value]


def _power(value) -> str:
    if value is None or value == "":
        raise Refused(rules.NUMBER)
    return _number(value)


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
    if text and not 1 <= float(text) <= LONGEST_S:
        raise Refused(rules.NUMBER)
    return str(int(float(text))) if text else ""


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
    if len(set(header)) < len(header) or not {"der", *SUBJECTS} & set(header):
        raise Unreadable("The header names a column twice, or nothing that is measured.", f"Known are {', '.join(sorted(KNOWN))}.")
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
