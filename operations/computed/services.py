"""Order what a job computes, compute it again, run its job and end it; a model's own slice says what is computed and who may ask."""

from collections.abc import Callable

from django.db import transaction

from moc.history import acting
from moc.jobs import services as jobs
from moc.jobs.models import Job
from operations.computed.models import COMPUTING, Computed
from operations.network.models import NetworkVersion


def ordered(model: type[Computed], key: dict, facts: dict, *, actor, reason: str, title: str = "") -> tuple[Computed, bool]:
    """The row of a key and whether it was made now, which then has its job; actor: None for the platform itself."""
    with transaction.atomic(), acting(actor, reason):
        found, made = model.objects.get_or_create(**key, defaults=facts)
        if made:
            begun(found, actor, title)
    return found, made


def of(version: NetworkVersion) -> tuple[dict, dict]:
    """The part of a key and of the facts that a network says."""
    return {"feeder": version.feeder, "topology_hash": version.topology_hash}, {"edc_id": version.edc_id, "network": version}


def begun(found: Computed, actor, title: str = "") -> Computed:
    """The row with a job that computes it, by a worker that knows its feeder."""
    said = {found.ARGUMENT: found.pk} | ({"place": found.feeder_id} if hasattr(found, "feeder_id") else {})
    found.job = jobs.enqueue(actor=actor, task=found.TASK, title=title or str(found), **said)
    type(found).objects.filter(pk=found.pk).update(job=found.job)
    return found


def again(*, actor, found: Computed, reason: str) -> None:
    """Compute once more, with what is registered and measured by now. Raises TransitionRefused."""
    with transaction.atomic(), acting(actor, reason):
        found.lifecycle.move(type(found).objects.filter(pk=found.pk), "again", actor=actor, reason=reason)
        begun(found, actor)


def finish(found: Computed, reason: str, **facts) -> None:
    """It is computed. Runs inside acting()."""
    found.lifecycle.move(type(found).objects.filter(pk=found.pk), "finish", actor=None, reason=reason, **facts)


def failed(found: Computed, reason: str) -> None:
    """It could not be computed, or was cancelled; what was there before stays."""
    rows = type(found).objects.filter(pk=found.pk, status=COMPUTING)
    if rows.exists():
        found.lifecycle.move(rows, "fail", actor=None, reason=f"system: {reason}"[:500])


def carry(pk: int, model: type[Computed], compute: Callable[..., dict], *related: str) -> None:
    """The body of a task: compute the row that job `pk` names with compute(row, progress), unless that was done."""

    def put_back(job: Job, reason: str) -> None:
        failed(model.objects.get(pk=job.arguments[model.ARGUMENT]), reason)

    with jobs.running(pk, put_back=put_back) as (job, progress):
        if job is None:
            return
        found = model.objects.select_related(*related).get(pk=job.arguments[model.ARGUMENT])
        if found.status == COMPUTING:  # else a worker died after its commit
            job.outcome = compute(found, progress)
