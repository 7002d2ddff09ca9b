"""Statistics that a large file needs are as fresh as the tables that it meets."""

import pytest
from django.db import connection

from moc.bulk import known_rows, refresh
from moc.history import acting
from registry.grid.models import County


def known() -> int:
    """How many rows the planner believes there are; what this connection has written is told to the server first."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")
    return known_rows([County])[County]


def counties(first: int, last: int) -> None:
    with acting(None, "system: test"):
        County.objects.bulk_create(County(fips=f"{number:05}", name="A", state="NJ") for number in range(first, last))


@pytest.mark.django_db(transaction=True)
def test_a_table_that_grew_is_looked_at_and_one_that_did_not_is_left_alone():
    """N13: a file that comes right after thousands of rows were loaded is not joined by what was known of a handful."""
    counties(0, 2)
    before = known()
    refresh({County: ("fips",)})
    assert known() == before
    counties(2, 3_000)
    known()
    refresh({County: ("fips",)})
    assert known() == 3_000
