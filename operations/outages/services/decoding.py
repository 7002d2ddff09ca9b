"""Read a CSV file of outages of DERs: shape only; the rules say the rest."""

import csv
import io
from datetime import datetime
from decimal import Decimal, InvalidOperation
from uuid import UUID

from django.utils.dateparse import parse_datetime
from django.utils.timezone import is_naive, make_aware

from moc.errors import UserError
from operations.outages.models import DerOutage
from operations.outages.services.ders import Told

COLUMNS = ("der", "kind", "cause", "starts_at", "expected_until", "available_kw", "reason", "notified")
MOST, MOST_BYTES = 10_000, 8 * 2**20


class Unreadable(UserError):
    """A file of which no outages can be read."""

    code = "OUT-FORM"


def rows_of(content: bytes) -> list[Told]:
    """The outages of a file. Local times count as the state's. Raises Unreadable, naming the row."""
    try:
        reader = csv.DictReader(io.StringIO(content.decode("utf-8-sig")), strict=True)
        rows = list(reader)
    except (UnicodeDecodeError, csv.Error) as error:
        raise Unreadable("The file is no CSV in UTF-8.", f"Send the columns {', '.join(COLUMNS)}.") from error
    unknown = set(reader.fieldnames or ()) - set(COLUMNS)
    if unknown or not rows or len(rows) > MOST:
        raise Unreadable(
            "The file has no rows, too many, or columns that are not known.", f"Send up to {MOST:,} rows of {', '.join(COLUMNS)}."
        )
    return [_read(number, row) for number, row in enumerate(rows, start=1)]


def _read(number: int, row: dict) -> Told:
    said = {name: (row.get(name) or "").strip() for name in COLUMNS}
    try:
        said["der"] = str(UUID(said["der"]))
        said["starts_at"], said["expected_until"] = _moment(said["starts_at"]), said["expected_until"] and _moment(said["expected_until"])
        said["available_kw"] = Decimal(said["available_kw"] or 0)
        known = said["kind"] in DerOutage.Kind.values and said["cause"] in DerOutage.Cause.values
        fits = said["reason"] and len(said["reason"]) <= 300 and len(said["notified"]) <= 200
        if not known or not fits or not 0 <= said["available_kw"] < 10**9:
            raise ValueError
    except (ValueError, InvalidOperation) as error:
        raise Unreadable(f"Row {number} is no outage.", "Look at its DER id, kind, cause, times, kW and reason.") from error
    return Told(**said | {"expected_until": said["expected_until"] or None})


def _moment(text: str) -> datetime:
    found = parse_datetime(text)
    if found is None:
        raise ValueError(text)
    return make_aware(found) if is_naive(found) else found
