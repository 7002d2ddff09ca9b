"""The demonstration state is loaded into an empty database only, and not where it is switched off."""

from io import StringIO

import pytest
from django.core.management import call_command

from moc.access.models import Organization
from moc.demo import load

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _never(monkeypatch) -> None:
    def fail(report):
        raise AssertionError("it was loaded")

    monkeypatch.setattr(load, "load", fail)


def said() -> str:
    out = StringIO()
    call_command("load_demo", stdout=out)
    return out.getvalue()


def test_not_where_it_is_switched_off(settings):
    settings.MOC_DEMONSTRATION = False
    assert "MOC_DEMONSTRATION is off" in said()


def test_not_beside_other_organisations(world):
    before = Organization.objects.count()
    assert "holds other organisations" in said()
    assert Organization.objects.count() == before
