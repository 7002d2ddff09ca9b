"""Read a CSV file of outages of DERs: shape only; the rules say the rest."""

import csv
import io
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from uuid import UUID

from django.utils.dateparse import parse_datetime
from django.utils.timezone import is_naive, make_aware

from moc.errors import UserError
from moc.units import counted
from operations.outages import rules
from operations.outages.models import DerOutage
from operations.outages.services.ders import Told, Unread

COLUMNS = ("der", "kind", "cause", "starts_at", "expected_until", "available_kw", "reason", "notified")
MOST, MOST_BYTES = 10_000, 8 * 2**20


class Unreadable(UserError):
    """A file of which no outages can be read."""

    code = "OUT-FORM"


def rows_of(content: bytes) -> list[Told | Unread]:
    """The rows of a file. Local times count as the state's. Raises Unreadable for a file that has no rows of outages."""
    try:
        if b"\0" in content:
            raise csv.Error("a zero byte")
        reader = csv.DictReader(io.StringIO(content.decode("utf-8-sig")), strict=True)
        rows = list(reader)
    except (UnicodeDecodeError, csv.Error) as error:
        raise Unreadable("The file is no CSV in UTF-8.", f"Send the columns {', '.join(COLUMNS)}.") from error
    send = f"Send up to {MOST:,} rows of {', '.join(COLUMNS)}."
    if unknown := [str(name) for name in reader.fieldnames or () if name not in COLUMNS]:
        raise Unreadable(f"The file has columns that are not known: {', '.join(unknown)[:200]}.", send)
    if not rows or len(rows) > MOST:
        raise Unreadable(f"The file has {counted(len(rows), 'rows')} of outages.", send)
    return [_read(row) for row in rows]


def _read(row: dict) -> Told | Unread:
    """A row as an outage, or every value of it that is none."""
    said = {name: (row.get(name) or "").strip() for name in COLUMNS}
    wrong, found = [(rules.FORM, ", ".join(row[None]))] if row.get(None) else [], {}
    for name, (rule, reader) in READERS.items():
        try:
            found[name] = reader(said[name])
        except (ValueError, OverflowError, InvalidOperation):
            wrong.append((rule, said[name]))
    return Unread(tuple(wrong)) if wrong else Told(**found)


def _der(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        return _words(1, 64)(text)


def _moment(text: str) -> datetime:
    found = parse_datetime(text)
    if found is None:
        raise ValueError(text)
    return (make_aware(found) if is_naive(found) else found).astimezone(UTC)


def _kw(text: str) -> Decimal:
    found = Decimal(text or 0)
    if not 0 <= found < 10**9:
        raise ValueError(text)
    return found


def _among(values: list[str]) -> Callable[[str], str]:
    return lambda text: values[values.index(text)]


def _words(least: int, most: int) -> Callable[[str], str]:
    def reader(text: str) -> str:
        if not least <= len(text) <= most:
            raise ValueError(text)
        return text

    return reader


READERS = {
    "der": (rules.DER, _der),
    "kind": (rules.KIND, _among(DerOutage.Kind.values)),
    "cause": (rules.CAUSE, _among(DerOutage.Cause.values)),
    "starts_at": (rules.START, _moment),
    "expected_until": (rules.RETURN, lambda text: _moment(text) if text else None),
    "available_kw": (rules.KW, _kw),
    "reason": (rules.REASON, _words(1, 300)),
    "notified": (rules.NOTIFIED, _words(0, 200)),
}
