"""Readings as parties send them."""

import csv
import io
import json
from datetime import datetime, timedelta

from django.utils import timezone

from operations.telemetry.services import taking_in
from operations.telemetry.services.taking_in import Taken
from registry.ders.models import Der


def moment(minutes_ago: float = 1) -> datetime:
    return (timezone.now() - timedelta(minutes=minutes_ago)).replace(microsecond=0)


def reading(der: Der, /, **said) -> dict:
    """One reading as JSON holds it."""
    return {"der": str(der.uuid), "at": moment().isoformat(), "p_kw": 3.5} | said


def ndjson(rows: list) -> bytes:
    return "\n".join(map(json.dumps, rows)).encode()


def as_csv(rows: list[dict]) -> bytes:
    out = io.StringIO()
    writer = csv.DictWriter(out, fieldnames=list(dict.fromkeys(key for row in rows for key in row)))
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def sent(actor, *rows) -> Taken:
    """Readings taken in as NDJSON."""
    return taking_in.take_in(actor=actor, name="api.ndjson", content=ndjson(list(rows)))


def codes(taken: Taken) -> list[tuple[int, str]]:
    return [(number, rule.code) for number, rule in taken.refused]
