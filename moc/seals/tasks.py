"""Background work of seals."""

from celery import shared_task
from django.urls import reverse

from moc.jobs.services import running
from moc.seals import archiving, services


@shared_task
def seal_what_is_new() -> int | None:
    """The beat's seal; its number, or nothing when nothing is new."""
    made = services.seal()
    return made.number if made else None


@shared_task
def seal_now(pk: int) -> None:
    """A seal that somebody asked for; made twice it finds nothing new the second time."""
    with running(pk) as (job, _):
        if job is not None:
            made = services.seal(actor=job.actor)
            job.outcome = {"seal": made.number, "rows": made.row_count} if made else {"seal": None, "rows": 0}


@shared_task
def verify_all(pk: int) -> None:
    """A verification that somebody asked for."""
    with running(pk) as (job, progress):
        if job is not None:
            made, _ = services.run_verification(actor=job.actor, job=job, progress=progress)
            job.outcome = {
                "url": reverse("verification", args=[made.uuid]),
                "verification": str(made.uuid),
                "findings": made.finding_count,
                "rows": made.row_count,
                "unsealed": made.unsealed,
            }


@shared_task
def archive_what_is_due() -> int:
    """The beat's archiving; how many months were moved."""
    return len(archiving.archive())


@shared_task
def archive_now(pk: int) -> None:
    """Archiving that somebody asked for; done twice it finds nothing due the second time."""
    with running(pk) as (job, progress):
        if job is not None:
            made = archiving.archive(actor=job.actor, progress=progress)
            job.outcome = {"archives": [str(each) for each in made], "rows": sum(each.row_count for each in made)}
