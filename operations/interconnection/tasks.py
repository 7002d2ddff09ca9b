"""Background work of interconnection; a task takes a job's id and is idempotent."""

from celery import shared_task

from operations.computed import services as computed
from operations.interconnection.models import InterconnectionStudy
from operations.interconnection.services import silence, studying


@shared_task
def study(pk: int) -> None:
    """Compute one study."""
    computed.carry(pk, InterconnectionStudy, studying.carry_out, "network", "feeder__edc", "service_point")


@shared_task
def look_for_unread() -> int:
    """Issued settings that nobody read back in time; returns how many findings are new."""
    return silence.look()
