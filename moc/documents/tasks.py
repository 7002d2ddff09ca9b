"""The beat's look at files."""

from celery import shared_task

from moc.documents import services


@shared_task
def sweep() -> int:
    """Remove files that no document stands for, and what killed uploads left behind."""
    return services.sweep_files() + services.sweep_uploads()
