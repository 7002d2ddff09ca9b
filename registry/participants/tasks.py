"""Profiles that begin on a day."""

from celery import shared_task

from registry.participants import services


@shared_task
def begin_profiles() -> int:
    """Utilities' profiles have the facts of today."""
    return services.take_effect()
