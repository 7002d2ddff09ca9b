"""Background work of qualification; a pass is idempotent."""

from celery import shared_task

from moc.jobs.services import running
from registry.prequalification.services import deciding, passes


@shared_task
def requalify(pk: int) -> None:
    """A pass that somebody asked for."""
    with running(pk) as (job, progress):
        if job is None:
            return
        made = passes.pull(full=bool(job.arguments.get("full")))
        job.outcome = {"ders": made.ders, "aggregations": made.aggregations, "changed": made.changed} if made else {}


@shared_task
def catch_up() -> int:
    """The beat's look at what changed; how many verdicts that changed."""
    made = passes.pull()
    return made.changed if made else 0


@shared_task
def check_clocks() -> dict[str, int]:
    """The beat's look at the clocks of RTOs' reviews."""
    return deciding.check_clocks()
