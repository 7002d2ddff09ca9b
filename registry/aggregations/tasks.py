"""Background work of aggregations; the task takes a job's id and is idempotent: all of a file or nothing, told in the job's outcome."""

from celery import shared_task
from django.db import transaction

from moc import sight
from moc.documents.models import Document
from moc.jobs.models import Job
from moc.jobs.services import running
from registry.aggregations.models import Aggregation
from registry.aggregations.services import membership


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
