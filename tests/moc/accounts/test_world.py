"""The fixtures themselves: roles of the database, flushing, and the world."""

import pytest
from django.db import connection

from moc.access.models import Membership, Organization
from moc.access.roles import ROLES


def test_tests_connect_as_the_app_role(db, settings):
    with connection.cursor() as cursor:
        cursor.execute("SELECT session_user, rolsuper FROM pg_roles WHERE rolname = session_user")
        assert cursor.fetchone() == (settings.DATABASE_APP["USER"], False)


def test_the_world_has_everybody(world):
    assert {o.kind for o in world.organizations.values()} == set(ROLES)
    assert Membership.objects.count() == 2 * sum(map(len, ROLES.values())) + 2
    assert world.edc.slug == "edc"
    assert Organization.history.model.objects.filter(history_change_reason="system: tests").count() == 10


@pytest.mark.parametrize("attempt", [1, 2])
@pytest.mark.django_db(transaction=True)
def test_committed_rows_do_not_survive_a_test(attempt, request):
    assert not Organization.objects.exists() and not Organization.history.exists()
    request.getfixturevalue("world")
    assert Organization.objects.exists()
