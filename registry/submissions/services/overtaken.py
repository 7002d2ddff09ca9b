"""What an approval may not do: put an older filing over a newer one, or register a device a second time.

Both were true of nobody when the filing was checked, and may have become true since by a decision on another filing.
"""

from collections.abc import Iterable

from django.db import connection
from django.db.models import Exists, F, OuterRef, QuerySet

from moc.bulk import fetch_sql
from moc.errors import Conflict
from registry.submissions.models import Decision, StagedDer
from registry.submissions.rules import serial_registered

APPROVED = (StagedDer.Status.APPROVED, StagedDer.Status.APPROVED_LIMITED, StagedDer.Status.DEEMED_APPROVED)
NAMED = 10


def refuse(decisions: Iterable[Decision]) -> None:
    """Raise Conflict when approvals of this transaction, already merged, are overtaken by those of others.

    Whoever writes the same DER waits for the other, so the second sees the first. Two that register the same device under two ids do
    not meet at any row: they pass here one after the other, with the database's deferred checks behind them, until they commit.
    """
    decisions = list(decisions)
    if not decisions:
        return
    rows = StagedDer.objects.filter(submission=decisions[0].review.submission_id, edc=decisions[0].review.edc_id, decision__in=decisions)
    _refuse(
        _superseded(rows),
        "FILED-LATER",
        "A later filing of the same DER is approved already",
        "Deny these rows, or ask the aggregator to withdraw this filing; decide the others.",
    )
    connection.check_constraints()
    fetch_sql("one_at_a_time")
    _refuse(
        serial_registered(rows),
        "DUPLICATE-SERIAL",
        "A device with this manufacturer and serial number was registered meanwhile under another id",
        "Deny these rows, or ask the aggregator about them; decide the others.",
    )


def _superseded(rows: QuerySet[StagedDer]) -> QuerySet[StagedDer]:
    """Rows whose DER was approved from a submission that was handed in after theirs."""
    later = StagedDer.objects.filter(
        aggregator_id=OuterRef("aggregator_id"),
        external_id=OuterRef("external_id"),
        status__in=APPROVED,
        submission__submitted_at__gt=OuterRef("handed_in"),
    )
    return rows.annotate(handed_in=F("submission__submitted_at")).filter(Exists(later))


def _refuse(found: QuerySet[StagedDer], code: str, sentence: str, remedy: str) -> None:
    numbers = list(found.order_by("row_number").values_list("row_number", flat=True)[: NAMED + 1])
    if numbers:
        named = ", ".join(map(str, numbers[:NAMED])) + (" and more" if len(numbers) > NAMED else "")
        raise Conflict(f"{sentence} (rows {named}); nothing was changed.", remedy, code)
