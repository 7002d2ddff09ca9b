"""Background work of telemetry: the next month's partition before anybody needs it, and what was owed and delivered."""

from celery import shared_task

from operations.telemetry.services import checking, taking_in


@shared_task
def prepare_months() -> None:
    """Make the partitions of this month and the next."""
    taking_in.prepare()


@shared_task
def check_days() -> None:
    """Check yesterday and today so far."""
    checking.check_due()
