"""Snapshots: asked for, written in the background, kept for some days."""

from datetime import date, datetime, timedelta
from tempfile import TemporaryFile

from django.core.files import File
from django.db import transaction
from django.utils import timezone

from moc.access import policy
from moc.access.models import Organization
from moc.accesslog.services import exported
from moc.documents import services as documents
from moc.documents.models import Document
from moc.errors import UserError
from moc.history import acting
from moc.jobs import services as jobs
from moc.notices.services import notify
from moc.seals import services as seals
from moc.seals.models import Seal
from moc.snapshots import archive
from moc.snapshots.models import Snapshot

PERMISSION, TASK, KEPT_DAYS = "audit", "moc.snapshots.tasks.write", 7


@transaction.atomic
def ask(
    *,
    actor,
    organization: Organization,
    moment: datetime | None = None,
    valid_on: date | None = None,
    format: str = Snapshot.Format.PARQUET,
) -> Snapshot:
    """Have the registry as recorded at `moment` (now, without one) written, of what the organisation may see; of records that hold during
    days those that hold on `valid_on`, all of them without one.

    Raises UserError for a time to come.
    """
    policy.require(actor, PERMISSION, organization)
    now = timezone.now()
    if moment is not None and moment > now:
        raise UserError(
            "Nothing is recorded yet of a time to come.", "Ask for a moment that is past, or for none: then it is now.", "FUTURE"
        )
    snapshot = Snapshot(organization=organization, moment=moment or now, valid_on=valid_on, format=format, requested_by=actor)
    with acting(actor, f"{snapshot} asked for"):
        snapshot.save()
        snapshot.job = jobs.enqueue(actor=actor, task=TASK, title=str(snapshot), snapshot=snapshot.pk)
        snapshot.save(update_fields=["job"])
    return snapshot


def write(snapshot: Snapshot, actor, progress) -> dict:
    """Write the archive, keep it as a document of the organisation, and tell who asked. Returns the job's outcome.

    What is new is sealed first, so that a seal covers every row; the seal stays the same however often a worker dies.
    """
    organization = snapshot.organization
    policy.require(actor, PERMISSION, organization)
    if snapshot.seal is None:
        snapshot.seal = _covering()
        with acting(actor, f"{snapshot} under {snapshot.seal}"):
            Snapshot.objects.filter(pk=snapshot.pk).update(seal=snapshot.seal)
    with TemporaryFile() as out:
        rows = archive.write(out, snapshot, policy.within(actor, organization), progress)
        out.seek(0)
        name = f"snapshot-{timezone.localtime(snapshot.moment):%Y-%m-%dT%H%M}-{snapshot.format}.zip"
        with acting(actor, f"Wrote {name}"):
            document = documents.store(actor=actor, owner=organization, kind=Document.Kind.SNAPSHOT, upload=File(out, name=name))
            expires_at = timezone.now() + timedelta(days=KEPT_DAYS)
            Snapshot.objects.filter(pk=snapshot.pk).update(document=document, row_count=rows, expires_at=expires_at)
            said = {"what": str(snapshot), "format": snapshot.format, "rows": rows, "as_of": snapshot.moment}
            exported(actor=actor, organization=organization, holder=organization.pk, **said)
            notify(
                [actor],
                event="snapshot_ready",
                subject=f"{snapshot} is ready",
                body=f"{name} ({document.size:,} bytes) can be downloaded for {KEPT_DAYS} days.",
                url="/snapshots/",
            )
    return {"document": str(document.uuid), "rows": rows, "seal": snapshot.seal.number}


def _covering() -> Seal:
    """The last seal, made now where something is new. Raises UserError while nothing could be sealed."""
    sealed = seals.seal() or Seal.objects.first()
    if sealed is None:
        raise UserError("Nothing is sealed yet.", "Ask again when the first seal is made, within the hour.", "NO-SEAL")
    return sealed


def expire(now=None) -> int:
    """The beat's sweep: archives whose days are over are removed. Returns how many."""
    over = Snapshot.objects.filter(expires_at__lte=now or timezone.now(), document__removed_at=None)
    with acting(None, "system: snapshots are kept for some days"):
        return documents.remove_files(Document.objects.filter(pk__in=over.values("document")))
