"""Raise alarms from forecasts, curtail charging by envelopes, take that back, and let what is over pass."""

from datetime import datetime, timedelta

from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from moc.access import policy
from moc.errors import UserError
from moc.history import acting
from moc.notices.services import tell
from moc.units import counted
from operations.deferral import reports
from operations.deferral.models import TransformerAlarm
from operations.envelopes.models import EnvelopeRun
from operations.envelopes.services import life
from operations.forecasts.models import Forecast
from operations.outages.services import log

PERMISSION, EVENT, SYSTEM = "manage_grid", "transformer_alarm", "system: transformers looked at"


def look(now: datetime | None = None) -> int:
    """Raise an alarm for each transformer that the latest forecasts of today and tomorrow overload; those of days that are over pass.

    One that a person dealt with is not raised again for the day; else it follows the newest forecast. Returns how many are new."""
    now = now or timezone.now()
    today, raised = timezone.localdate(now), []
    with transaction.atomic(), acting(None, SYSTEM):
        past = TransformerAlarm.objects.filter(status__in=TransformerAlarm.STANDING, day__lt=today)
        if past.exists():
            TransformerAlarm.lifecycle.move(past, "pass", actor=None, reason="system: the day is over")
        latest = Forecast.objects.filter(day__in=(today, today + timedelta(days=1))).seen(now)
        for forecast in latest.select_related("feeder__edc"):
            raised += _raise(forecast)
        for edc in {each.edc for each in raised}:
            own = [each for each in raised if each.edc_id == edc.pk]
            subject = f"{counted(len(own), 'transformers')} forecast above {'its' if len(own) == 1 else 'their'} rating"
            tell(edc, PERMISSION, event=EVENT, subject=subject, url=reverse("operations:transformer_alarms"), alarms=own[:20])
    return len(raised)


def _raise(forecast: Forecast) -> list[TransformerAlarm]:
    known = {each.transformer_id: each for each in TransformerAlarm.objects.filter(feeder=forecast.feeder, day=forecast.day).order_by("pk")}
    made = []
    for facts in reports.overloaded(forecast):
        alarm = known.get(facts["transformer"].pk)
        if alarm is None:
            made.append(TransformerAlarm(edc=forecast.feeder.edc, feeder=forecast.feeder, forecast=forecast, day=forecast.day, **facts))
        elif alarm.status == TransformerAlarm.Status.RAISED and alarm.forecast_id != forecast.pk:
            TransformerAlarm.objects.filter(pk=alarm.pk).update(forecast=forecast, **facts)
    return TransformerAlarm.objects.bulk_create(made)


def evaluate(*, actor, alarm: TransformerAlarm, reason: str = "") -> None:
    """Curtail charging behind the transformer while it is over its rating: envelopes are computed with it, checked, and published as ever.

    Raises NotPermitted, UserError (ALARM-NOTHING, ALARM-RUN)."""
    policy.require(actor, PERMISSION, alarm.edc)
    reason = reason or "Charging curtailed"
    with transaction.atomic(), acting(actor, reason):
        held = TransformerAlarm.objects.select_for_update(of=("self",)).select_related("transformer", "feeder__edc", "edc").get(pk=alarm.pk)
        parts, covered = reports.relief(held)
        if not parts:
            raise UserError(
                "Nobody behind this transformer charges.", "There is nothing to curtail: deactivate the alarm.", "ALARM-NOTHING"
            )
        window = [held.starts_at.isoformat(), held.ends_at.isoformat()]
        caps = {str(der): [-left, 1e6, *window] for der, _, left in parts}
        run = _ordered(actor, held, lambda present: present | caps)
        facts = {"parts": parts, "covered_kw": covered, "run": run}
        TransformerAlarm.lifecycle.move(TransformerAlarm.objects.filter(pk=held.pk), "evaluate", actor=actor, reason=reason, **facts)
        _log(held, actor, "alarm_evaluate", reason, {"peak_kw": held.peak_kw}, {"peak_kw": held.peak_kw - covered, "ders": len(parts)})


def deactivate(*, actor, alarm: TransformerAlarm, reason: str) -> None:
    """Take the alarm out, and what it curtails with it. Raises NotPermitted, ReasonMissing."""
    policy.require(actor, PERMISSION, alarm.edc)
    with transaction.atomic(), acting(actor, reason or "Deactivated"):
        held = TransformerAlarm.objects.select_for_update(of=("self",)).select_related("transformer", "feeder__edc", "edc").get(pk=alarm.pk)
        TransformerAlarm.lifecycle.move(TransformerAlarm.objects.filter(pk=held.pk), "deactivate", actor=actor, reason=reason)
        gone = {str(der) for der, *_ in held.parts}
        if gone and _run_of(held):  # else its set was taken out of force before, and nothing curtails
            _ordered(actor, held, lambda present: {der: cap for der, cap in present.items() if der not in gone})
        _log(held, actor, "alarm_deactivate", reason, {"status": held.status}, {"status": "deactivated"})


def _run_of(alarm: TransformerAlarm) -> EnvelopeRun | None:
    """The newest run up to the end of the alarm's hours, not of a part of them only, that was neither replaced nor taken out."""
    runs = EnvelopeRun.objects.of_feeder(alarm.feeder).overlapping(alarm.starts_at, alarm.ends_at).filter(status__in=EnvelopeRun.LIVE)
    return runs.filter(ends_at__gte=alarm.ends_at).order_by("-pk").first()


def _ordered(actor, alarm: TransformerAlarm, change) -> EnvelopeRun:
    """The newest window of envelopes over the alarm's hours, from the present interval on, with other limits of operators."""
    run = _run_of(alarm)
    if run is None:
        raise UserError("No envelopes of these hours were computed.", "Have them computed first.", "ALARM-RUN")
    step = timedelta(minutes=run.step_minutes)
    starts_at = max(run.starts_at, run.starts_at + (timezone.now() - run.starts_at) // step * step)
    window = {"starts_at": starts_at, "ends_at": run.ends_at, "step_minutes": run.step_minutes}
    return life.order_until(actor=actor, feeder=alarm.feeder, caps=change(run.caps), reason=f"Alarm of {alarm}", **window)


def _log(alarm: TransformerAlarm, actor, act: str, reason: str, before: dict, after: dict) -> None:
    said = {"subject": f"Transformer {alarm}", "reason": reason, "edc": alarm.edc, "feeder": alarm.feeder}
    log.write(actor=actor, act=act, before=before, after=after, **said)


MOVES = {"evaluate": evaluate, "deactivate": deactivate}
