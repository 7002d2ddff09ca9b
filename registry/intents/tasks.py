"""The clock of notices of intent."""

from celery import shared_task

from registry.intents import services


@shared_task
def check_clocks() -> int:
    """The beat's look at notices that nobody answered."""
    return services.check_clocks()
