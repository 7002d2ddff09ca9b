"""The RTO's verbs on who joins its aggregations: validate, or deny by a rule that would be broken; and its clock."""

from django.db import transaction
from django.utils import timezone

from moc.access import policy
from moc.errors import Conflict
from moc.history import acting
from moc.notices.services import tell
from registry.aggregations.rules import CONSENT, DER, GONE, TAKEN
from registry.prequalification import reports
from registry.prequalification.services import deciding, passes
from registry.submissions.membership import MemberValidation, StagedMember
from registry.submissions.services import members

VALIDATE = "validate_aggregations"
DENIALS = deciding.DENIALS | {rule.code: rule for rule in (TAKEN, CONSENT, GONE, DER)}


class _LookedAt(Exception):
    """Ends a transaction that was only made to look at what it would bring."""


@transaction.atomic
def validate(*, actor, validation: MemberValidation, statement: str = "") -> MemberValidation:
    """They join. Raises Conflict where the aggregation would then not qualify, or some cannot join any more."""
    with acting(actor, statement.strip() or "Validated who joins"):
        held = _held(actor, validation)
        members.take_effect(held.submission)
        if broken := _broken(held):
            raise Conflict(f"{held.aggregation} would not qualify: {', '.join(broken)}.", "Deny by one of these rules.", "NOT-QUALIFIED")
        return _decide(actor, held, "validate", statement=statement.strip())


@transaction.atomic
def deny(*, actor, validation: MemberValidation, rule: str, statement: str = "") -> MemberValidation:
    """They do not join, by a rule that would be broken. Raises Conflict for any other: a denial is not at will (¶160)."""
    with acting(actor, statement.strip() or f"Denied by {rule}"):
        held = _held(actor, validation)
        broken = would_break(held)
        if rule not in broken:
            raise Conflict(
                f"{held.aggregation} would not break {rule or 'that rule'}.", f"Name one of: {', '.join(broken) or 'none'}.", "DENIAL-RULE"
            )
        return _decide(actor, held, "deny", rule=rule, statement=statement.strip())


def would_break(held: MemberValidation) -> list[str]:
    """The rules that would be broken if they joined, found by letting them join and taking it back; inside acting()."""
    broken: list[str] = []
    try:
        with transaction.atomic():
            members.take_effect(held.submission)
            broken = _broken(held)
            raise _LookedAt
    except _LookedAt:
        return broken
    except Conflict as refusal:
        return [refusal.code]


def _broken(held: MemberValidation) -> list[str]:
    """The rules that the aggregation breaks with the members that it has at this moment, each judged anew."""
    ders = StagedMember.objects.filter(submission=held.submission_id).order_by().values_list("der", flat=True).distinct()
    passes.qualify(ders=list(ders), aggregations=[held.aggregation_id])
    return deciding.grounds(reports.verdicts(held.aggregation))


def _held(actor, validation: MemberValidation) -> MemberValidation:
    policy.require(actor, VALIDATE, validation.tso)
    rows = MemberValidation.objects.select_related("submission__aggregation__tso", "aggregation__tso", "tso", "aggregator")
    held = rows.select_for_update(of=("self",)).get(pk=validation.pk)
    if held.status != MemberValidation.Status.OPEN:
        raise Conflict("This is decided already.", "Reload the page.")
    return held


def _decide(actor, held: MemberValidation, name: str, **said) -> MemberValidation:
    reason = said["statement"] or said.get("rule", "")
    only = MemberValidation.objects.filter(pk=held.pk)
    MemberValidation.lifecycle.move(only, name, actor=actor, reason=reason, decided_by=actor, decided_at=timezone.now(), **said)
    held.refresh_from_db()
    tell(
        held.aggregator,
        "file_ders",
        event="members_validated",
        author=actor,
        subject=f"{held}: {held.get_status_display().lower()} by {held.tso}",
        url=f"/registry/member-validations/{held.uuid}/",
        validation=held,
    )
    return held


def check_clocks() -> int:
    """Tell both parties once of each validation whose days are over; returns how many. Idempotent."""
    told, now = 0, timezone.now()
    late = MemberValidation.objects.filter(status=MemberValidation.Status.OPEN, due_at__lte=now, escalated_at=None)
    for pk in list(late.values_list("pk", flat=True)):
        with transaction.atomic(), acting(None, "system: the RTO's clock"):
            rows = late.select_for_update(of=("self",), skip_locked=True).select_related("tso", "aggregator", "aggregation")
            for held in rows.filter(pk=pk):
                MemberValidation.objects.filter(pk=pk).update(escalated_at=now)
                for party, permission in ((held.tso, VALIDATE), (held.aggregator, "file_ders")):
                    subject = f"{held}: the days for the RTO's validation are over"
                    url = f"/registry/member-validations/{held.uuid}/"
                    tell(party, permission, event="members_overdue", subject=subject, url=url, validation=held)
                told += 1
    return told
