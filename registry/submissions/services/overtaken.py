"""What an approval may not do: put an older filing over a newer one, or register a device a second time.

Both were true of nobody when the filing was checked, and may have become true since by a decision on another filing.
"""

from collections.abc import Iterable

from django.db import connection
from django.db.models import Exists, F, OuterRef, QuerySet

from moc.bulk import fetch_sql, join_as_sets, known_rows
from moc.errors import Conflict
from registry.ders.models import Der
from registry.submissions.change_rules import CHANGING
from registry.submissions.kinds import MEMBERSHIP, TERMS
from registry.submissions.models import Decision, StagedDer, Submission
from registry.submissions.rules import serial_registered

APPROVED = (StagedDer.Status.APPROVED, StagedDer.Status.APPROVED_LIMITED, StagedDer.Status.DEEMED_APPROVED, StagedDer.Status.NOTED)
NAMED = 10
MANY = 5_000  # rows that are compared one by one well enough, whatever the plan


def refuse(decisions: Iterable[Decision]) -> None:
    """Raise Conflict when approvals of this transaction, already merged, are overtaken by those of others.

    Whoever writes the same DER waits for the other, so the second sees the first. Two that register the same device under two ids do
    not meet at any row: they pass here one after the other, with the database's deferred checks behind them, until they commit.
    """
    decisions = list(decisions)
    if not decisions or decisions[0].review.submission.kind in MEMBERSHIP:
        return
    submission = decisions[0].review.submission
    rows = StagedDer.objects.filter(submission=submission, edc=decisions[0].review.edc_id, decision__in=decisions)
    later = Submission.objects.filter(aggregator=submission.aggregator_id, submitted_at__gt=submission.submitted_at)
    if later.exists():  # most are their aggregator's last: no row need be asked
        _refuse(
            _superseded(rows),
            "FILED-LATER",
            "A later filing of the same DER is approved already",
            "Deny these rows, or ask the aggregator to withdraw this filing; decide the others.",
        )
    if submission.kind in CHANGING:
        _refuse(
            _changed_meanwhile(rows),
            "CHANGED-MEANWHILE",
            "Another filing has changed the DER since this one was handed in",
            "Deny these rows, or ask the aggregator to file the change again; decide the others.",
        )
    connection.check_constraints()
    fetch_sql("one_at_a_time")
    count = sum(decision.row_count for decision in decisions)
    if (
        count > MANY and count > known_rows([Der])[Der]
    ):  # rows tied to their decision just now are taken for one, to be compared with every DER
        join_as_sets()
    _refuse(
        serial_registered(rows),
        "DUPLICATE-SERIAL",
        "A device with this manufacturer and serial number was registered meanwhile under another id",
        "Deny these rows, or ask the aggregator about them; decide the others.",
    )


def _superseded(rows: QuerySet[StagedDer]) -> QuerySet[StagedDer]:
    """Rows whose DER was approved from a submission that was handed in after theirs."""
    later = _effective().filter(
        aggregator_id=OuterRef("aggregator_id"),
        external_id=OuterRef("external_id"),
        submission__submitted_at__gt=OuterRef("handed_in"),
    )
    return rows.exclude(change=StagedDer.Change.IN_SCOPE).annotate(handed_in=F("submission__submitted_at")).filter(Exists(later))


def _changed_meanwhile(rows: QuerySet[StagedDer]) -> QuerySet[StagedDer]:
    """Rows of a change, which copy the rest of the record, whose DER another filing has changed since they were handed in."""
    same = {"aggregator_id": OuterRef("aggregator_id"), "external_id": OuterRef("external_id")}
    since = _effective().filter(**same, decision__decided_at__gt=OuterRef("handed_in"))
    others = since.exclude(submission=OuterRef("submission"))
    changes = rows.exclude(change=StagedDer.Change.IN_SCOPE)
    return changes.annotate(handed_in=F("submission__submitted_at")).filter(Exists(others))


def _effective() -> QuerySet[StagedDer]:
    """Rows that wrote their facts into the record: not those that were only looked at, nor those of a filing without facts."""
    writing = [kind for kind, terms in TERMS.items() if terms.facts]
    return StagedDer.objects.filter(status__in=APPROVED, submission__kind__in=writing).exclude(change=StagedDer.Change.IN_SCOPE)


def _refuse(found: QuerySet[StagedDer], code: str, sentence: str, remedy: str) -> None:
    numbers = list(found.order_by("row_number").values_list("row_number", flat=True)[: NAMED + 1])
    if numbers:
        named = ", ".join(map(str, numbers[:NAMED])) + (" and more" if len(numbers) > NAMED else "")
        raise Conflict(f"{sentence} (rows {named}); nothing was changed.", remedy, code)
