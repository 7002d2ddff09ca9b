"""The set-based engine: a file becomes typed rows with findings in a handful of statements, all or nothing."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import asdict
from itertools import chain, islice

from django.db import connection, transaction
from django.db.models import Count, Exists, Max, OuterRef, Q
from django.utils import timezone
from psycopg import sql

from moc import rules as rule_engine
from moc.ahead import ahead
from moc.bulk import analyze, copy_in, fetch_sql, insert_select, join_as_sets, refresh, run_sql, take_room
from moc.documents.services import plain_path
from moc.history import acting
from moc.jobs.models import Job
from moc.jobs.services import Cancelled, Progress
from moc.readers import COPY_OPTIONS, Limits, Vocabulary, open_rows
from registry.ders.dictionary import FIELDS, PERSONAL, REQUIRED
from registry.ders.models import Der
from registry.grid.models import ServicePoint
from registry.submissions import change_rules
from registry.submissions.columns import Column, columns, lost
from registry.submissions.kinds import MEMBERSHIP, TERMS, Kind
from registry.submissions.models import Finding, StagedDer, Submission
from registry.submissions.personal import StagedOwner
from registry.submissions.rules import CONDITIONS, OVER_ROWS, READING, SHAPE
from registry.submissions.services import locks, member_rows, owners
from registry.utilities.rules import PREFIX, in_force

FEW = 1_000  # rows that are joined one by one well enough
PART = 64  # blocks of about 256 kB that are staged together while as many are read ahead
# by what columns a file's rows are joined, here and in the rules
STAGED = ("id", "submission_id", "edc_id", "decision_id", "row_number", "status", "change", "external_id", "serial_no", "service_point_id")
MET = {
    ServicePoint: ("id", "edc_id", "usage_point_id"),
    Der: ("id", "aggregator_id", "edc_id", "external_id", "serial_no", "service_point_id", "owner_id", "status"),
}
FINDING_COLUMNS = ("row_id", "code", "severity", "column", "value", "submission_id", "row_number")


def vocabulary() -> Vocabulary:
    """The columns a file may have, by the data dictionary."""
    aliases = {alias: name for name, term in FIELDS.items() for alias in term.aliases}
    return Vocabulary(names=tuple(FIELDS), aliases=aliases, required=REQUIRED)


def stage_file(submission: Submission, progress: Progress) -> dict:
    """Read the submission's document into typed rows and check them; one transaction. Returns what was found, kept as the job's outcome.

    Raises readers.FileRefused for a file that cannot be read, Cancelled when the user asked for it; both leave nothing behind.
    """
    document = submission.document
    actor = submission.job.actor if submission.job_id else submission.created_by
    refresh(MET)
    with transaction.atomic(), acting(actor, f"Read {document.name}"):
        take_room()
        offset = submission.rows.aggregate(top=Max("row_number"))["top"] or 0
        with plain_path(document) as path, open_rows(path, name=document.name, vocabulary=vocabulary(), limits=Limits()) as reader:
            present = [columns()[name] for name in reader.sheet.recognised]
            _create_filing(present)
            _stage_parts(submission, reader, present, offset, progress)
            sheet = asdict(reader.sheet) | {"offset": offset}
        if offset:
            run_sql("replace", {"submission": submission.pk, "offset": offset})
        _complete_owners(submission, present, offset)
        count = check(submission, progress)
        _show_values_as_given(submission, present, offset)
        if locks.submission_of(submission).status != Submission.Status.STAGING:
            raise Cancelled  # withdrawn meanwhile
        submission.sheet, submission.row_count = sheet, count
        submission.save(update_fields=["sheet", "row_count"])
        Submission.lifecycle.move(
            Submission.objects.filter(pk=submission.pk), "staged", actor=None, reason=f"system: read {count} rows of {document.name}"
        )
        found = summary(submission)
        Job.objects.filter(pk=submission.job_id).update(outcome=found)
    return found


def _stage_parts(submission: Submission, reader, present: list[Column], offset: int, progress: Progress) -> None:
    """Read, seal and stage the file part by part: while the database casts one, a thread reads and seals the next."""
    sealer = owners.Sealer(reader.sheet.recognised, submission.aggregator_id)
    names, last = _filled(present), 0
    with ahead(sealer.blocks(block.copy_text for block in reader.blocks()), PART) as blocks:
        for first in blocks:
            part = _told(chain([first], islice(blocks, PART - 1)), reader, progress)
            copy_in("filing", names, part, COPY_OPTIONS)
            before, last = last, fetch_sql("filed")[0][0]
            rows = {"submission": submission.pk, "offset": offset, "before": before, "last": last}
            _stage_typed(submission, present, rows)
            if not before:
                _look(last)
            _find_reading_problems(present, rows)


def _look(rows: int) -> None:
    """Before the first join with the new rows: taken for few, they are joined by loops in loops.

    Another file that is being staged has looked, and keeps others from it until its end: this one does not wait, and is told to join
    its rows as sets, if they are many.
    """
    looked = [analyze(StagedDer, *STAGED, waits=False), analyze(StagedOwner, "row_id", "account_index", waits=False)]
    if rows > FEW and not all(looked):
        join_as_sets()


def _told(blocks: Iterable[bytes], reader, progress: Progress) -> Iterator[bytes]:
    for block in blocks:
        progress(reader.bytes_read, reader.size, "Reading the file")
        yield block


def _filing_columns(present: list[Column]) -> dict[str, str]:
    """The columns of the session's table with their types: texts as given, but owners only sealed."""
    texts = {column.name: "text" for column in present if not column.personal}
    return {"row_number": "integer", "shape_problem": "text"} | texts | owners.COLUMNS


def _filled(present: list[Column]) -> list[str]:
    """Those that the file's blocks fill: of a file without personal columns not the sealed ones."""
    personal = any(column.personal for column in present)
    return [name for name in _filing_columns(present) if personal or name not in owners.COLUMNS]


def _create_filing(present: list[Column]) -> None:
    columns_ = _filing_columns(present).items()
    run_sql("filing", columns=sql.SQL(", ").join(sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(kind)) for name, kind in columns_))


def _stage_typed(submission: Submission, present: list[Column], rows: dict[str, int]) -> None:
    facts = [column for column in present if not column.personal]
    given = {column.name for column in facts}
    compared = [column.name for column in facts if column.name not in NOT_FACTS]
    everything = [column for column in columns().values() if not column.personal]
    joiner = sql.SQL(", ")
    run_sql(
        "stage",
        rows | {"aggregator": submission.aggregator_id},
        names=joiner.join(sql.Identifier(column.name) for column in everything),
        casts=joiner.join(sql.SQL("{} AS {}").format(column.typed, sql.Identifier(column.name)) for column in _needed(facts)),
        values=joiner.join(_value(column, given) for column in everything),
        present_typed=joiner.join(_as_stored(name) for name in compared),
        present_record=joiner.join(sql.Identifier("d", name) for name in compared),
    )


def _complete_owners(submission: Submission, present: list[Column], offset: int) -> None:
    """The personal columns that the file lacks; what differs from the record only in personal ones is a change nevertheless."""
    batch = {"submission": submission.pk, "offset": offset}
    given = {column.name for column in present if column.personal}
    if not given:
        run_sql("keep_owners", batch)
        return
    if given < set(PERSONAL):
        owners.complete(submission, offset, given)
    if StagedDer.objects.filter(submission=submission, change=StagedDer.Change.UNCHANGED).exists():
        run_sql("owners_changed", batch)


def _as_stored(name: str) -> sql.Composable:
    """A typed value in exactly the column's type: images of records are compared, and those of text and varchar cannot be."""
    return sql.SQL("{}::{}").format(sql.Identifier("t", name), sql.SQL(StagedDer._meta.get_field(name).db_type(connection)))


# columns of a filing that are not columns of the record: they are resolved to keys
NOT_FACTS = ("utility_id_eia", "usage_point_id", "county_fips")


def _needed(facts: list[Column]) -> list[Column]:
    """The columns to cast: those of the file, and the keys that the joins need even when the file lacks them."""
    given = {column.name for column in facts}
    absent = [
        Column(name, "", columns()[name].empty if name != "utility_id_eia" else sql.SQL("NULL::integer"), columns()[name].empty)
        for name in ("external_id", "usage_point_id", "utility_id_eia")
        if name not in given
    ]
    return [*facts, *absent]


def _value(column: Column, given: set[str]) -> sql.Composable:
    if column.name in given:
        return sql.Identifier("t", column.name)
    if column.name in NOT_FACTS or column.name == "external_id":
        return column.empty
    if column.empty.as_string() == "NULL":
        return sql.Identifier("d", column.name)
    return sql.SQL("coalesce({}, {})").format(sql.Identifier("d", column.name), column.empty)


def _find_reading_problems(present: list[Column], rows: dict[str, int]) -> None:
    facts = [column for column in present if not column.personal]
    broken = [lost(column) for column in facts]
    problems = [
        sql.SQL("({}, {}, {}, {})").format(condition, sql.Literal(READING[column.problem].code), sql.Literal(column.name), column.raw)
        for column, condition in zip(facts, broken, strict=True)
    ]
    for name in (column.name for column in present if column.personal):  # masked: the value is not shown
        broken.append(sql.SQL("r.flaws & {} <> 0").format(sql.Literal(1 << PERSONAL.index(name))))
        problems.append(sql.SQL("({}, {}, {}, '')").format(broken[-1], sql.Literal(READING["length"].code), sql.Literal(name)))
    for shape, found in SHAPE.items():
        broken.append(sql.SQL("r.shape_problem IS NOT NULL"))
        problems.append(sql.SQL("(r.shape_problem = {}, {}, '', '')").format(sql.Literal(shape), sql.Literal(found.code)))
    run_sql(
        "reading_findings",
        rows,
        problems=sql.SQL(", ").join(problems),
        any_problem=sql.SQL(" OR ").join(broken),
    )


def _show_values_as_given(submission: Submission, present: list[Column], offset: int) -> None:
    names = [column.name for column in present if not column.personal]
    texts = sql.SQL(" ").join(sql.SQL("WHEN {} THEN {}").format(sql.Literal(name), sql.Identifier("r", name)) for name in names)
    reading = [rule.code for rule in READING.values()]
    run_sql("values_as_given", {"submission": submission.pk, "offset": offset, "columns": names, "reading": reading}, texts=texts)


def check(submission: Submission, progress: Progress | None = None) -> int:
    """Run all rules over the submission's rows; findings of earlier runs are replaced, those of reading stay. Returns the row count."""
    rows = StagedDer.objects.filter(submission=submission)
    conditions, over_rows = _rules_of(submission, rows)
    everything = [*conditions, *over_rows]
    submission.findings.filter(Q(code__in=[rule.code for rule in everything]) | Q(code__startswith=PREFIX)).delete()
    if progress:
        progress(0, len(everything), "Checking the rules")
    if conditions:
        insert_findings(rows, conditions, narrowed=rule_engine.suspects(rows, conditions))
    for number, rule in enumerate(over_rows, len(conditions)):
        if progress:
            progress(number, len(everything), f"Checking {rule.code}")
        insert_findings(rows, [rule])
    if submission.kind in MEMBERSHIP:
        member_rows.find(submission)
    _drop_echoes(submission.findings)
    submission.checked_at = timezone.now()
    submission.row_count = rows.count()
    submission.save(update_fields=["checked_at", "row_count"])
    return submission.row_count


def _rules_of(submission: Submission, rows) -> tuple[list, list]:
    """The conditions and the rules over rows that a kind of submission meets; without facts only what may be done with the DERs."""
    if not TERMS[submission.kind].facts:
        return [], change_rules.OF_SWITCHES if submission.kind == Kind.SWITCH else change_rules.RULES
    return [*CONDITIONS, *of_utilities(rows)], [*OVER_ROWS, *(change_rules.RULES if submission.kind != Kind.REGISTER else ())]


def of_utilities(rows) -> list[rule_engine.Rule]:
    """The review rules in force today of the utilities to which rows are addressed."""
    known = in_force(timezone.localdate())
    utilities = set(rows.order_by().values_list("edc_id", flat=True).distinct()) if known else set()
    return [rule for edc, rule in known if edc in utilities]


def _drop_echoes(findings) -> None:
    """A cell that could not be read is not also missing: reading has said it already, with the value as given."""
    said = Finding.objects.filter(row=OuterRef("row"), column=OuterRef("column"), code__in=[rule.code for rule in READING.values()])
    findings.exclude(code__startswith="FILE-").filter(Exists(said)).delete()


def check_rows(rows, mended: Collection[str] = ()) -> None:
    """Run all rules over some rows (a form's); their findings are replaced.

    What reading found in a cell stays until its column is among the `mended`: nobody shall lose a value unnoticed.
    """
    findings = Finding.objects.filter(row__in=rows.values("pk"))
    findings.exclude(Q(code__startswith="FILE-") & ~Q(column__in=["", *mended])).delete()
    insert_findings(rows, [*CONDITIONS, *of_utilities(rows), *OVER_ROWS, *change_rules.RULES])
    _drop_echoes(findings)


def insert_findings(rows, rules, narrowed=None) -> None:
    """The findings of rules over rows, in one statement. With `narrowed` the rules see only the rows of that queryset."""
    found = ("pk", "rule_code", "rule_severity", "rule_column", "rule_value", "submission_id", "row_number")
    queries = [query.values_list(*found) for query in rule_engine.violations(rows, rules)]
    insert_select("registry_finding", FINDING_COLUMNS, queries, narrowed=narrowed)


def summary(submission: Submission) -> dict:
    """Counts for the outcome of a job and for the page: rows, rows with errors, by change."""
    rows = StagedDer.objects.filter(submission=submission)
    bad = submission.findings.filter(severity=rule_engine.ERROR).aggregate(rows=Count("row_id", distinct=True))["rows"]
    changes = dict(rows.order_by().values_list("change").annotate(Count("pk")))
    return {"rows": sum(changes.values()), "bad": bad, "good": sum(changes.values()) - bad, "changes": changes}


def staging_failed(*, submission: Submission, reason: str) -> None:
    """The file could not be read, or reading was cancelled: a submission without rows is withdrawn, one with rows is a draft again."""
    with acting(None, f"system: {reason}"[:500]):
        if locks.submission_of(submission).status == Submission.Status.STAGING:
            move = "staged" if submission.rows.exists() else "withdraw"
            mine = Submission.objects.filter(pk=submission.pk)
            Submission.lifecycle.move(mine, move, actor=None, reason=f"system: {reason}"[:500])
