"""The aggregator's verbs for registered DERs: every later change starts as a draft of the same engine (Order 2222 ¶336, ¶338)."""

from collections.abc import Mapping
from datetime import date

from django.db.models import QuerySet
from django.utils import timezone

from moc.access import policy
from moc.access.models import Organization
from moc.bulk import run_sql
from moc.errors import UserError
from moc.history import acting
from registry.ders.models import Der
from registry.submissions import change_rules
from registry.submissions.kinds import MEMBERSHIP, Kind
from registry.submissions.models import StagedDer, Submission
from registry.submissions.services import classifying, filing, locks, staging

MOST_BY_HAND = 500
KINDS = [kind for kind in change_rules.CHANGING if kind not in MEMBERSHIP]
Values = Mapping[str, object]


def start(
    *,
    actor,
    aggregator: Organization,
    kind: str,
    ders: QuerySet[Der],
    reason: str,
    day: date | None = None,
    values: Mapping[int, Values] | None = None,
    source: str = Submission.Source.FORM,
) -> Submission:
    """A draft that holds the aggregator's DERs as they are registered, to be changed, attested and submitted as any other.

    `values` are other values by DER and filing column; `day` the last day of what retires. Raises UserError for no reason, no DER, or
    values of more DERs than a form should carry.
    """
    policy.require(actor, "file_ders", aggregator)
    _require(kind, reason)
    if values and len(values) > MOST_BY_HAND:
        raise UserError(f"More than {MOST_BY_HAND} DERs are changed one by one.", "Upload a file instead.", "CHANGE-BY-FILE")
    mine = Der.objects.filter(pk__in=ders.order_by().values("pk"), aggregator=aggregator)
    if not mine.exists():
        raise UserError("No DERs are selected.", "Select DERs of yours, or change the filter.", "CHANGE-EMPTY")
    with acting(actor, reason.strip()):
        submission = Submission.objects.create(
            aggregator=aggregator,
            kind=kind,
            source=source,
            title=f"{Kind(kind).label}: {reason.strip()}"[:200],
            reason=reason.strip()[:300],
            created_by=actor,
        )
        _stage(submission, mine, day)
        for der, columns in (values or {}).items():
            row = StagedDer.objects.get(submission=submission, der=der)
            filing.save_row(actor=actor, submission=submission, values=columns, row=row)
        staging.check(locks.submission_of(submission))
    submission.refresh_from_db()
    return submission


def _require(kind: str, reason: str) -> None:
    if kind not in KINDS:
        raise UserError("This is no kind of change.", f"Choose one of {', '.join(KINDS)}.", "CHANGE-KIND")
    if not reason.strip():
        raise UserError("A change needs a reason.", "Say why in a sentence.", "REASON")


def _stage(submission: Submission, ders: QuerySet[Der], day: date | None) -> None:
    """The chosen DERs with their owners, as sealed as they are registered."""
    retires = submission.kind == Kind.RETIRE
    change = StagedDer.Change.CHANGED if retires else StagedDer.Change.UNCHANGED
    last_day = {"decommissioned_on": day or timezone.localdate()} if retires else {}
    classifying.stage(submission, ders, change, last_day)
    run_sql("keep_owners", {"submission": submission.pk, "offset": 0})


def sell_home(
    *,
    actor,
    stay: QuerySet[Der],
    leave: QuerySet[Der],
    owner: Values,
    consent_reference: str,
    moves_to: str,
    reason: str,
    source: str = Submission.Source.FORM,
) -> Submission:
    """A home is sold: what stays goes to the new `owner`; what leaves moves to another service point, or retires where none is given.

    Without DERs that leave it is a transfer to another owner. All DERs are at one service point and one aggregator's.
    """
    ders = stay | leave
    parties = {der.aggregator for der in ders.select_related("aggregator")}
    if len(parties) != 1 or None in parties or ders.order_by().values("service_point").distinct().count() != 1:
        raise UserError("These DERs are not at one place and of one aggregator.", "Choose the DERs of one home.", "CHANGE-ONE-HOME")
    new = {**owner, "consent_reference": consent_reference}
    away = {"usage_point_id": moves_to} if moves_to else {"decommissioned_on": timezone.localdate()}
    return start(
        actor=actor,
        aggregator=parties.pop(),
        kind=Kind.RELOCATE if leave.exists() else Kind.TRANSFER,
        ders=ders,
        reason=reason,
        values=dict.fromkeys(stay.values_list("pk", flat=True), new) | dict.fromkeys(leave.values_list("pk", flat=True), away),
        source=source,
    )
