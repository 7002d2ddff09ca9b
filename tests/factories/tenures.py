"""Days that pass: what was recorded, and the tenures, move into the past; for tests that commit."""

from datetime import date, datetime

import psycopg
from django.conf import settings
from django.db import connection

from registry.ders.models import Der, DerTenure

RECORDED = [model._meta.db_table for model in (Der.history.model, DerTenure.history.model)]
TENURES = [model._meta.db_table for model in (DerTenure, DerTenure.history.model)]


def _past(statement: str, *values) -> None:
    """Nobody but the superuser, with all triggers at rest, rewrites the past."""
    with psycopg.connect(settings.DATABASE_SUPERUSER_URL, dbname=connection.settings_dict["NAME"]) as server:
        server.execute("SET session_replication_role = replica")
        server.execute(statement, values)


def days_pass(days: int) -> None:
    """So many days later: every version and every tenure lies that much further back."""
    for table in RECORDED:
        _past(f"UPDATE {table} SET history_date = history_date - make_interval(days => %s)", days)
    for table in TENURES:
        _past(f"UPDATE {table} SET valid_during = daterange(lower(valid_during) - %s, upper(valid_during) - %s)", days, days)


def recorded_at(history_id: int, moment: datetime) -> None:
    """A version of a DER was written at this moment."""
    _past(f"UPDATE {Der.history.model._meta.db_table} SET history_date = %s WHERE history_id = %s", moment, history_id)


def ends_on(tenure: int, upper: date) -> None:
    """A tenure was given this first day without it."""
    _past(f"UPDATE {TENURES[0]} SET valid_during = daterange(lower(valid_during), %s), is_first = FALSE WHERE id = %s", upper, tenure)
