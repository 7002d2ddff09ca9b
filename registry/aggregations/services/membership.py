"""Members come and go as sets: by list, by filter and by file, all or nothing, in a handful of statements.

A list and a file are rows of texts: {der, service, share_percent, from, until}. Empty cells mean: every service that the aggregation
seeks, the whole capacity, the day and the end that the caller says.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from moc.access import policy
from moc.bulk import copy_in, fetch_sql, insert_select, run_sql, take_room
from moc.documents.services import plain_path
from moc.errors import Conflict, UserError
from moc.history import acting
from moc.readers import COPY_OPTIONS, Limits, Vocabulary, open_rows
from moc.rules import registry
from registry.aggregations.models import Aggregation, AggregationMember
from registry.aggregations.rules import TAKEN
from registry.ders.models import Der

COLUMNS = ("der", "service", "share_percent", "from", "until")
VOCABULARY = Vocabulary(
    names=COLUMNS,
    aliases={"der_id": "der", "external_id": "der", "your id": "der", "share": "share_percent", "starts": "from", "ends": "until"},
    required=("der",),
)
SHOWN = 200  # findings that are told one by one; all are counted
Status = Aggregation.Status


@dataclass(frozen=True)
class Terms:
    """What holds for rows that do not say otherwise. `ends` is the first day that is out; for a drop the day of leaving."""

    starts: date | None = None
    ends: date | None = None
    services: tuple[str, ...] = ()
    share: Decimal = Decimal(100)


@dataclass
class Outcome:
    """What became of a change: `changed` memberships; findings by rule, and the first of them as (row, column, code, value)."""

    rows: int
    bad: int
    changed: int = 0
    by_rule: list[tuple[str, int]] = field(default_factory=list)
    findings: list[tuple[int, str, str, str]] = field(default_factory=list)

    def told(self) -> dict:
        """As a job keeps it."""
        return {"rows": self.rows, "bad": self.bad, "changed": self.changed, "by_rule": self.by_rule, "problems": problems(self.findings)}


class MembersRefused(UserError):
    """Rows of a change have errors and nothing was changed; `problems` says which (the first of them), `outcome` how many."""

    code = "MEMBERS-REFUSED"

    def __init__(self, outcome: Outcome):
        self.outcome, self.problems = outcome, problems(outcome.findings)
        first = self.problems[0]
        super().__init__(
            f"{outcome.bad:,} of {outcome.rows:,} rows have errors; the first is row {first['row']}: {first['sentence']}", first["remedy"]
        )


def problems(findings: Iterable[tuple[int, str, str, str]]) -> list[dict]:
    """Findings with their rules' words."""
    return [
        {"row": row, "column": column, "code": code, "value": value, "sentence": registry[code].sentence, "remedy": registry[code].remedy}
        for row, column, code, value in findings
    ]


def add(*, actor, aggregation: Aggregation, ders: QuerySet[Der] | Iterable[str], terms: Terms, only_good: bool = False) -> Outcome:
    """Make DERs members: a queryset of them, or a list of ids (DER ids or the aggregator's own). Raises MembersRefused."""
    with _changing(actor, aggregation, "Added members") as held:
        _prepare(held, ders, _with_services(held, terms))
        return _add(held, only_good)


def drop(*, actor, aggregation: Aggregation, ders: QuerySet[Der] | Iterable[str], terms: Terms, only_good: bool = False) -> Outcome:
    """End memberships on `terms.ends`, the first day without them; for all services unless some are named. Raises MembersRefused."""
    with _changing(actor, aggregation, "Dropped members") as held:
        _prepare(held, ders, _of_members(held, terms))
        return _drop(held, only_good)


def carry_out_file(*, actor, aggregation: Aggregation, document, leaving: bool, only_good: bool, progress) -> Outcome:
    """Add or drop the members that a file names. Raises readers.FileRefused, MembersRefused or Cancelled; then nothing has changed."""
    with _changing(actor, aggregation, f"Read {document.name}") as held:
        terms = _of_members(held, Terms()) if leaving else _with_services(held, Terms())
        run_sql("member_filing")
        with plain_path(document) as path, open_rows(path, name=document.name, vocabulary=VOCABULARY, limits=Limits()) as reader:
            names = ["row_number", "shape_problem", *reader.sheet.recognised]
            copy_in("member_filing", names, _blocks(reader, progress), COPY_OPTIONS)
        progress(0, None, "Checking the rows")
        _type(held, terms)
        return _drop(held, only_good) if leaving else _add(held, only_good)


def _blocks(reader, progress) -> Iterator[bytes]:
    for block in reader.blocks():
        progress(reader.bytes_read, reader.size, "Reading the file")
        yield block.copy_text


@contextmanager
def _changing(actor, aggregation: Aggregation, reason: str) -> Iterator[Aggregation]:
    """The transaction of a change, with the aggregation locked; a DER that another change took meanwhile is told as a conflict."""
    policy.require(actor, "file_ders", aggregation.aggregator)
    try:
        with transaction.atomic(), acting(actor, reason):
            take_room()
            held = Aggregation.objects.select_for_update().get(pk=aggregation.pk)
            if held.in_review or held.status == Status.RETIRED:
                raise Conflict(f"The aggregation is {held.get_status_display().lower()}.", "Take it back first, or make another one.")
            yield held
    except IntegrityError as error:
        if "member_" not in str(error):
            raise
        raise Conflict("Some of these DERs became members elsewhere at the same time.", "Try again to see which.", TAKEN.code) from error


def _with_services(held: Aggregation, terms: Terms) -> Terms:
    """The terms of an addition: today, and all services that the aggregation seeks, unless they say otherwise."""
    wanted = terms.services or tuple(held.services)
    if not wanted:
        raise UserError("The aggregation seeks no service yet.", "Say which services it seeks, then add members.", "AGGREGATION-NO-SERVICE")
    return replace(terms, services=wanted, starts=terms.starts or timezone.localdate())


def _of_members(held: Aggregation, terms: Terms) -> Terms:
    """The terms of a drop: today, and all services that members have, unless they say otherwise."""
    known = AggregationMember.objects.filter(aggregation=held).order_by().values_list("service_id", flat=True).distinct()
    return replace(terms, services=terms.services or tuple(known) or tuple(held.services) or ("",), ends=terms.ends or timezone.localdate())


def _prepare(held: Aggregation, ders: QuerySet[Der] | Iterable[str], terms: Terms) -> None:
    """The chosen DERs as typed rows."""
    run_sql("member_filing")
    if isinstance(ders, QuerySet):
        insert_select("member_choice", ["der_id"], [ders.order_by().values_list("pk")])
        run_sql("member_chosen", _params(held, terms))
        return
    quoted = (text.strip().replace('"', '""') for text in ders)
    copy_in("member_filing", ["row_number", "der"], (f'{number},"{text}"\n'.encode() for number, text in enumerate(quoted, start=1)))
    _type(held, terms)


def _type(held: Aggregation, terms: Terms) -> None:
    run_sql("member_typed", _params(held, terms))


def _params(held: Aggregation, terms: Terms | None = None) -> dict:
    """What the statements of a change are told. Of an aggregation that was filed, the past stays (¶238)."""
    open_past = held.is_open
    known = {"aggregation": held.pk, "aggregator": held.aggregator_id, "not_before": None if open_past else timezone.localdate()}
    known["today"] = timezone.localdate()
    if terms is None:
        return known | {"services": held.services}
    return known | {"services": list(terms.services), "share": terms.share, "starts": terms.starts, "ends": terms.ends}


def _add(held: Aggregation, only_good: bool) -> Outcome:
    run_sql("member_findings", _params(held))
    outcome = _found(only_good)
    outcome.changed = run_sql("member_insert", _params(held))
    if held.status != Status.DRAFT:
        run_sql("utilities", _params(held))
    return _noted(held, outcome)


def _drop(held: Aggregation, only_good: bool) -> Outcome:
    run_sql("drop_findings", _params(held))
    outcome = _found(only_good)
    outcome.changed = run_sql("drop_end", _params(held)) + run_sql("drop_remove", _params(held))
    return _noted(held, outcome)


def _found(only_good: bool) -> Outcome:
    """What the rules found. Raises MembersRefused for errors that the caller does not leave out, or when no good row is left."""
    rows, bad = fetch_sql("row_counts")[0]
    if not rows:
        raise UserError("No DER was named.", "Choose some DERs.", "MEMBERS-NONE")
    by_rule = fetch_sql("findings_by_rule") if bad else []
    outcome = Outcome(rows, bad, by_rule=by_rule, findings=fetch_sql("findings_first", {"most": SHOWN}) if bad else [])
    if bad and (not only_good or bad == rows):
        raise MembersRefused(outcome)
    return outcome


def _noted(held: Aggregation, outcome: Outcome) -> Outcome:
    """Performance that was stated for other members must be stated again (¶338): remember since when."""
    if outcome.changed and held.stated_on and not held.restate_since:
        Aggregation.objects.filter(pk=held.pk).update(restate_since=timezone.localdate())
    return outcome
