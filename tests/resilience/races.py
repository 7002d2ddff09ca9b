"""Two people act at the same moment, over real connections: the second comes when the first has written and not yet committed."""

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event

import psycopg
from django.conf import settings
from django.db import connection, transaction

from moc import sight
from moc.errors import UserError

PATIENCE_S = 20
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND wait_event_type = 'Lock'"


def one_after_the_other(first: Callable, second: Callable) -> list:
    """[what came of the first, what came of the second]: results, or refusals (UserError).

    The first keeps its transaction open until the second waits for one of its locks, or has ended without.
    """
    wrote, go = Event(), Event()

    def held():
        with transaction.atomic():
            try:
                return _told(first)
            finally:
                wrote.set()
                go.wait(PATIENCE_S)

    with ThreadPoolExecutor(2) as pool:
        ahead = pool.submit(_closing, held)
        assert wrote.wait(PATIENCE_S)
        behind = pool.submit(_closing, lambda: _told(second))
        _wait_until_blocked(behind)
        go.set()
        return [ahead.result(PATIENCE_S), behind.result(PATIENCE_S)]


def _told(wish: Callable):
    try:
        with transaction.atomic():
            return wish()
    except UserError as refused:
        return refused


@sight.engine()  # as services have it; a thread begins with none
def _closing(wish: Callable):
    try:
        return wish()
    finally:
        connection.close()


def _wait_until_blocked(behind: Future) -> None:
    database, until = connection.settings_dict["NAME"], time.monotonic() + PATIENCE_S
    with psycopg.connect(settings.DATABASE_SUPERUSER_URL, dbname=database, autocommit=True) as direct:
        while not behind.done() and not direct.execute(WAITING, [database]).fetchone()[0]:
            assert time.monotonic() < until, "the second neither waits nor ends"
            time.sleep(0.01)
