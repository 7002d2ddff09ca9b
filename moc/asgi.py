"""ASGI entry point (granian moc.asgi:application)."""

import os

from django.conf import settings
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "moc.settings.production")
django = get_asgi_application()

from moc.middleware import BodyLimit  # noqa: E402 (needs Django set up)

application = BodyLimit(django, settings.MOC_MAX_UPLOAD_BYTES)
