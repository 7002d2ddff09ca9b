"""Interval data from files: Green Button (ESPI) XML and CSV of meters. What comes out are intervals: point, beginning, minutes, kWh."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import iterparse

from moc.errors import UserError

ESPI = "{http://naesb.org/espi}"
WATT_HOURS, DELIVERED, RECEIVED = 72, 1, 19  # uom; flowDirection: to the customer, from the customer
HEADER = ("usage_point_id", "starts_at", "minutes", "kwh")
MINUTES = (5, 10, 15, 30, 60)
LARGEST_KWH, MOST = 1e6, 2_000_000


class Unreadable(UserError):
    """A file of which no interval data can be read."""

    code = "METER-FILE"


@dataclass(frozen=True)
class Interval:
    """Energy of a meter in an interval (kWh, injection positive as everywhere: consumption is negative)."""

    point: str
    starts_at: datetime
    minutes: int
    kwh: float


def read(name: str, content: bytes, point: str = "") -> list[Interval]:
    """The intervals of a file by the ending of its name. `point`: the service point of a Green Button file, which names none of ours.

    Raises Unreadable, naming the row."""
    found = list(_green_button(content, point) if name.lower().endswith(".xml") else _table(content))
    if not found:
        raise Unreadable("The file holds no interval data.", "Send a Green Button file, or a CSV with " + ", ".join(HEADER) + ".")
    return found


def _table(content: bytes) -> Iterator[Interval]:
    try:
        rows = csv.DictReader(io.StringIO(content.decode("utf-8-sig")))
        if set(rows.fieldnames or ()) != set(HEADER):
            raise Unreadable("The columns are not those of meter data.", f"Send {', '.join(HEADER)}.")
        for number, row in enumerate(rows, 1):
            if number > MOST:
                raise Unreadable(f"A file has at most {MOST:,} rows.", "Send several files.")
            yield _interval(row.get("usage_point_id"), row.get("starts_at"), row.get("minutes"), row.get("kwh"), number)
    except (UnicodeDecodeError, csv.Error) as error:
        raise Unreadable("The file is no CSV in UTF-8.", f"Send {', '.join(HEADER)}.") from error


def _interval(point, starts_at, minutes, kwh, number: int) -> Interval:
    try:
        found = Interval(point or "", datetime.fromisoformat(starts_at or ""), int(minutes or ""), float(kwh or ""))
    except ValueError as error:
        raise Unreadable(f"Row {number} is no interval.", "Give an id, a time with offset, whole minutes and kWh.") from error
    if not found.point or found.starts_at.tzinfo is None or found.minutes not in MINUTES or not abs(found.kwh) < LARGEST_KWH:
        raise Unreadable(f"Row {number} is no interval.", f"Times have an offset; minutes are one of {', '.join(map(str, MINUTES))}.")
    return Interval(found.point, found.starts_at.astimezone(UTC), found.minutes, found.kwh)


def _green_button(content: bytes, point: str) -> Iterator[Interval]:
    """Energy in Wh times a power of ten; one meter reading to the customer, and perhaps one from it, which are netted when stored."""
    if not point:
        raise Unreadable("A Green Button file names no service point of ours.", "Say which service point it is of.")
    sign, scale = -1, 1.0
    try:
        for _, element in iterparse(io.BytesIO(content), forbid_dtd=True):
            if element.tag == f"{ESPI}ReadingType":
                sign, scale = _type(element)
            elif element.tag == f"{ESPI}IntervalBlock":
                yield from _block(element, point, sign, scale)
                element.clear()
    except (ParseError, DefusedXmlException) as error:
        raise Unreadable("The file is no XML that is read.", "Send it as the utility's portal gives it.") from error


def _type(element: Element) -> tuple[int, float]:
    uom, power, direction = (int(element.findtext(f"{ESPI}{name}") or default) for name, default in _TYPE)
    if uom != WATT_HOURS or direction not in (DELIVERED, RECEIVED):
        raise Unreadable("The readings are no energy to or from the customer.", "Send interval energy in Wh.")
    return (-1 if direction == DELIVERED else 1), 10.0**power / 1000


_TYPE = (("uom", WATT_HOURS), ("powerOfTenMultiplier", 0), ("flowDirection", DELIVERED))


def _block(block: Element, point: str, sign: int, scale: float) -> Iterator[Interval]:
    for number, reading in enumerate(block.iter(f"{ESPI}IntervalReading"), 1):
        start, seconds = reading.findtext(f"{ESPI}timePeriod/{ESPI}start"), reading.findtext(f"{ESPI}timePeriod/{ESPI}duration")
        try:
            at, minutes = datetime.fromtimestamp(int(start or ""), UTC), int(seconds or "") // 60
            kwh = sign * scale * float(reading.findtext(f"{ESPI}value") or "")
        except (ValueError, OverflowError, OSError) as error:
            raise Unreadable(f"Reading {number} of a block is no interval.", "Send it as the utility's portal gives it.") from error
        if minutes not in MINUTES or not abs(kwh) < LARGEST_KWH:
            raise Unreadable(f"Reading {number} of a block has {minutes} minutes.", f"Read are {', '.join(map(str, MINUTES))}.")
        yield Interval(point, at, minutes, kwh)
