"""The beat's look at the clocks of disputes."""

from celery import shared_task

from settlement.disputes.services import clocks


@shared_task
def check_clocks() -> dict[str, int]:
    """Escalate what its level's time is over for, and pass on the turns that were missed."""
    return clocks.check_clocks()
