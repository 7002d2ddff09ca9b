"""The nightly match of registry and rosters."""

from celery import shared_task

from registry.rosters import services


@shared_task
def match() -> int:
    """Find the differences of all utilities."""
    return services.match()
