"""Load, approve and reject network versions."""

from pathlib import PurePath

from django.db import transaction
from django.utils import timezone

from moc.access import policy
from moc.documents.models import Document
from moc.documents.services import store
from moc.errors import UserError
from moc.history import acting
from moc.jobs import services as jobs
from operations.network.models import NetworkVersion
from registry.grid.models import Feeder

PERMISSION = "manage_grid"
TASK = "operations.network.tasks.read"
Source = NetworkVersion.Source
ENDINGS = {Source.OPENDSS: (".dss", ".zip"), Source.CIM: (".xml", ".rdf"), Source.TABLE: (".csv",)}


def receive(*, actor, feeder: Feeder, source: str, upload) -> NetworkVersion:
    """Keep a file of a feeder's network and have it read and checked in the background; the version's `job` shows progress.

    actor: None for the platform itself. Raises UserError (NET-ENDING)."""
    if actor is not None:
        policy.require(actor, PERMISSION, feeder.edc)
    _require_ending(upload.name, source)
    with acting(actor, f"{'' if actor else 'system: '}Uploaded {upload.name}"):
        document = store(actor=actor, owner=feeder.edc, kind=Document.Kind.GRID, upload=upload)
        facts = {"edc": feeder.edc, "feeder": feeder, "source": source, "document": document, "loaded_by": actor}
        version = NetworkVersion.objects.create(**facts)
        version.job = jobs.enqueue(actor=actor, task=TASK, title=f"Reading {document.name}", version=version.pk)
        version.save(update_fields=["job"])
        return version


def _require_ending(name: str, source: str) -> None:
    """A file is of the kind that its name says: a table that was read as OpenDSS would fail later, with other words."""
    ending = PurePath(name).suffix.lower()
    if ending in ENDINGS[source]:
        return
    fitting = next((kind for kind, endings in ENDINGS.items() if ending in endings), None)
    said = f"“{name[:80]}” is no file of the kind “{Source(source).label}”: such a name ends in {' or '.join(ENDINGS[source])}."
    remedy = f"Choose the kind “{fitting.label}”, or another file." if fitting else "Choose another file, or the kind that it is of."
    raise UserError(said, remedy, "NET-ENDING", ("source" if fitting else "file",))


def approve(*, actor, version: NetworkVersion, reason: str = "") -> None:
    """Make a checked version the feeder's current one; the one before is superseded. By another person than the one who loaded it.

    Raises UserError (NET-FOUR-EYES)."""
    policy.require(actor, PERMISSION, version.edc)
    if version.loaded_by_id == actor.pk:
        raise UserError("You loaded this model yourself.", "Have a second person of your utility approve it.", "NET-FOUR-EYES")
    now = timezone.now()
    with transaction.atomic():
        Feeder.objects.select_for_update(of=("self",)).get(pk=version.feeder_id)
        with acting(actor, f"Network of {version.feeder} replaced"):
            before = NetworkVersion.objects.filter(feeder=version.feeder_id, status=NetworkVersion.Status.CURRENT)
            if before.exists():
                NetworkVersion.lifecycle.move(before, "supersede", actor=None, reason="system: a newer model was approved", valid_until=now)
        rows = NetworkVersion.objects.filter(pk=version.pk)
        NetworkVersion.lifecycle.move(rows, "approve", actor=actor, reason=reason, approved_by=actor, valid_from=now)


def reject(*, actor, version: NetworkVersion, reason: str = "") -> None:
    """Refuse a checked version, with a reason."""
    policy.require(actor, PERMISSION, version.edc)
    NetworkVersion.lifecycle.move(NetworkVersion.objects.filter(pk=version.pk), "reject", actor=actor, reason=reason)


def failed(*, version: NetworkVersion, reason: str) -> None:
    """The file could not be read, or reading was cancelled: nothing of it is kept but the file."""
    reading = NetworkVersion.objects.filter(pk=version.pk, status=NetworkVersion.Status.READING)
    if reading.exists():
        NetworkVersion.lifecycle.move(reading, "fail", actor=None, reason=f"system: {reason}"[:500])


MOVES = {"approve": approve, "reject": reject}
