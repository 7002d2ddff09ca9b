"""Take-outs: asked for with a purpose, written in the background, kept for some days."""

from datetime import timedelta
from tempfile import TemporaryFile

from django.core.files import File
from django.db import transaction
from django.utils import timezone

from moc import sight
from moc.access import policy
from moc.access.models import Organization
from moc.accesslog.models import AccessEntry
from moc.accesslog.services import exported, note
from moc.documents import services as documents
from moc.documents.models import Document
from moc.errors import UserError
from moc.history import acting
from moc.jobs import services as jobs
from moc.notices.services import notify
from moc.takeouts import archive
from moc.takeouts.models import Takeout

PERMISSION, TASK, KEPT_DAYS = "take_out", "moc.takeouts.tasks.write", 7


@transaction.atomic
def ask(*, actor, organization: Organization, purpose: str = "", plain: bool = False) -> Takeout:
    """Have everything of an organisation written into one archive. Personal data in full needs a purpose, and the right to see it."""
    policy.require(actor, PERMISSION, organization)
    purpose = purpose.strip()
    if plain:
        policy.require(actor, "view_personal", organization)
        if not purpose:
            raise UserError("Personal data in full needs a purpose.", "Say what the take-out is for; it is kept with it.", "PURPOSE")
    with acting(actor, f"Take-out: {purpose or 'personal data masked'}"[:500]):
        takeout = Takeout.objects.create(organization=organization, purpose=purpose[:300], plain=plain, requested_by=actor)
        takeout.job = jobs.enqueue(actor=actor, task=TASK, title=str(takeout), takeout=takeout.pk)
        takeout.save(update_fields=["job"])
    return takeout


def write(takeout: Takeout, progress) -> dict:
    """Write the archive, keep it as a document of the organisation, and tell who asked. Returns the job's outcome."""
    actor, organization = takeout.requested_by, takeout.organization
    policy.require(actor, PERMISSION, organization)
    hidden = policy.hidden_from(actor)
    eyes = sight.Sight(
        user=actor.pk, organizations=(organization.pk,), hidden=hidden
    )  # of all that the actor may see, this organisation's only
    with TemporaryFile() as out:
        with sight.seeing(eyes):
            counts = archive.write(out, organization, plain=takeout.plain, progress=progress)
        out.seek(0)
        name = f"take-out-{organization.slug}-{timezone.localdate():%Y-%m-%d}.zip"
        with acting(actor, f"Wrote {name}"):
            if takeout.plain:
                _log(takeout)
            document = documents.store(actor=actor, owner=organization, kind=Document.Kind.TAKEOUT, upload=File(out, name=name))
            Takeout.objects.filter(pk=takeout.pk).update(
                document=document, row_count=sum(counts.values()), expires_at=timezone.now() + timedelta(days=KEPT_DAYS)
            )
            said = {"what": str(takeout), "format": "zip", "rows": sum(counts.values()), "filters": {"in full": takeout.plain}}
            exported(actor=actor, organization=organization, holder=organization.pk, **said)
            notify(
                [actor],
                event="takeout_ready",
                subject=f"{takeout} is ready",
                body=f"{name} ({document.size:,} bytes) can be downloaded for {KEPT_DAYS} days.",
                url=f"/takeouts/{organization.slug}/",
            )
    return {"document": str(document.uuid), "rows": sum(counts.values())}


def _log(takeout: Takeout) -> None:
    """Everybody's personal data were written out: the log says so, once."""
    note(
        actor=takeout.requested_by,
        holder=takeout.organization_id,
        filed_by=None,
        record=str(takeout),
        subject=None,
        columns=["everybody"],
        purpose=AccessEntry.Purpose.TAKEOUT,
        text=takeout.purpose,
    )


def expire(now=None) -> int:
    """The beat's sweep: archives whose days are over are removed. Returns how many."""
    over = Takeout.objects.filter(expires_at__lte=now or timezone.now(), document__removed_at=None)
    with acting(None, "system: take-outs are kept for some days"):
        return documents.remove_files(Document.objects.filter(pk__in=over.values("document")))
