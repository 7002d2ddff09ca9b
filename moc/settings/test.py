"""Settings of the test run: the app role like production, mail in memory, cheap passwords, and no midnight in the middle."""

import os
from datetime import datetime
from zoneinfo import ZoneInfo

EAST, WEST = "America/New_York", "America/Los_Angeles"
# A run that begins late in the evening has its days where it is still afternoon; its servers and processes inherit that.
os.environ.setdefault("MOC_TIME_ZONE", WEST if datetime.now(ZoneInfo(EAST)).hour >= 21 else EAST)

from moc.settings.base import *  # noqa: E402, F403
from moc.settings.base import LOGGING  # noqa: E402

EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
TECHNOLOGIES_SECONDS = None  # those that ship; whoever adds one reads it
CELERY_TASK_ALWAYS_EAGER = True
CELERY_BROKER_URL = "memory://"  # messages sent by name are no business of a worker that runs beside the tests
CELERY_BROKER_TRANSPORT_OPTIONS = {}
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "TIMEOUT": 3600}}
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
WHITENOISE_AUTOREFRESH = True  # each test client would list all static files first
LOGGING = {**LOGGING, "root": {"handlers": [], "level": "INFO"}}
