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
REGISTERED = (Status.REGISTERED, Status.SUSPENDED)  # others review who joins and who leaves
BY_FILING = "File it: the utility reviews those that change, the others go on."


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
        choose(held, ders, terms, leaving=False)
        return carry_out(held, judge(held, leaving=False, only_good=only_good), leaving=False)


def drop(*, actor, aggregation: Aggregation, ders: QuerySet[Der] | Iterable[str], terms: Terms, only_good: bool = False) -> Outcome:
    """End memberships on `terms.ends`, the first day without them; for all services unless some are named. Raises MembersRefused."""
    with _changing(actor, aggregation, "Dropped members") as held:
        choose(held, ders, terms, leaving=True)
        return carry_out(held, judge(held, leaving=True, only_good=only_good), leaving=True)


def carry_out_file(*, actor, aggregation: Aggregation, document, leaving: bool, only_good: bool, progress) -> Outcome:
    """Add or drop the members that a file names. Raises readers.FileRefused, MembersRefused or Cancelled; then nothing has changed."""
    with _changing(actor, aggregation, f"Read {document.name}") as held:
        read(held, document, leaving=leaving, progress=progress)
        return carry_out(held, judge(held, leaving=leaving, only_good=only_good), leaving=leaving)


def read(held: Aggregation, document, *, leaving: bool, progress) -> None:
    """A file of members as typed rows of the transaction. Raises readers.FileRefused or Cancelled."""
    terms = _terms(held, Terms(), leaving)
    lay_tables()
    with plain_path(document) as path, open_rows(path, name=document.name, vocabulary=VOCABULARY, limits=Limits()) as reader:
        names = ["row_number", "shape_problem", *reader.sheet.recognised]
        copy_in("member_filing", names, _blocks(reader, progress), COPY_OPTIONS)
    progress(0, None, "Checking the rows")
    _type(held, terms)


def lay_tables() -> None:
    """The transaction's tables for one change: texts as given, typed rows, findings; those of an earlier change go."""
    run_sql("member_filing")


def _blocks(reader, progress) -> Iterator[bytes]:
    for block in reader.blocks():
        progress(reader.bytes_read, reader.size, "Reading the file")
        yield block.copy_text


@contextmanager
def _changing(actor, aggregation: Aggregation, reason: str) -> Iterator[Aggregation]:
    """The transaction of a change that nobody reviews: of an aggregation that is not registered."""
    with holding(actor, aggregation, reason) as held:
        if held.status in REGISTERED:
            raise Conflict("Members of a registered aggregation join and leave by a filing.", BY_FILING, "MEMBERS-BY-FILING")
        yield held


@contextmanager
def holding(actor, aggregation: Aggregation, reason: str) -> Iterator[Aggregation]:
    """The transaction of a change, with the aggregation locked. Raises Conflict for one that is being validated, or retired."""
    policy.require(actor, "file_ders", aggregation.aggregator)
    with overlaps_told(), transaction.atomic(), acting(actor, reason):
        take_room()
        held = Aggregation.objects.select_for_update(of=("self",)).get(pk=aggregation.pk)
        if held.in_review or held.status == Status.RETIRED:
            raise Conflict(f"The aggregation is {held.get_status_display().lower()}.", "Take it back first, or make another one.")
        yield held


@contextmanager
def overlaps_told() -> Iterator[None]:
    """A DER that another change took meanwhile is told as a conflict."""
    try:
        yield
    except IntegrityError as error:
        if "member_" not in str(error):
            raise
        raise Conflict("Some of these DERs became members elsewhere at the same time.", "Try again to see which.", TAKEN.code) from error


def _terms(held: Aggregation, terms: Terms, leaving: bool) -> Terms:
    """Today, unless the terms say otherwise; of an addition all services that the aggregation seeks, of a drop all that members have."""
    today = timezone.localdate()
    if leaving:
        known = AggregationMember.objects.filter(aggregation=held).order_by().values_list("service_id", flat=True).distinct()
        return replace(terms, services=terms.services or tuple(known) or tuple(held.services) or ("",), ends=terms.ends or today)
    wanted = terms.services or tuple(held.services)
    if not wanted:
        raise UserError("The aggregation seeks no service yet.", "Say which services it seeks, then add members.", "AGGREGATION-NO-SERVICE")
    return replace(terms, services=wanted, starts=terms.starts or today)


def choose(held: Aggregation, ders: QuerySet[Der] | Iterable[str], terms: Terms, *, leaving: bool) -> None:
    """The chosen DERs as typed rows of the transaction: a queryset, or ids as for `add`."""
    terms = _terms(held, terms, leaving)
    lay_tables()
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


def find(held: Aggregation, *, leaving: bool) -> None:
    """What is wrong with the transaction's rows, into its table of findings."""
    if leaving:
        run_sql("drop_findings", _params(held))
    else:
        run_sql("member_findings", _params(held))


def judge(held: Aggregation, *, leaving: bool, only_good: bool) -> Outcome:
    """What the rules find. Raises MembersRefused for errors that the caller does not leave out, or when no good row is left."""
    find(held, leaving=leaving)
    rows, bad = fetch_sql("row_counts")[0]
    if not rows:
        raise UserError("No DER was named.", "Choose some DERs.", "MEMBERS-NONE")
    by_rule = fetch_sql("findings_by_rule") if bad else []
    outcome = Outcome(rows, bad, by_rule=by_rule, findings=fetch_sql("findings_first", {"most": SHOWN}) if bad else [])
    if bad and (not only_good or bad == rows):
        raise MembersRefused(outcome)
    return outcome


def carry_out(held: Aggregation, outcome: Outcome, *, leaving: bool) -> Outcome:
    """The transaction's good rows become members, or are none any more; inside acting()."""
    known = _params(held)
    if leaving:
        outcome.changed = run_sql("drop_end", known) + run_sql("drop_remove", known)
    else:
        outcome.changed = run_sql("member_insert", known)
        if held.status != Status.DRAFT:
            run_sql("utilities", known)
    # performance that was stated for other members must be stated again (¶338): remember since when
    if outcome.changed and held.stated_on and not held.restate_since:
        Aggregation.objects.filter(pk=held.pk).update(restate_since=timezone.localdate())
    return outcome
