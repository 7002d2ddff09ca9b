"""Background work of envelopes: one task a feeder and window, idempotent; and the day ahead on the beat."""

from datetime import datetime, time, timedelta

from celery import shared_task
from django.utils import timezone

from moc.jobs.models import Job
from moc.jobs.services import running
from operations.envelopes.models import EnvelopeRun
from operations.envelopes.services import computing, life
from operations.network.models import NetworkVersion

DAY_HOURS, STEP_MINUTES = 24, 30


@shared_task
def compute(pk: int) -> None:
    """Compute one run, and publish it where the feeder's policy says so and every interval passed."""
    with running(pk, put_back=_not_computed) as (job, progress):
        if job is None:
            return
        run = EnvelopeRun.objects.select_related("network", "feeder__edc").get(pk=job.arguments["run"])
        if run.status == EnvelopeRun.Status.COMPUTING:  # else a worker died after its commit
            job.outcome = computing.carry_out(run, progress)
            run.refresh_from_db()
            if run.unchecked == 0 and life.policy_for(run.feeder).auto_publish:
                life.publish(actor=None, run=run)


def _not_computed(job: Job, reason: str) -> None:
    life.failed(run=EnvelopeRun.objects.get(pk=job.arguments["run"]), reason=reason)


@shared_task
def day_ahead() -> int:
    """Orders tomorrow's envelopes of every feeder that has a current network; what was ordered already stays. Returns how many feeders."""
    tomorrow = timezone.localdate() + timedelta(days=1)
    starts_at = timezone.make_aware(datetime.combine(tomorrow, time()))
    current = NetworkVersion.objects.filter(status=NetworkVersion.Status.CURRENT).select_related("feeder__edc")
    for version in current:
        life.order(actor=None, feeder=version.feeder, starts_at=starts_at, hours=DAY_HOURS, step_minutes=STEP_MINUTES)
    return len(current)
