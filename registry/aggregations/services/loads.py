"""Members by file: kept, then read in the background; the job's outcome says what came of it."""

from moc.access import policy
from moc.documents.models import Document
from moc.documents.services import store
from moc.history import acting
from moc.jobs import services as jobs
from moc.jobs.models import Job
from registry.aggregations.models import Aggregation

TASK = "registry.aggregations.tasks.load"


def receive(*, actor, aggregation: Aggregation, upload, leaving: bool = False, only_good: bool = False) -> Job:
    """Keep a file of members and have it read: they are added, or with `leaving` dropped. One bad row keeps all out, or `only_good`."""
    policy.require(actor, "file_ders", aggregation.aggregator)
    with acting(actor, f"Uploaded {upload.name}"):
        document = store(actor=actor, owner=aggregation.aggregator, kind=Document.Kind.UPLOAD, upload=upload)
        about = {"aggregation": aggregation.pk, "document": document.pk, "leaving": leaving, "only_good": only_good}
        return jobs.enqueue(actor=actor, task=TASK, title=f"{'Dropping' if leaving else 'Adding'} members: {document.name}", **about)
