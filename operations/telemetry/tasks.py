"""Background work of telemetry: the next month's partition, made before anybody needs it."""

from celery import shared_task

from operations.telemetry.services.taking_in import prepare


@shared_task
def prepare_months() -> None:
    """Make the partitions of this month and the next."""
    prepare()
