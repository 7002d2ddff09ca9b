"""JSON with numbers for quantities (at most 14 digits: exact as IEEE doubles), and moments in UTC; CSV where Accept asks for it."""

import json
from collections.abc import Iterable, Iterator
from decimal import Decimal

from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.utils.encoders import JSONEncoder

from moc import sheets


class Encoder(JSONEncoder):
    """Quantities are numbers."""

    def default(self, obj):
        if isinstance(obj, Decimal):
            return float(obj)
        return super().default(obj)


class Json(JSONRenderer):
    """What the API answers when nothing else is asked for."""

    encoder_class = Encoder


class Csv(BaseRenderer):
    """A record, or records, as a table; a whole list is streamed (moc.rest.pages)."""

    media_type, format, charset = "text/csv", "csv", "utf-8"

    def render(self, data, accepted_media_type=None, renderer_context=None) -> bytes:
        rows = data if isinstance(data, list) else [] if data is None else [data]
        return b"".join(table(rows, list(rows[0]) if rows else []))


def table(rows: Iterable[dict], names: list[str]) -> Iterator[bytes]:
    """Rows as CSV with a header, in blocks; what is nested is JSON in its cell."""
    yield from sheets.csv_rows([names])
    yield from sheets.csv_rows(([_cell(row.get(name)) for name in names] for row in rows), bom=False)


def _cell(value):
    return json.dumps(value, cls=Encoder, ensure_ascii=False) if isinstance(value, dict | list | tuple) else value
