"""Background work of interconnection; a task takes a job's id and is idempotent."""

from celery import shared_task

from moc.jobs.models import Job
from moc.jobs.services import running
from operations.interconnection.models import InterconnectionStudy
from operations.interconnection.services import studying


@shared_task
def study(pk: int) -> None:
    """Compute one study."""
    with running(pk, put_back=_not_studied) as (job, _):
        if job is None:
            return
        found = InterconnectionStudy.objects.select_related("network", "feeder__edc", "service_point").get(pk=job.arguments["study"])
        if found.status == InterconnectionStudy.Status.COMPUTING:  # else a worker died after its commit
            job.outcome = studying.carry_out(found)


def _not_studied(job: Job, reason: str) -> None:
    studying.failed(study=InterconnectionStudy.objects.get(pk=job.arguments["study"]), reason=reason)
