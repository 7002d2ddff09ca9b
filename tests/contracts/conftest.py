"""The scene of the contracts: a world with objects between its parties, and a client for everybody."""

import pytest
from django.conf import settings
from django.db import transaction
from django.test import override_settings

from tests.contracts.scene import make_scene


@pytest.fixture(scope="module")
def scene(django_db_setup, django_db_blocker, tmp_path_factory):
    """One scene for all doors; each visit is rolled back. Files are real: the readers stream them."""
    files = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(tmp_path_factory.mktemp("files"))}}
    with override_settings(STORAGES=settings.STORAGES | {"default": files}), django_db_blocker.unblock(), transaction.atomic():
        yield make_scene()
        transaction.set_rollback(True)
