"""Who and why: nesting, exceptions, savepoints, the end of the transaction."""

import pytest
from django.db import connection, transaction

from moc.access.models import Organization, User
from moc.history import acting

pytestmark = pytest.mark.django_db


def who() -> tuple[str, str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(current_setting('moc.actor', true), ''), coalesce(current_setting('moc.reason', true), '')")
        return cursor.fetchone()


@pytest.fixture
def ann() -> User:
    with acting(None, "system: test"):
        return User.objects.create_user("ann@example.org", "long enough for anybody")


def test_nested_acting_restores_the_outer_pair(ann):
    with acting(ann, "outer"):
        with acting(None, "system: inner"):
            assert who() == ("", "system: inner")
        assert who() == (str(ann.pk), "outer")
        with acting(ann):
            assert who() == (str(ann.pk), "")
        assert who() == (str(ann.pk), "outer")
    assert who() == ("", "")


def test_an_exception_caught_outside_restores_the_outer_pair(ann):
    with acting(ann, "outer"):
        with pytest.raises(ZeroDivisionError), acting(None, "system: inner"):
            raise ZeroDivisionError
        assert who() == (str(ann.pk), "outer")
        Organization.objects.create(kind="edc", name="A", slug="a")
    assert Organization.history.get().history_change_reason == "outer"


def test_an_exception_outside_any_acting_leaves_nobody():
    with transaction.atomic():
        with pytest.raises(ZeroDivisionError), acting(None, "system: inner"):
            raise ZeroDivisionError
        assert who() == ("", "")


def test_what_a_failed_block_wrote_is_gone_with_its_versions(ann):
    with pytest.raises(ZeroDivisionError), acting(ann, "fails"):
        Organization.objects.create(kind="edc", name="A", slug="a")
        raise ZeroDivisionError
    assert not Organization.objects.exists()
    assert not Organization.history.exists()


def test_a_savepoint_rolled_back_inside_keeps_the_pair(ann):
    with acting(ann, "outer"):
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            raise ZeroDivisionError
        assert who() == (str(ann.pk), "outer")


@pytest.mark.django_db(transaction=True)
def test_the_pair_ends_with_the_transaction():
    with acting(None, "system: test"):
        assert who() == ("", "system: test")
    assert who() == ("", "")
    with pytest.raises(ZeroDivisionError), acting(None, "system: test"):
        raise ZeroDivisionError
    assert who() == ("", "")
