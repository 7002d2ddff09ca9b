"""Settings of the benchmark's worker process: the test run's database, real files, no eager tasks."""

import os

from moc.settings.test import *  # noqa: F403

MEDIA_ROOT = os.environ.get("MOC_MEDIA", "")
STORAGES = {**STORAGES, "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"}}  # noqa: F405
CELERY_TASK_ALWAYS_EAGER = False
