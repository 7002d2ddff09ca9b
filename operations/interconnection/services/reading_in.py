"""Settings read back in by the batch: each row is taken or refused by itself, the good ones are kept as a set."""

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from django.utils import timezone
from django.utils.dateparse import parse_datetime

from moc.access import policy
from moc.errors import UserError
from operations.interconnection.services import reading_back
from operations.interconnection.services.reading_back import LIMITS, Told
from operations.telemetry.services.decoding import Unreadable, rows_of
from registry.ders import inverters
from registry.ders.models import Der

MOST_ROWS, MOST_KW = 10_000, 1e6
COLUMNS = ("der", "at", "source", *inverters.KINDS, *LIMITS)
NESTED = ("der", "at", "source", "inverter_settings", *LIMITS)


@dataclass(frozen=True)
class Taken:
    """What became of a batch: rows received, kept anew, known already, and refused as (row number, code, sentence, remedy)."""

    received: int
    stored: int
    known: int
    refused: list[tuple[int, str, str, str]]


def take_in(*, actor, name: str, content: bytes) -> Taken:
    """Keep the settings of a body, JSON, NDJSON or CSV by the ending of its name. The same body again keeps nothing.

    Raises NotPermitted, and Unreadable for a body of which no rows can be read."""
    policy.require(actor, reading_back.PERMISSION)
    rows = list(_csv(content) if name.endswith(".csv") else rows_of(name, content))
    if len(rows) > MOST_ROWS:
        raise Unreadable(f"A batch has at most {MOST_ROWS:,} rows.", "Send several batches.")
    ders, good, refused = _ders(actor, rows), [], []
    for number, row in enumerate(rows, 1):
        try:
            good.append((number, _told(row, ders)))
        except UserError as wrong:
            refused.append((number, wrong.code, wrong.sentence, wrong.remedy))
    kept, made = reading_back.keep(actor=actor, readings=[one for _, one in good]) if good else ({}, 0)
    for number, one in good:
        if not one.says(kept[one.key]):
            words = ("at: another reading of this DER and moment is kept.", "Give when the inverter was read anew.")
            refused.append((number, "READBACK-CHANGED", *words))
    known = len(rows) - made - len(refused)
    return Taken(len(rows), made, known, sorted(refused))


def _ders(actor, rows: list) -> dict[str, Der]:
    """The DERs of the body for which the actor speaks, by id."""
    named = {found for row in rows if isinstance(row, dict) and (found := _uuid(row.get("der")))}
    mine = Der.objects.filter(aggregator__in=policy.reach(actor, reading_back.PERMISSION), uuid__in=named)
    return {str(der.uuid): der for der in mine}


def _uuid(text) -> UUID | None:
    try:
        return UUID(text) if isinstance(text, str) else None
    except ValueError:
        return None


def _told(row, ders: dict[str, Der]) -> Told:
    """A row as a reading. Raises UserError."""
    if not isinstance(row, dict):
        raise UserError("The row is no reading.", f"Send an object with {', '.join(NESTED)}.", "READBACK-FORM")
    if unknown := [name for name in row if name not in (*COLUMNS, "inverter_settings")]:
        raise UserError(f"{str(unknown[0])[:40]}: there is no such field.", f"Send {', '.join(NESTED)}.", "READBACK-FORM")
    der = ders.get(str(_uuid(row.get("der"))))
    if der is None:
        raise UserError("der: none of yours has this id.", "Send the id of a DER that is yours.", "READBACK-DER")
    settings = row.get("inverter_settings")
    settings = {name: row[name] for name in inverters.KINDS if name in row} if settings is None else settings
    said = {name: _limit(name, row.get(name)) for name in LIMITS}
    source = {"source": row["source"]} if row.get("source") else {}
    return reading_back.told(der, _moment(row.get("at")), settings, **source, **said)


def _moment(text):
    try:
        found = parse_datetime(text) if isinstance(text, str) else None
    except ValueError:
        found = None
    if found is None or timezone.is_naive(found):
        raise UserError("at: this is no moment with an offset.", "Write it as 2027-07-01T12:00:00Z.", "READBACK-AT")
    return found


def _limit(name: str, value) -> float | None:
    if value in (None, ""):
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= MOST_KW:
        raise UserError(f"{name}: this is no limit.", f"Give kW from 0 to {MOST_KW:,.0f}, or leave it out.", "READBACK-LIMIT")
    return float(value)


def _csv(content: bytes) -> Iterator[dict | None]:
    """Rows by the header's names: numbers and curves written as JSON, as in a decision file; empty cells are left out."""
    try:
        reader = csv.reader(io.StringIO(content.decode("utf-8-sig")))
        header = [name.strip() for name in next(reader, [])]
        lines = [line for line in reader if line]
    except (UnicodeDecodeError, csv.Error) as error:
        raise Unreadable("The body is no CSV in UTF-8.", "Send a header and one row a reading.") from error
    unknown = [name for name in header if name not in COLUMNS]
    if unknown or len(set(header)) < len(header) or not {"der", "at"} <= set(header):
        words = f"There is no column {unknown[0][:40]!r}." if unknown else "The header names a column twice, or lacks der or at."
        raise Unreadable(words, f"Columns are {', '.join(COLUMNS)}.")
    for line in lines:
        yield {name: _cell(name, text) for name, text in zip(header, line, strict=True) if text} if len(line) == len(header) else None


def _cell(name: str, text: str):
    """A value of a cell; what is no JSON stays text, and is refused by its field."""
    if name in ("der", "at", "source"):
        return text.strip()
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
