"""History is written by PostgreSQL, once per statement, into django-simple-history's tables.

A recorded model says `history = Versions()`. Every writer then leaves versions: the ORM, its bulk
methods, COPY, INSERT … SELECT and plain psql. Who and why travel in two transaction-local settings that `acting()` sets; a change
with neither is refused. The trigger functions are SECURITY DEFINER: the app role may only SELECT history.
"""

from contextlib import contextmanager
from datetime import datetime
from functools import cache

import pgtrigger
from django.apps import apps
from django.db import connection, models, transaction
from django.db.models import F, Func, QuerySet
from django.db.models.functions import Cast
from django.utils import timezone
from pgtrigger.compiler import UpsertTriggerSql
from psycopg import sql
from simple_history.manager import HistoryManager
from simple_history.models import HistoricalRecords

from moc import sight, triggers
from moc.asof import order_of, stood

triggers.index()


class DefinerTriggerSql(UpsertTriggerSql):
    """pgtrigger's installation without its switch-off setting (anyone could set it), run as the owner with a fixed search path.

    Nobody else may execute the function: a trigger fires without that right, but whoever has it can hang the function under a table of
    his own, and so write versions of his own.
    """

    def get_template(self) -> str:
        return """
            CREATE OR REPLACE FUNCTION {pgid}() RETURNS TRIGGER AS $$
                {declare}
                BEGIN
                    {func}
                END;
            $$ LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp;
            REVOKE ALL ON FUNCTION {pgid}() FROM PUBLIC;

            DROP TRIGGER IF EXISTS {pgid} ON {table};
            CREATE {constraint} TRIGGER {pgid}
                {when} {operation} ON {table}
                {timing}
                {referencing}
                FOR EACH {level} {condition}
                EXECUTE PROCEDURE {execute};

            COMMENT ON TRIGGER {pgid} ON {table} IS '{hash}';
        """


class DatabaseTrigger(pgtrigger.Trigger):
    """A trigger that no session can ignore."""

    def compile(self, model):
        plain = super().compile(model)
        arguments = {name: value for name, value in plain.sql.kwargs.items() if name != "ignore_func_name"}
        return pgtrigger.compiler.Trigger(name=plain.name, sql=DefinerTriggerSql(**arguments))


def versions_of(model):
    """The historical model of a recorded model; also of the stand-ins that migrations make of it."""
    return apps.get_model(model._meta.label).history.model


def _tracked(model) -> list[str]:
    return [f'"{field.column}"' for field in versions_of(model).tracked_fields]


class Record(DatabaseTrigger):
    """Copy the rows that a statement changed into the model's historical table; refuse a change without actor and reason.

    Who, why, when and in which transaction are read once per statement.
    """

    level, when = pgtrigger.Statement, pgtrigger.After
    declare = [
        ("the_actor", "bigint := nullif(current_setting('moc.actor', true), '')"),
        ("the_reason", "text := nullif(current_setting('moc.reason', true), '')"),
        ("the_moment", "timestamptz := clock_timestamp()"),
        ("the_transaction", "bigint := pg_current_xact_id()::text"),
    ]

    def __init__(self, *, kind: str, **kwargs):
        self.kind = kind
        super().__init__(**kwargs)

    def get_func(self, model) -> str:
        columns = ", ".join(_tracked(model))
        return f"""
            IF the_actor IS NULL AND the_reason IS NULL THEN
                IF EXISTS ({self.changed_rows(model)}) THEN
                    RAISE EXCEPTION 'A change of % needs an actor or a reason (moc.history.acting)', TG_TABLE_NAME
                        USING ERRCODE = 'insufficient_privilege';
                END IF;
                RETURN NULL;
            END IF;
            INSERT INTO "{versions_of(model)._meta.db_table}"
                ({columns}, history_date, history_type, history_change_reason, history_user_id, transaction_id)
            SELECT {columns}, the_moment, '{self.kind}', the_reason, the_actor, the_transaction
            FROM ({self.changed_rows(model)}) AS version;
            RETURN NULL;"""

    def changed_rows(self, model) -> str:
        return "SELECT * FROM changed"


class RecordUpdate(Record):
    """An update that changes nothing leaves nothing: old and new rows are compared as images, matched by their key (see KeyKept)."""

    def changed_rows(self, model) -> str:
        key = model._meta.pk.column
        new = ", ".join(f"changed.{column}" for column in _tracked(model))
        old = ", ".join(f"before.{column}" for column in _tracked(model))
        return f"""SELECT changed.* FROM changed JOIN before ON before."{key}" = changed."{key}"
                WHERE ROW({new})::record *<> ROW({old})::record"""


class Refuse(DatabaseTrigger):
    """Refuse an operation whoever asks for it."""

    level, when = pgtrigger.Statement, pgtrigger.Before
    because = "history is never lost"

    def get_func(self, model) -> str:
        return f"RAISE EXCEPTION '% on % is refused: {self.because}', TG_OP, TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';"


class KeyKept(Refuse):
    """Refuse an UPDATE that sets the primary key: the versions under the old key would stand as if their object still did."""

    because = "the primary key names the object in history"

    def compile(self, model):
        self.operation = pgtrigger.UpdateOf(model._meta.pk.column)
        return super().compile(model)


def recorded() -> list[pgtrigger.Trigger]:
    """The triggers of a recorded model."""
    new, old = pgtrigger.Referencing(new="changed"), pgtrigger.Referencing(old="changed")
    both = pgtrigger.Referencing(new="changed", old="before")
    return [
        Record(name="history_insert", operation=pgtrigger.Insert, referencing=new, kind="+"),
        RecordUpdate(name="history_update", operation=pgtrigger.Update, referencing=both, kind="~"),
        Record(name="history_delete", operation=pgtrigger.Delete, referencing=old, kind="-"),
        Refuse(name="history_truncate", operation=pgtrigger.Truncate),
        KeyKept(name="history_key", operation=pgtrigger.Update),
    ]


class VersionQuerySet(QuerySet):
    """Versions of a recorded model; `moment` is that of `as_of`, and `former` says that each closed a tenure (moc.access.tenure)."""

    moment: datetime | None = None
    former = False

    def _clone(self):
        clone = super()._clone()
        clone.moment, clone.former = self.moment, self.former
        return clone

    def as_of(self, moment: datetime, horizon: int | None = None, among: QuerySet | None = None) -> "VersionQuerySet":
        """The one version of each object that stood at `moment`; objects deleted by then are absent.

        Filters, before or after, narrow the answer and never the choice of the version. With `horizon` (see `horizon()`) the answer is
        repeatable: versions written by transactions that were still open when the horizon was read are left out, then and ever after.
        `among`, a queryset of the model or of its versions, names the objects to look at: then only their versions are read, in one pass
        of the index, which an aggregate over part of a large table needs. Without it each version is weighed as it is read, which a page
        needs.
        """
        return self.filter(stood(self.model, moment, horizon, among)).standing(moment)

    def last_of_each(self, moment: datetime, horizon: int) -> "VersionQuerySet":
        """The last version of each object by `moment` and `horizon`, deletions among them: one pass of the index by object.

        For statements about whole tables, which read nothing else of the table (moc.bulk.copy_out).
        """
        key = self.model.instance_type._meta.pk.attname
        known = self.filter(history_date__lte=moment, transaction_id__lt=horizon)
        return known.order_by(key, "-history_date", "-history_id").distinct(key)

    def standing(self, moment: datetime) -> "VersionQuerySet":
        """Of chosen versions those whose object was not deleted, as rows of that moment."""
        standing = self.exclude(history_type="-")
        standing.moment = moment
        return standing


class VersionManager(HistoryManager):
    """The manager behind `history`; simple-history makes its class at each access, here it is made once."""

    @classmethod
    @cache
    def from_queryset(cls, queryset_class, class_name=None):
        """The manager class with the queryset's methods."""
        return super().from_queryset(queryset_class, class_name)


class Version(models.Model):
    """Base of every historical model: the writing transaction stands beside the clock."""

    transaction_id = models.BigIntegerField(editable=False, null=True)

    objects = VersionQuerySet.as_manager()

    class Meta:
        abstract = True


class Appended(models.Model):
    """Base of operational records that are only ever added: each row says which transaction wrote it, and so is sealed (moc.seals).

    Give it the two `Refuse` triggers "sealed_rows" and "sealed_table" too.
    """

    transaction_id = models.BigIntegerField(
        editable=False,
        db_default=Cast(Cast(Func(function="pg_current_xact_id"), models.TextField()), models.BigIntegerField()),
        help_text="the versions that it wrote carry the same",
    )

    class Meta:
        abstract = True


def written_at(model: type[models.Model]) -> str:
    """The column of an added record with the moment at which it was written: the one that is now by itself, else the first."""
    moments = [field for field in model._meta.concrete_fields if isinstance(field, models.DateTimeField) and not field.null]
    return next((field.name for field in moments if field.default is timezone.now), moments[0].name)


def keeps_versions(model: type[models.Model] | None) -> bool:
    """Whether a model's rows can be asked as recorded at a moment: it has versions, or is only added to."""
    return model is not None and (hasattr(model, "history") or issubclass(model, Appended))


def recorded_at(model: type[models.Model], moment: datetime) -> QuerySet:
    """The rows as recorded at a moment: the versions that stood then; of what is only added to, what had been written."""
    if hasattr(model, "history"):
        return model.history.model.objects.as_of(moment)
    return model.objects.filter(**{f"{written_at(model)}__lte": moment})


class Versions(HistoricalRecords):
    """HistoricalRecords with lean indexes (object, newest first) and tables that refuse UPDATE, DELETE and TRUNCATE.

    `listed_by` names the access keys by which a party lists the past of a large table: each gets an index (key, newest object first), whose
    moments let a page and a count stop when they have enough: without, all versions of a moment are put together with all of a party.
    `fed`: the feed of changes or the operational log reads them in the order of their transactions.
    """

    def __init__(self, listed_by: tuple[str, ...] = (), fed: bool = False, **kwargs):
        self.listed_by, self.fed = listed_by, fed
        kwargs.setdefault("bases", [Version])
        kwargs.setdefault("history_id_field", models.BigAutoField(primary_key=True))
        kwargs.setdefault("history_change_reason_field", models.TextField(null=True))
        kwargs.setdefault("user_db_constraint", False)
        kwargs.setdefault("history_manager", VersionManager)
        super().__init__(**kwargs)

    def contribute_to_class(self, cls, name):
        super().contribute_to_class(cls, name)
        pgtrigger.register(*recorded())(cls)

    def get_extra_fields(self, model, fields):
        extra = super().get_extra_fields(model, fields)
        extra["history_user"].db_index = False
        return extra

    def copy_fields(self, model):
        fields = super().copy_fields(model)
        for field in fields.values():
            field.db_index = False
            field._unique = False
        return fields

    def get_meta_options(self, model):
        options = super().get_meta_options(model)
        key, name = model._meta.pk.name, model._meta.model_name[:12]
        newest_first = F("history_date").desc(), F("history_id").desc()
        options["indexes"] = [
            models.Index(F(key), *newest_first, name=f"{model._meta.model_name[:20]}_versions"),
            *[models.Index(F(path), F(key).desc(), F("history_date"), name=f"{name}_past_{path}"[:30]) for path in self.listed_by],
        ]
        if self.fed:
            options["indexes"].append(models.Index(fields=["transaction_id", "history_id"], name=f"{model._meta.model_name[:20]}_feed"))
        options["triggers"] = [
            Refuse(name="sealed_rows", operation=pgtrigger.Update | pgtrigger.Delete),
            Refuse(name="sealed_table", operation=pgtrigger.Truncate),
        ]
        options["ordering"] = ("-history_date", "-history_id")
        return options


def horizon() -> int:
    """The oldest transaction still open: all versions below it are settled. Kept with every repeatable as-of answer."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
        return cursor.fetchone()[0]


@contextmanager
def acting(user, reason: str = ""):
    """Everything written inside is by `user` for `reason`; one transaction. Nestable: the outer pair is restored.

    `user` is None for the system, which then owes a reason ("system: <command or task>"). A user signs the reason: staff who act for an
    organisation are told from its own people in every version.
    Who writes is a service that has asked policy.require: inside, row-level security steps back (moc.sight).
    """
    with sight.engine(), transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT coalesce(current_setting('moc.actor', true), ''), coalesce(current_setting('moc.reason', true), '')")
            outer = cursor.fetchone()
            _set(cursor, str(user.pk) if user else "", user.signed(reason) if user else reason)
        yield
        with connection.cursor() as cursor:
            _set(cursor, *outer)


def _set(cursor, actor: str, reason: str) -> None:
    cursor.execute("SELECT set_config('moc.actor', %s, true), set_config('moc.reason', %s, true)", [actor, reason])


_ANALYZE = """
    DROP FUNCTION IF EXISTS moc_analyze(regclass);
    DROP FUNCTION IF EXISTS moc_analyze(regclass, text[]);
    CREATE OR REPLACE FUNCTION moc_analyze(filled regclass, columns text[], waits boolean) RETURNS boolean AS $$
    BEGIN
        EXECUTE format(
            'ANALYZE %s %s (%s)', CASE WHEN waits THEN '' ELSE '(SKIP_LOCKED)' END, filled,
            (SELECT string_agg(quote_ident(c), ', ') FROM unnest(columns) AS c)
        );
        RETURN EXISTS (SELECT FROM pg_locks AS l WHERE l.relation = filled AND l.pid = pg_backend_pid()
            AND l.mode = 'ShareUpdateExclusiveLock' AND l.granted);
    END;
    $$ LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp;
    REVOKE ALL ON FUNCTION moc_analyze(regclass, text[], boolean) FROM PUBLIC"""
_TODAY = """
    CREATE OR REPLACE FUNCTION moc_today() RETURNS date AS $$
        SELECT (pg_catalog.statement_timestamp() AT TIME ZONE {zone})::pg_catalog.date
    $$ LANGUAGE sql STABLE PARALLEL SAFE"""


def today_in(zone: str) -> sql.Composed:
    """The statement that tells SQL the state's zone, and so its day (moc.intervals.TODAY): sessions run in UTC, psql's in any."""
    return sql.SQL(_TODAY).format(zone=sql.Literal(zone))


def keep_local_days(zone: str) -> None:
    """Let SQL's days be those of a zone. Run by `migrate`, as the owner."""
    with connection.cursor() as cursor:
        cursor.execute(today_in(zone).as_string(cursor.connection))


def grant(role: str) -> None:
    """Let the app role use all tables, but only read history and the record of migrations. Run by `migrate`, as the owner."""
    present = set(connection.introspection.table_names())
    sealed = {model._meta.db_table for model in apps.get_models() if issubclass(model, Version)} | {"django_migrations"}
    name = sql.Identifier(role)
    statements = [
        sql.SQL(_ANALYZE),
        sql.SQL("GRANT EXECUTE ON FUNCTION moc_analyze(regclass, text[], boolean) TO {}").format(name),
        sql.SQL("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {}").format(name),
        sql.SQL("GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {}").format(name),
        *[sql.SQL("REVOKE INSERT, UPDATE, DELETE ON {} FROM {}").format(sql.Identifier(table), name) for table in sorted(sealed & present)],
    ]
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        if cursor.fetchone()[0] != role:
            cursor.execute(sql.SQL("; ").join(statements).as_string(cursor.connection))


def make_orders(models, *roles: str) -> None:
    """Make the views of the order of versions, which these roles may read and nothing else. Run by `migrate`, as the owner."""
    present = set(connection.introspection.table_names())
    with connection.cursor() as cursor:
        for model in models:
            if model._meta.db_table in present:
                parts = {
                    "view": sql.Identifier(order_of(model)),
                    "table": sql.Identifier(model._meta.db_table),
                    "key": sql.Identifier(model.instance_type._meta.pk.column),
                    "roles": sql.SQL(", ").join(map(sql.Identifier, roles)),
                }
                cursor.execute(sql.SQL(_ORDER).format(**parts).as_string(cursor.connection))


_ORDER = """
    CREATE OR REPLACE VIEW {view} AS SELECT {key}, history_date, history_id, transaction_id FROM {table};
    REVOKE ALL ON {view} FROM {roles};
    GRANT SELECT ON {view} TO {roles}"""
