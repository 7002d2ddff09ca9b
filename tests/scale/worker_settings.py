"""Settings of a test's own worker process: the test run's database, real files, no eager tasks, and a broker where there is one."""

import os

from moc.settings.test import *  # noqa: F403

MEDIA_ROOT = os.environ.get("MOC_MEDIA", "")
STORAGES = {**STORAGES, "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"}}  # noqa: F405
CELERY_TASK_ALWAYS_EAGER = False
CELERY_BROKER_URL = os.environ.get("MOC_BROKER", CELERY_BROKER_URL)  # noqa: F405
