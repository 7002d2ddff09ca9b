"""ASGI entry point (granian moc.asgi:application)."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "moc.settings.production")
application = get_asgi_application()
