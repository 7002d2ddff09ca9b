"""What cuts across all slices (DOE Table 4), and the wiring."""

from moc.celery import app as celery_app

__all__ = ["celery_app"]
