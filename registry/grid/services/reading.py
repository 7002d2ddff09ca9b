"""The engine of grid files: read, cast, checked and merged in a handful of statements, all or nothing."""

from collections.abc import Iterator
from dataclasses import asdict

from django.db import models, transaction
from psycopg import sql

from moc import casts
from moc.bulk import copy_in, fetch_sql, run_sql, take_room
from moc.documents.services import plain_path
from moc.history import acting
from moc.jobs.models import Job
from moc.jobs.services import Progress
from moc.readers import COPY_OPTIONS, Limits, open_rows
from moc.rules import ERROR, Rule
from registry.grid import rules
from registry.grid.dictionary import KINDS, GridColumn, GridKind
from registry.grid.models import GridLoad, ServicePoint, Transformer
from registry.participants.models import UtilityProfile

COMMA = sql.SQL(", ")
Problem = tuple[sql.Composable, Rule, str, sql.Composable]


def carry_out(load: GridLoad, progress: Progress) -> dict:
    """Read a load's file and merge its rows: all, or with `only_good` the good ones; one transaction. Returns the job's outcome.

    Raises readers.FileRefused for a file that cannot be read, Cancelled when the user asked for it; both leave nothing behind.
    """
    actor = load.job.actor if load.job_id else load.created_by
    with transaction.atomic(), acting(actor, f"Loaded {load.document.name}"):
        take_room()
        load.findings.all().delete()
        present = read(load, progress)
        progress(0, None, "Checking the rows")
        find(load, present)
        load.bad = load.findings.filter(severity=ERROR).values("row_number").distinct().count()
        takes = load.bad == 0 or (load.only_good and load.bad < load.row_count)
        if takes:
            progress(0, None, "Merging")
            take(load, present)
        counts = {name: getattr(load, name) for name in ("row_count", "bad", "created", "changed")}
        GridLoad.lifecycle.move(
            GridLoad.objects.filter(pk=load.pk), "load" if takes else "refuse", actor=None, reason=_said(load), sheet=load.sheet, **counts
        )
        found = {"rows": load.row_count, **{name: counts[name] for name in ("bad", "created", "changed")}}
        Job.objects.filter(pk=load.job_id).update(outcome=found)
    return found


def _said(load: GridLoad) -> str:
    return f"{load.row_count:,} rows: {load.created:,} new, {load.changed:,} changed, {load.bad:,} with errors"


def read(load: GridLoad, progress: Progress) -> list[GridColumn]:
    """The file into typed rows; returns the columns that it has."""
    kind, document = KINDS[load.kind], load.document
    with plain_path(document) as path, open_rows(path, name=document.name, vocabulary=kind.vocabulary, limits=Limits()) as reader:
        by_name = {column.name: column for column in kind.columns}
        present = [by_name[name] for name in reader.sheet.recognised]
        every = [column.name for column in present] + ([] if kind.key in reader.sheet.recognised else [kind.key])
        run_sql("grid_filing", columns=COMMA.join(sql.SQL("{} text").format(sql.Identifier(name)) for name in every))
        names = ["row_number", "shape_problem", *(column.name for column in present)]
        load.row_count = copy_in("grid_filing", names, _blocks(reader, progress), COPY_OPTIONS)
        load.sheet = asdict(reader.sheet)
    key = by_name[kind.key]
    typed = [*present, *([] if key in present else [key])]
    references = [column for column in typed if column.refers]
    run_sql(
        "grid_rows",
        {"edc": load.edc_id, "tso": UtilityProfile.objects.filter(edc=load.edc_id).values_list("tso_id", flat=True).first()},
        table=sql.Identifier(kind.model._meta.db_table),
        key=sql.Identifier(kind.key),
        values=COMMA.join(_typed(kind, column) for column in typed),
        joins=sql.SQL("\n").join(_join(column) for column in references),
    )
    return present


def _blocks(reader, progress: Progress) -> Iterator[bytes]:
    for block in reader.blocks():
        progress(reader.bytes_read, reader.size, "Reading the file")
        yield block.copy_text


def _typed(kind: GridKind, column: GridColumn) -> sql.Composable:
    raw = sql.Identifier("r", column.name)
    if column.refers:
        value = sql.Identifier(f"its_{column.name}", column.refers._meta.pk.column)
    else:
        field = kind.field(column)
        numeric = isinstance(field, (models.DecimalField, models.IntegerField))
        value = casts.number(field, raw) if numeric else casts.text(field, raw)
    return sql.SQL("{} AS {}").format(value, sql.Identifier(column.name))


def _join(column: GridColumn) -> sql.Composable:
    """The record that a cell names, of the utility, of its transmission operator, or of everybody."""
    scope = {"edc": " AND {its}.edc_id = %(edc)s", "tso": " AND {its}.tso_id = %(tso)s", "": ""}[column.of]
    return sql.SQL("LEFT JOIN {table} AS {its} ON {its}.{by} = r.{name}" + scope).format(
        table=sql.Identifier(column.refers._meta.db_table),
        its=sql.Identifier(f"its_{column.name}"),
        by=sql.Identifier(column.by),
        name=sql.Identifier(column.name),
    )


def find(load: GridLoad, present: list[GridColumn]) -> None:
    """The findings of all rules over the rows, in one statement."""
    kind = KINDS[load.kind]
    problems = [*_shape(), *_missing(kind, present), *_cells(kind, present), *_duplicates(kind, present)]
    if kind.model is ServicePoint:
        problems += _points({column.name for column in present})
    run_sql(
        "grid_findings",
        {"load": load.pk, "edc": load.edc_id},
        problems=COMMA.join(
            sql.SQL("({}, {}, {}, {}, {})").format(broken, sql.Literal(rule.code), sql.Literal(rule.severity), sql.Literal(name), value)
            for broken, rule, name, value in problems
        ),
        any_problem=sql.SQL(" OR ").join(sql.SQL("({})").format(broken) for broken, *_ in problems),
    )


def _raw(name: str) -> sql.Identifier:
    return sql.Identifier("r", name)


def _shape() -> Iterator[Problem]:
    for shape, rule in rules.SHAPE.items():
        yield sql.SQL("r.shape_problem IS NOT DISTINCT FROM {}").format(sql.Literal(shape)), rule, "", sql.SQL("''")


def _missing(kind: GridKind, present: list[GridColumn]) -> Iterator[Problem]:
    """A required cell is empty; a required column is absent, which matters only to a new record."""
    for column in kind.columns:
        if column.required and column in present:
            yield sql.SQL("{} IS NULL").format(_raw(column.name)), rules.MISSING, column.name, sql.SQL("''")
        elif column.required:
            yield sql.SQL("s.known IS NULL"), rules.MISSING, column.name, sql.SQL("''")


def _cells(kind: GridKind, present: list[GridColumn]) -> Iterator[Problem]:
    """A text without a value: of the wrong type, too long, or naming nothing; and numbers out of range."""
    for column in present:
        raw, value = _raw(column.name), sql.Identifier("s", column.name)
        yield sql.SQL("{} IS NOT NULL AND {} IS NULL").format(raw, value), _refusal(kind, column), column.name, raw
        if column.name in rules.RANGES:
            least, most = (sql.SQL(bound) for bound in rules.RANGES[column.name])
            yield sql.SQL("coalesce({} NOT BETWEEN {} AND {}, false)").format(value, least, most), rules.RANGE, column.name, raw


def _refusal(kind: GridKind, column: GridColumn) -> Rule:
    if column.refers:
        return rules.REFERENCE
    return rules.LENGTH if isinstance(kind.field(column), models.CharField) else rules.NUMBER


def _duplicates(kind: GridKind, present: list[GridColumn]) -> Iterator[Problem]:
    if any(column.name == kind.key for column in present):
        yield sql.SQL("s.nth > 1 AND {} IS NOT NULL").format(_raw(kind.key)), rules.DUPLICATE, kind.key, _raw(kind.key)


def _points(names: set[str]) -> Iterator[Problem]:
    """What service points must agree on with the grid above them."""
    if "phases_available" in names:
        broken = sql.SQL("coalesce(s.phases_available NOT BETWEEN 1 AND 3, false)")
        yield broken, rules.PHASES, "phases_available", _raw("phases_available")
    feeder = sql.SQL("s.feeder") if "feeder" in names else sql.SQL("NULL::bigint")
    if "transformer" in names:
        on = sql.SQL("(SELECT t.feeder_id FROM registry_transformer AS t WHERE t.id = s.transformer)")
        if "feeder" in names:
            yield sql.SQL("coalesce(s.feeder <> {}, false)").format(on), rules.TRANSFORMER_FEEDER, "feeder", _raw("feeder")
        feeder = sql.SQL("coalesce({}, {})").format(feeder, on)
    if "pnode" in names:
        own = sql.SQL(
            "(SELECT i.pnode_id FROM registry_feeder AS f JOIN registry_substation AS b ON b.id = f.substation_id "
            "JOIN registry_tdinterface AS i ON i.id = b.td_interface_id WHERE f.id = {})"
        ).format(feeder)
        yield sql.SQL("coalesce(s.pnode <> {}, false)").format(own), rules.PNODE, "pnode", _raw("pnode")
    if "county_fips" in names:
        served = sql.SQL("SELECT FROM registry_serviceterritory AS y WHERE y.edc_id = %(edc)s AND y.county_id = s.county_fips")
        broken = sql.SQL("s.county_fips IS NOT NULL AND NOT EXISTS ({})").format(served)
        yield broken, rules.TERRITORY, "county_fips", _raw("county_fips")


def take(load: GridLoad, present: list[GridColumn]) -> None:
    """Merge the good rows, in one statement; what depends on them follows. Sets the load's counts."""
    kind, edc = KINDS[load.kind], {"edc": load.edc_id}
    given = _given(kind, present)
    table = kind.model._meta.db_table
    names = {column.field: kind.field(column) for column in kind.columns if column.stored}
    updated = [names[name].column for name in given if name != kind.key] or [kind.key]
    load.created = fetch_sql("grid_new", {"load": load.pk})[0][0]
    merged = run_sql(
        "grid_upsert",
        edc | {"load": load.pk},
        table=sql.Identifier(table),
        key=sql.Identifier(kind.key),
        names=COMMA.join(sql.Identifier(field.column) for field in names.values()),
        values=COMMA.join(given.get(name, _default(field)) for name, field in names.items()),
        updates=COMMA.join(sql.SQL("{0} = EXCLUDED.{0}").format(sql.Identifier(name)) for name in updated),
        current=COMMA.join(sql.Identifier(table, name) for name in updated),
        proposed=COMMA.join(sql.SQL("EXCLUDED.{}").format(sql.Identifier(name)) for name in updated),
    )
    load.changed = merged - load.created
    if kind.model is Transformer:
        run_sql("points_follow", edc)
    if kind.model in (Transformer, ServicePoint):
        run_sql("ders_follow", edc)


def _given(kind: GridKind, present: list[GridColumn]) -> dict[str, sql.Composable]:
    """The model's fields that the file fills, each with its value: the default where the cell is empty and the field may not be."""
    given = {
        column.field: sql.SQL("coalesce({}, {})").format(sql.Identifier("s", column.name), _default(kind.field(column)))
        for column in present
        if column.stored
    }
    if kind.model is ServicePoint and "transformer" in given:
        on = sql.SQL("(SELECT t.feeder_id FROM registry_transformer AS t WHERE t.id = s.transformer)")
        given["feeder"] = sql.SQL("coalesce({}, {})").format(given["feeder"], on) if "feeder" in given else on
    return given


def _default(field: models.Field) -> sql.Composable:
    if field.null or field.is_relation:
        return sql.SQL("NULL")
    return sql.Literal(str(field.get_default()) if isinstance(field, models.CharField) else field.to_python(field.get_default()))
