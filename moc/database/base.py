"""Django's PostgreSQL backend, which tells every transaction the sight of the code that runs it (moc.sight)."""

from functools import lru_cache

from django.conf import settings
from django.db import transaction
from django.db.backends.base.base import NO_DB_ALIAS
from django.db.backends.postgresql import base, operations
from psycopg import sql

from moc import sight

TELL = sql.SQL("SELECT {}")


@lru_cache(maxsize=1_000)
def _telling(wanted: sight.Sight, role: str) -> str:
    """The statement that tells a sight: each request makes a few of them, the same ones as the one before."""
    values = {**wanted.settings, "role": role}
    calls = [sql.SQL("set_config({}, {}, true)").format(name, value) for name, value in values.items()]
    return TELL.format(sql.SQL(", ").join(calls)).as_string(None)


class DatabaseOperations(operations.DatabaseOperations):
    """Django's, with compilers that hide what the sight hides."""

    compiler_module = "moc.database.compiler"


class DatabaseWrapper(base.DatabaseWrapper):
    """A statement outside of a transaction gets one of its own, so that what it was told ends with it."""

    ops_class = DatabaseOperations

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self._told: sight.Sight | None = None
        self.execute_wrappers.append(self._with_sight)

    def _with_sight(self, execute, query, params, many, context):
        if self.get_autocommit():
            if sight.current() == sight.NOTHING or self.alias == NO_DB_ALIAS:  # the maintenance database has no rows of ours
                return execute(query, params, many, context)
            with transaction.atomic(using=self.alias):
                self.tell()
                return execute(query, params, many, context)
        self.tell()
        return execute(query, params, many, context)

    def tell(self) -> None:
        """Tell the open transaction the current sight, unless it knows; COPY, which no wrapper passes, asks for it."""
        wanted = sight.current()
        if wanted == (self._told or sight.NOTHING) or self.needs_rollback:
            return
        role = settings.DATABASE_ENGINE_ROLE if wanted.engine and settings.DATABASE_ROLE == "app" else "none"
        with self.wrap_database_errors:
            self.connection.execute(_telling(wanted, role))
        self._told = wanted

    def _set_autocommit(self, autocommit):
        self._told = None
        super()._set_autocommit(autocommit)

    def _savepoint_rollback(self, sid):
        super()._savepoint_rollback(sid)
        self._told = sight.Sight(user=-1)  # the settings are again what they were at the savepoint: tell anew

    def close(self):
        super().close()
        self._told = None
