"""Kills a piece of work at its n-th step, and compares what the database holds with what it may hold.

The work runs in a child process. Its steps are found as it runs: each statement that it sends, and each commit. It is killed before
a step by a strike: SIGKILL of the worker itself, the end of its server process, or of PostgreSQL as a whole (`server.py`).
"""

import json
import os
import re
import signal
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

import psycopg
from django.conf import settings
from django.db import Error, connection, connections
from psycopg import sql

from tests.database import filled_of

# what differs from run to run (keys and what they seal too), or says only how far a job is
VOLATILE_TYPES = ("bigint", "uuid", "bytea", "timestamp with time zone", "xid8", "USER-DEFINED")
RANDOM = re.compile(r"(documents/[0-9a-f]{2}/)?[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}|\d{4}-\d\d-\d\dT[\d:.+Z]+")
SAVEPOINT, COMMIT = re.compile(r'"s\d+_x\d+"'), "COMMIT"
APART = {"moc_cache", "django_migrations", "django_content_type", "auth_permission", "django_session"}
JOB_PROGRESS = {"arguments", "attempts", "phase"}
COLUMNS = """
    SELECT c.table_name, array_agg(c.column_name::text ORDER BY c.ordinal_position) FILTER (WHERE c.is_generated = 'NEVER'),
        array_agg(c.column_name::text ORDER BY c.ordinal_position) FILTER (WHERE NOT c.data_type = ANY(%s))
    FROM information_schema.columns AS c JOIN information_schema.tables AS t USING (table_schema, table_name)
    WHERE c.table_schema = 'public' AND t.table_type = 'BASE TABLE' GROUP BY c.table_name ORDER BY c.table_name
"""


def _direct() -> psycopg.Connection:
    return psycopg.connect(settings.DATABASE_SUPERUSER_URL, dbname=connection.settings_dict["NAME"], autocommit=True)


@dataclass
class Database:
    """The test database, read and put back by the superuser."""

    stored: dict[str, list[str]] = field(default_factory=dict)
    told: dict[str, list[str]] = field(default_factory=dict)
    kept: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        with self.direct() as direct:
            for table, stored, told in direct.execute(COLUMNS, [list(VOLATILE_TYPES)]):
                if table not in APART:
                    self.stored[table] = stored
                    self.told[table] = [name for name in told or () if not (table == "moc_job" and name in JOB_PROGRESS)]

    def direct(self) -> psycopg.Connection:
        """A connection of its own."""
        return _direct()

    def state(self) -> dict[str, list[str]]:
        """What each table that has rows says, without ids and moments, in no order."""
        found: dict[str, list[str]] = {}
        with self.direct() as direct, direct.transaction():
            direct.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            if filled := filled_of(direct, self.told):
                for table, said in direct.execute(sql.SQL(" UNION ALL ").join(_told(table, self.told[table]) for table in filled)):
                    found.setdefault(table, []).append(RANDOM.sub("", said))
        return {table: sorted(rows) for table, rows in found.items()}

    def keep(self) -> None:
        """Remember every row as it is."""
        with self.direct() as direct, direct.transaction():
            self.kept = filled_of(direct, self.stored)
            copies = [sql.SQL("CREATE TABLE kept.{0} AS TABLE public.{0}").format(sql.Identifier(table)) for table in self.kept]
            direct.execute(sql.SQL("; ").join([sql.SQL("DROP SCHEMA IF EXISTS kept CASCADE; CREATE SCHEMA kept"), *copies]))

    def put_back(self) -> None:
        """Every row as it was remembered, with its id; no trigger runs."""
        with self.direct() as direct, direct.transaction():
            gone = [sql.SQL("DELETE FROM public.{0}").format(sql.Identifier(table)) for table in filled_of(direct, self.stored)]
            back = [_put_back(table, self.stored[table]) for table in self.kept]
            direct.execute(sql.SQL("; ").join([sql.SQL("SET LOCAL session_replication_role = replica"), *gone, *back]))

    def forget(self) -> None:
        """Remove what was remembered."""
        with self.direct() as direct:
            direct.execute("DROP SCHEMA IF EXISTS kept CASCADE")


def _told(table: str, names: list[str]) -> sql.Composable:
    return sql.SQL("SELECT {}, to_jsonb(said)::text FROM (SELECT {} FROM public.{}) AS said").format(
        sql.Literal(table), sql.SQL(", ").join(map(sql.Identifier, names)), sql.Identifier(table)
    )


def _put_back(table: str, names: list[str]) -> sql.Composable:
    columns, name = sql.SQL(", ").join(map(sql.Identifier, names)), sql.Identifier(table)
    return sql.SQL("INSERT INTO public.{0} ({1}) OVERRIDING SYSTEM VALUE SELECT {1} FROM kept.{0}").format(name, columns)


class Steps:
    """Counts the steps of this process's work, and calls `strike` before the chosen one."""

    def __init__(self, chosen: int, strike: Callable[[], None], say: Callable[[dict], None], look: Callable | None = None):
        self.chosen, self.strike, self.say, self.look, self.number = chosen, strike, say, look, 0
        self._commit = connection._commit
        connection._commit = self._committing
        connection.execute_wrappers.append(self._executing)

    def step(self, name: str) -> None:
        self.number += 1
        self.say({"step": name})
        if self.number == self.chosen:
            self.strike()

    def _executing(self, execute, statement, params, many, context):
        name = " ".join(SAVEPOINT.sub("", str(statement)).split())[:80]
        alone = not connection.in_atomic_block and not name.startswith("SELECT")
        self.step(f"{COMMIT} of {name}" if alone else name)
        result = execute(statement, params, many, context)
        if alone:
            self._committed()
        return result

    def _committing(self) -> None:
        self.step(COMMIT)
        self._commit()
        self._committed()

    def _committed(self) -> None:
        if self.look:
            self.say({"state": self.look()})


@dataclass
class Run:
    """What a child said: the names of its steps, the states after its commits, and whether it came to its end."""

    steps: list[str] = field(default_factory=list)
    states: list[dict] = field(default_factory=list)
    ended: bool = False


def kill_process() -> None:
    """The worker is gone."""
    os.kill(os.getpid(), signal.SIGKILL)


def end_connection() -> None:
    """The server process is gone before the next statement; the worker finds out by itself."""
    if connection.connection is not None:
        pid = connection.connection.info.backend_pid
        with _direct() as direct:
            direct.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])


def run(work: Callable[[], object], *, chosen: int = 0, strike: Callable = kill_process, look: Callable | None = None) -> Run:
    """Run `work` in a child, struck before its step number `chosen` (from 1; 0: never). `look` is asked after each commit."""
    connections.close_all()
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        _work(work, chosen, strike, write, look)
    os.close(write)
    with os.fdopen(read) as said:
        lines = [json.loads(line) for line in said if line.endswith("\n")]
    os.waitpid(child, 0)
    found = Run([line["step"] for line in lines if "step" in line], [line["state"] for line in lines if "state" in line])
    found.ended = {"ended": True} in lines
    return found


def _work(work: Callable, chosen: int, strike: Callable, write: int, look: Callable | None) -> None:
    """In the child, which never returns: nothing of the test runner's may run twice."""

    out = os.fdopen(write, "wb")

    def say(line: dict) -> None:
        out.write(json.dumps(line).encode() + b"\n")
        out.flush()

    try:
        Steps(chosen, strike, say, look)
        with suppress(Error, psycopg.Error):
            work()
            say({"ended": True})
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(0)
