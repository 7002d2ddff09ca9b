"""Background work of aggregations; each task is idempotent. A file is taken whole or not at all, as the job's outcome tells."""

from celery import shared_task
from django.db import transaction

from moc import sight
from moc.documents.models import Document
from moc.jobs.models import Job
from moc.jobs.services import running
from registry.aggregations.models import Aggregation
from registry.aggregations.services import agents, consents, membership


@shared_task
def load(pk: int) -> None:
    """Add or drop the members that a file names."""
    with running(pk) as (job, progress):
        if job is None or job.outcome:  # its members were committed, and the worker died
            return
        asked = job.arguments
        with sight.engine():  # the service asks the policy again
            aggregation = Aggregation.objects.select_related("aggregator").get(pk=asked["aggregation"])
            document = Document.objects.get(pk=asked["document"])
        with transaction.atomic():
            outcome = membership.carry_out_file(
                actor=job.actor,
                aggregation=aggregation,
                document=document,
                leaving=asked["leaving"],
                only_good=asked["only_good"],
                progress=progress,
            )
            job.outcome = outcome.told()
            Job.objects.filter(pk=job.pk).update(outcome=job.outcome)


@shared_task
def end_without_consent(pk: int) -> None:
    """An owner revoked a consent: who was a member by it leaves now."""
    with running(pk) as (job, _):
        if job is not None:
            job.outcome = {"ders": consents.end_without_consent()}


@shared_task
def end_expired_consents() -> int:
    """The beat's look at consents that have expired."""
    return consents.end_without_consent()


@shared_task
def end_agents() -> int:
    """The beat's look at agents whose last day is over."""
    return agents.end_due()
