"""The utility's verbs: load a file of grid records, and take the good rows of one that was refused."""

from moc.access import policy
from moc.access.models import Organization
from moc.documents.models import Document
from moc.documents.services import store
from moc.history import acting
from moc.jobs import services as jobs
from moc.jobs.models import Job
from registry.grid.models import GridLoad

TASK = "registry.grid.tasks.load"


def receive(*, actor, edc: Organization, kind: str, upload, only_good: bool = False) -> GridLoad:
    """Keep a file of grid records and have it loaded in the background; the load's `job` shows progress.

    Without `only_good` one row with an error keeps the whole file out.
    """
    policy.require(actor, "manage_grid", edc)
    with acting(actor, f"Uploaded {upload.name}"):
        document = store(actor=actor, owner=edc, kind=Document.Kind.GRID, upload=upload)
        load = GridLoad.objects.create(edc=edc, kind=kind, only_good=only_good, document=document, created_by=actor)
        return _enqueue(actor, load)


def take_good(*, actor, load: GridLoad) -> GridLoad:
    """Load the good rows of a file that was refused for its bad ones."""
    policy.require(actor, "manage_grid", load.edc)
    with acting(actor, "Load the good rows"):
        GridLoad.lifecycle.move(GridLoad.objects.filter(pk=load.pk), "take_good", actor=actor, only_good=True)
        load.refresh_from_db()
        return _enqueue(actor, load)


def _enqueue(actor, load: GridLoad) -> GridLoad:
    load.job = jobs.enqueue(actor=actor, task=TASK, title=f"Loading {load.document.name}", load=load.pk)
    load.save(update_fields=["job"])
    return load


def failed(*, load: GridLoad, reason: str) -> None:
    """The file could not be read, or reading was cancelled: nothing of it is kept but the file."""
    reading = GridLoad.objects.filter(pk=load.pk, status=GridLoad.Status.READING)
    if reading.exists():
        GridLoad.lifecycle.move(reading, "fail", actor=None, reason=f"system: {reason}"[:500])


def end_abandoned() -> int:
    """Files whose job was given up, its worker having died each time, are not being read any more. Returns how many."""
    ended = [Job.Status.FAILED, Job.Status.CANCELLED]
    given_up = GridLoad.objects.filter(status=GridLoad.Status.READING, job__status__in=ended).select_related("job")
    for load in given_up:
        failed(load=load, reason=load.job.error or "reading was given up")
    return len(given_up)
