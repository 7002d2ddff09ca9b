"""The verbs of a switch: file it with the customer's authorisation, object or agree, and the tenures that follow the utility's decision."""

from collections.abc import Iterable
from datetime import date

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from moc import sight
from moc.access import policy
from moc.access.models import Organization
from moc.documents.models import Document
from moc.documents.services import store
from moc.errors import Conflict, UserError
from moc.history import acting
from moc.intervals import end_of_day_after
from moc.notices.services import tell
from moc.rulesets.models import RuleSet
from moc.units import counted
from registry.ders.models import Der
from registry.ders.services.tenures import take_over
from registry.submissions.kinds import Kind
from registry.submissions.models import Decision, StagedDer, Submission, UtilityReview
from registry.submissions.reports import last_day
from registry.submissions.services import classifying, locks, staging
from registry.submissions.switching import LookUp, SwitchNotice, moving

LOOK_UP_HOLDS = timezone.timedelta(days=30)
Status = SwitchNotice.Status


def start(
    *, actor, look_ups: Iterable[LookUp], starts_on: date, authorisation: str, evidence, source: str = Submission.Source.FORM
) -> Submission:
    """A draft of a switch of the DERs that were identified, with the customer's signed authorisation; submitted as any other.

    Raises UserError for look-ups of others, without DERs or too old, a past day, or no authorisation.
    """
    look_ups = list(look_ups)
    parties = {look.aggregator for look in look_ups}
    if len(parties) != 1:
        raise UserError("A switch is filed by one aggregator, of what it has looked up.", "Look the DERs up first.", "SWITCH-LOOK-UP")
    aggregator = parties.pop()
    policy.require(actor, "file_ders", aggregator)
    found = {each["der"] for look in look_ups if look.at > timezone.now() - LOOK_UP_HOLDS for each in look.ders}
    ders = Der.objects.registered().filter(uuid__in=found).exclude(aggregator=aggregator)
    with sight.engine():  # the DERs are another party's still
        _require(ders, starts_on, authorisation, evidence)
    with transaction.atomic(), acting(actor, f"Switch of aggregator, authorised by the customer: {authorisation.strip()}"[:300]):
        document = store(actor=actor, owner=aggregator, kind=Document.Kind.EVIDENCE, upload=evidence, counterparty=ders[0].edc)
        submission = Submission.objects.create(
            aggregator=aggregator,
            kind=Kind.SWITCH,
            source=source,
            title=f"Switch of {counted(ders.count(), 'DERs')} from {starts_on}",
            reason=f"Authorised by the customer: {authorisation.strip()}"[:300],
            starts_on=starts_on,
            document=document,
            created_by=actor,
        )
        _stage(submission, ders, authorisation.strip())
        staging.check(locks.submission_of(submission))
    submission.refresh_from_db()
    return submission


def _require(ders, starts_on: date, authorisation: str, evidence) -> None:
    if not authorisation.strip() or evidence is None:
        raise UserError(
            "A switch shows the customer's authorisation.", "Give its reference and attach what was signed.", "SWITCH-AUTHORISATION"
        )
    if starts_on < timezone.localdate():
        raise UserError("A tenure begins today or later.", "Choose a day.", "TENURE-PAST")
    if not ders.exists():
        raise UserError("No DER of another party was identified.", "Look it up, by two facts.", "SWITCH-LOOK-UP")
    if ders.order_by().values("edc").distinct().count() != 1:
        raise UserError("These DERs are of several utilities.", "File one switch for each utility.", "SWITCH-EDC")


def _stage(submission: Submission, ders, authorisation: str) -> None:
    """Rows that name the DER and nothing of what its present holder filed."""
    StagedDer.objects.bulk_create(
        StagedDer(
            submission=submission,
            row_number=number,
            change=StagedDer.Change.CHANGED,
            aggregator=submission.aggregator,
            edc_id=der.edc_id,
            der=der,
            external_id=str(der.uuid),
            der_type=der.der_type,
            consent_reference=authorisation[:80],
        )
        for number, der in enumerate(ders.order_by("pk"), start=1)
    )


def warn_holders(review: UtilityReview) -> None:
    """Each present holder is told, and its objection window opens; inside acting(), when the review begins."""
    submission = review.submission
    days = RuleSet.objects.value_of("switch_objection_days", timezone.localdate(), classifying.market_of(review.edc))
    due = end_of_day_after(timezone.now(), days, settings.TIME_ZONE)
    held: dict[Organization, list[str]] = {}
    for der in moving(submission).filter(edc=review.edc, aggregator__isnull=False).select_related("aggregator").order_by("pk"):
        held.setdefault(der.aggregator, []).append(der.external_id)
    for former, names in held.items():
        notice = SwitchNotice.objects.create(
            submission=submission,
            review=review,
            aggregator=submission.aggregator,
            former=former,
            edc=review.edc,
            row_count=len(names),
            ders=names,
            starts_on=submission.starts_on,
            due_at=due,
        )
        tell(
            former,
            "file_ders",
            event="switch_notice",
            subject=f"A customer switches {counted(len(names), 'DERs')} to {submission.aggregator}: object until {last_day(due)}",
            url=f"/registry/switches/{notice.uuid}/",
            notice=notice,
        )


def answer(*, actor, notice: SwitchNotice, name: str, ground: str = "", statement: str = "") -> SwitchNotice:
    """Agree, or object on a ground of the closed list, while the window is open. Raises UserError or Conflict."""
    policy.require(actor, "file_ders", notice.former)
    if name == "object" and (ground not in SwitchNotice.Ground.values or not statement.strip()):
        raise UserError("An objection has a ground of the closed list, and says why.", "Choose one, and write it.", "OBJECTION-GROUND")
    with acting(actor, statement.strip()[:300] or "Agreed to the switch"):
        notice = SwitchNotice.objects.select_for_update(of=("self",)).select_related("edc", "former", "submission").get(pk=notice.pk)
        if not notice.is_running:
            raise Conflict("The window for objections is over.", "Write to the utility, which decides.", "OBJECTION-LATE")
        said = {"ground": ground, "statement": statement.strip()} if name == "object" else {}
        rows = SwitchNotice.objects.filter(pk=notice.pk)
        SwitchNotice.lifecycle.move(
            rows, name, actor=actor, reason=statement.strip() or "Agreed", answered_by=actor, answered_at=timezone.now(), **said
        )
        notice.refresh_from_db()
        for party, permission in ((notice.edc, "review_ders"), (notice.aggregator, "file_ders")):
            tell(
                party,
                permission,
                event="switch_answered",
                subject=f"{notice.former}: {notice.get_status_display().lower()} ({counted(notice.row_count, 'DERs')})",
                url=f"/registry/switches/{notice.uuid}/",
                notice=notice,
            )
    return notice


def close_windows(now=None) -> int:
    """End the windows whose days are over without an answer, and tell the utility that it may decide; returns how many. Idempotent."""
    now, closed = now or timezone.now(), 0
    late = SwitchNotice.objects.filter(status=Status.OPEN, due_at__lte=now)
    for pk in list(late.values_list("pk", flat=True)):
        with acting(None, "system: the window for objections is over"):
            rows = late.select_for_update(of=("self",), skip_locked=True).select_related("edc", "former", "aggregator", "review")
            for notice in rows.filter(pk=pk):
                only = SwitchNotice.objects.filter(pk=pk)
                closed += SwitchNotice.lifecycle.move(only, "lapse", actor=None, reason="system: the window for objections is over")
                for party, permission in ((notice.edc, "review_ders"), (notice.aggregator, "file_ders"), (notice.former, "file_ders")):
                    tell(
                        party,
                        permission,
                        event="switch_window_over",
                        subject=f"{notice.former} has not objected to a switch of {counted(notice.row_count, 'DERs')}",
                        url=f"/registry/switches/{notice.uuid}/",
                        notice=notice,
                    )
    return closed


def require_heard(review: UtilityReview, statement: str) -> None:
    """A switch is approved when the former aggregators were heard; over an objection only with a statement. Raises Conflict."""
    notices = list(SwitchNotice.objects.filter(review=review))
    running = [notice for notice in notices if notice.is_running]
    if running:
        until = last_day(max(notice.due_at for notice in running))
        raise Conflict(
            f"The present aggregator may object until {until}.", "Decide when it has answered, or when the window is over.", "SWITCH-WINDOW"
        )
    if any(notice.status == Status.OBJECTED for notice in notices) and not statement.strip():
        raise Conflict("The present aggregator objects.", "Say in the statement why you approve all the same, or deny.", "SWITCH-OBJECTED")


def carry_out(decision: Decision) -> None:
    """The tenures change on the day that was filed, or today where it has passed; the day before is the former's last; inside acting()."""
    submission = decision.review.submission
    rows = StagedDer.objects.filter(submission=submission, decision=decision)
    told = SwitchNotice.objects.filter(review=decision.review).values("former")
    ders = Der.objects.filter(pk__in=rows.order_by().values("der"))
    if ders.filter(aggregator__isnull=False).exclude(aggregator__in=told).exists():
        raise Conflict(
            "Some of these DERs came to another aggregator meanwhile, who was not heard.", "Deny those rows.", "SWITCH-HELD-BY-ANOTHER"
        )
    take_over(ders=ders, aggregator=submission.aggregator, on=max(submission.starts_on, timezone.localdate()))
